/* SPDX-License-Identifier: Apache-2.0 */
/* The documents as which a trace is given back. */
#ifndef LOCAL_DOCUMENTS_H
#define LOCAL_DOCUMENTS_H

#include "local/trace/trace.h"

/* A negative return ends the visit with that value. */
typedef int documents_visitor(void *data, uint64_t id, const char *document, size_t length);

/* By start time: a document for each segment, with all that belongs into it; for each
   subsegment whose place is unknown; and, if asked, for each segment that is only
   inferred, while there are fewer than FACTS_SEGMENTS_MAX. 0, -ENOMEM, or what the visitor
   returned. */
int documents_visit(const struct trace *trace, const struct trace_id *id, bool with_inferred,
                    documents_visitor *visit, void *data);

#endif
