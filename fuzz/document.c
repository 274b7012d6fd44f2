/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xraytrace-local reads segment documents from anybody: one a line here. All that
 * is made of them is made: the tree, the facts, the summary, the documents that
 * are given back, which must be as good as those that came.
 */
#include "fuzz.h"

#include "local/trace/document.h"
#include "local/trace/facts.h"
#include "local/trace/inferred.h"
#include "local/trace/summary.h"

#define DOCUMENTS_MAX 64

const struct fuzz_large fuzz_large[] = {
    { "deep",
      "{\"trace_id\":\"1-6553f100-aaaaaaaaaaaaaaaaaaaaaaaa\",\"id\":\"000000000000000a\","
      "\"start_time\":1",
      ",\"subsegments\":[{\"id\":\"000000000000000b\"", 300, "" },
    { "many-fields",
      "{\"trace_id\":\"1-6553f100-aaaaaaaaaaaaaaaaaaaaaaaa\",\"id\":\"000000000000000a\","
      "\"start_time\":1,\"end_time\":2,\"annotations\":{\"a\":1",
      ",\"a\":\"b\"", 20000, "}}" },
    { NULL, NULL, NULL, 0, NULL },
};

struct documents {
    struct stored_document items[DOCUMENTS_MAX];
    uint64_t ids[DOCUMENTS_MAX];
    size_t count;
};

/* A store has one document of each id. */
static void keep(struct documents *documents, char *text, size_t length)
{
    struct document document;
    struct refusal refusal;
    bool known = documents->count == DOCUMENTS_MAX;

    if (document_parse(text, length, &document, &refusal) < 0) {
        CHECK(refusal.message[0] != '\0');
        free(text);
        return;
    }
    for (size_t i = 0; i < documents->count; i++)
        known |= documents->ids[i] == document.id;
    if (known) {
        free(text);
        return;
    }
    documents->ids[documents->count] = document.id;
    documents->items[documents->count++] = (struct stored_document){ text, length };
}

static char *print(cJSON *json)
{
    char *text = cJSON_PrintUnformatted(json);

    CHECK(text != NULL);
    cJSON_Delete(json);
    return text;
}

static void check_document(struct buffer *buffer)
{
    struct document document;
    struct refusal refusal;
    size_t length;
    char *text = buffer_take(buffer, &length);

    CHECK(text != NULL);
    /* It may have grown beyond what is taken in, but is still what it was. */
    CHECK(document_parse(text, length, &document, &refusal) == 0 ||
          refusal.reason == REFUSED_TOO_LARGE || refusal.reason == REFUSED_SUBSEGMENTS ||
          refusal.reason == REFUSED_TOO_DEEP);
    free(text);
}

static void write_all(const struct trace *trace, const struct trace_id *id)
{
    struct buffer buffer = { 0 };
    struct inferred inferred[INFERRED_MAX];

    for (size_t i = trace->first_root; i != TRACE_NONE; i = trace_next(trace, i)) {
        if (trace_is_entry(trace, i)) {
            trace_write_document(trace, i, &buffer);
            check_document(&buffer);
        }
        size_t count = inferred_from(trace, id, i, inferred);
        for (size_t k = 0; k < count; k++) {
            struct document document;
            struct refusal refusal;
            size_t length;
            inferred_write_document(trace, id, i, &inferred[k], &buffer);
            char *text = buffer_take(&buffer, &length);
            /* A call within a document may lack what a document of its own needs. */
            CHECK(text != NULL);
            CHECK(document_parse(text, length, &document, &refusal) == 0 ||
                  refusal.reason == REFUSED_START_TIME || refusal.reason == REFUSED_END_TIME);
            free(text);
        }
    }
}

/* The summary, to be freed. */
static char *look_at(const struct documents *documents, const struct trace_id *id)
{
    struct trace trace;
    struct facts *facts;

    CHECK(trace_build(&trace, documents->items, documents->count) == 0);
    CHECK(facts_new(&facts, &trace, id) == 0);
    write_all(&trace, id);
    trace_free(&trace);
    for (uint32_t i = 0; i < facts->call_count; i++)
        CHECK(facts->calls[i].from < facts->segment_count &&
              facts->calls[i].to < facts->segment_count);
    CHECK(facts->root == FACTS_NONE || facts->root < facts->segment_count);
    char *text = print(summary_new(facts, 1));
    facts_unref(facts);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct trace_id id = { { 0x65, 0x53, 0xf1, 0x00, 0xaa } };
    struct fuzz_input input = { data, size };
    struct documents documents = { .count = 0 };
    struct documents reversed = { .count = 0 };

    while (input.size > 0) {
        struct fuzz_input line = fuzz_take(&input, '\n');
        keep(&documents, fuzz_text(line.data, line.size), line.size);
    }
    for (size_t i = documents.count; i-- > 0;)
        reversed.items[reversed.count++] = documents.items[i];
    char *text = look_at(&documents, &id);
    char *again = look_at(&reversed, &id);
    CHECK(strcmp(text, again) == 0);
    free(text);
    free(again);
    for (size_t i = 0; i < documents.count; i++)
        free(documents.items[i].text);
    return 0;
}
