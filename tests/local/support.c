/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

char *quoted(const char *text)
{
    char *copy = strdup(text);
    for (char *c = copy; *c; c++)
        if (*c == '\'')
            *c = '"';
    return copy;
}

struct trace_id parsed_id(const char *text)
{
    struct trace_id id = { { 0 } };
    cr_assert(trace_id_parse(text, &id));
    return id;
}

struct store *new_store(const struct store_limits *limits)
{
    struct store *store = NULL;
    cr_assert_eq(store_new(&store, limits), 0);
    return store;
}

int put(struct store *store, const char *text)
{
    struct document document;
    struct refusal refusal;
    char *json = quoted(text);
    int r = document_parse(json, strlen(json), &document, &refusal);
    cr_assert_eq(r, 0, "%s: %s", text, refusal.message);
    r = store_put(store, &document);
    free(json);
    return r;
}

size_t document_count(struct store *store)
{
    struct store_counts counts;
    store_count(store, &counts);
    return counts.documents;
}

char *only_document(struct store *store)
{
    struct trace_id id = parsed_id(TRACE);
    struct stored_trace stored;
    cr_assert_eq(store_read(store, &id, &stored), 0);
    cr_assert_eq(stored.count, 1);
    char *text = strdup(stored.documents[0].text);
    stored_trace_free(&stored);
    return text;
}

struct built build(const char *const *texts)
{
    struct built built = { 0 };
    size_t count = 0;
    while (texts[count])
        count++;
    built.stored.documents = calloc(count + 1, sizeof *built.stored.documents);
    for (; built.stored.count < count; built.stored.count++) {
        char *text = quoted(texts[built.stored.count]);
        struct document document;
        struct refusal refusal;
        int r = document_parse(text, strlen(text), &document, &refusal);
        cr_assert_eq(r, 0, "%s: %s", text, refusal.message);
        built.stored.documents[built.stored.count] = (struct stored_document){ text, strlen(text) };
    }
    cr_assert_eq(trace_build(&built.trace, built.stored.documents, count), 0);
    return built;
}

void free_built(struct built *built)
{
    trace_free(&built->trace);
    stored_trace_free(&built->stored);
}

size_t node_named(const struct trace *trace, const char *name)
{
    for (size_t i = trace->first_root; i != TRACE_NONE; i = trace_next(trace, i)) {
        const char *own = trace_string(trace->nodes[i].json, "name");
        if (own && strcmp(own, name) == 0)
            return i;
    }
    cr_assert_fail("no node %s in the tree", name);
    return TRACE_NONE;
}

char *document_of(const struct trace *trace, const char *name)
{
    struct buffer buffer = { 0 };
    size_t node = node_named(trace, name);
    cr_assert(trace_is_entry(trace, node));
    trace_write_document(trace, node, &buffer);
    char *text = buffer_take(&buffer, NULL);
    cr_assert_not_null(text);
    return text;
}
