/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a service only from the calls to it: a segment is inferred from
   the caller's subsegment, as the service does it. */
#ifndef LOCAL_INFERRED_H
#define LOCAL_INFERRED_H

#include "local/trace/trace.h"

/* A call that names several resources, such as tables, leads to as many; further
   ones are left out. */
#define INFERRED_MAX 20

struct inferred {
    uint64_t id; /* follows from the trace's id, the call's and the place in the list */
    const char *name;
    char type[64]; /* "AWS::DynamoDB::Table", "remote", … */
};

/* The segments inferred from a call: a subsegment with namespace "aws" or "remote" to
   which no segment answers, and that is not within another call of the same name.
   Returns their number, 0 if the node is no such call. Names live as long as the
   trace. */
size_t inferred_from(const struct trace *trace, const struct trace_id *id, size_t node,
                     struct inferred ret[INFERRED_MAX]);

/* The document of one of them. */
void inferred_write_document(const struct trace *trace, const struct trace_id *id, size_t node,
                             const struct inferred *inferred, struct buffer *buffer);

#endif
