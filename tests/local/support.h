/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of xraytrace-local share: documents written with ' for ", and
   stores and traces made of them. */
#ifndef LOCAL_TESTS_SUPPORT_H
#define LOCAL_TESTS_SUPPORT_H

#include "local/store/store.h"
#include "local/trace/document.h"
#include "local/trace/trace.h"

/* A trace id with a time in it, and 1700000000 as everybody's start. */
#define TRACE "1-6553f100-aaaaaaaaaaaaaaaaaaaaaaaa"
#define OTHER "1-6553f101-bbbbbbbbbbbbbbbbbbbbbbbb"

/* The text with every ' as a ", to be freed. */
char *quoted(const char *text);

/* A segment's top level, open at the end: add members, and a brace. */
#define SEGMENT(id, name, start, end)                                                     \
    "{'trace_id':'" TRACE "','id':'" id "','name':'" name "','start_time':17000000" start \
    ",'end_time':17000000" end
#define SUBSEGMENT(id, parent, name, start, end) \
    SEGMENT(id, name, start, end) ",'type':'subsegment','parent_id':'" parent "'"

struct trace_id parsed_id(const char *text);
struct store *new_store(const struct store_limits *limits);
/* The result of parsing the document and of putting it. */
int put(struct store *store, const char *text);
size_t document_count(struct store *store);
/* The text of the only document of the trace; to be freed. */
char *only_document(struct store *store);

/* A trace made of these documents; a NULL ends the list. Frees what it holds with
   free_trace(). */
struct built {
    struct trace trace;
    struct stored_trace stored;
};
struct built build(const char *const *texts);
void free_built(struct built *built);
size_t node_named(const struct trace *trace, const char *name);
/* The document that a segment is returned as; to be freed. */
char *document_of(const struct trace *trace, const char *name);

#endif
