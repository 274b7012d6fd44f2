/* SPDX-License-Identifier: Apache-2.0 */
/* What of the store is in its file when another store opens that. */
#include "local/store/internal.h"
#include "support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ID   "00000000000000af"
#define DONE SEGMENT(ID, "done", "01", "02") "}"

static char folder[32];
static char path[64];

static void make_folder(void)
{
    strcpy(folder, "/tmp/store-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a.db", folder);
}

static void remove_folder(void)
{
    unlink(path);
    rmdir(folder);
}

static struct store *open_store_file(const struct store_limits *limits)
{
    char message[STORE_MESSAGE_SIZE] = "";
    uint64_t skipped = 0;
    struct store *store = new_store(limits);
    cr_assert_eq(store_open_file(store, path, NULL, NULL, &skipped, message), 0, "%s", message);
    cr_assert_eq(skipped, 0);
    return store;
}

TestSuite(store_file, .init = make_folder, .fini = remove_folder, .timeout = 60);

static void write_item(void *data, const char *name, const char *json)
{
    char *text = data;
    snprintf(text + strlen(text), 200 - strlen(text), "%s=%s ", name, json);
}

Test(store_file, has_named_items)
{
    struct store *store = open_store_file(NULL);
    store_keep(store, "group", "a", "{}");
    store_keep(store, "group", "b", "{}");
    store_keep(store, "group", "b", "[]");
    store_keep(store, "rule", "c", "{}");
    store_keep(store, "group", "a", NULL);
    store_free(store);
    store = open_store_file(NULL);
    char text[200] = "";
    store_kept(store, "group", write_item, text);
    store_kept(store, "rule", write_item, text);
    cr_expect_str_eq(text, "b=[] c={} ");
    store_free(store);
}

Test(store_file, has_pins)
{
    struct trace_id id = parsed_id(TRACE);
    struct trace_id other = parsed_id(OTHER);
    struct store *store = open_store_file(NULL);
    put(store, DONE);
    put(store, "{'trace_id':'" OTHER "','id':'" ID "','start_time':1}");
    store_pin(store, &id, true);
    store_pin(store, &other, true);
    store_pin(store, &other, false);
    store_free(store);
    store = open_store_file(NULL);
    struct found_trace found;
    cr_assert_eq(store_facts(store, &id, &found), 0);
    cr_expect(found.pinned);
    facts_unref(found.facts);
    cr_assert_eq(store_facts(store, &other, &found), 0);
    cr_expect_not(found.pinned);
    facts_unref(found.facts);
    store_free(store);
}

static void put_filler(struct store *store, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char text[256];
        snprintf(text, sizeof text,
                 "{'trace_id':'1-6553f100-%024x','id':'" ID "','start_time':1700000000}", i);
        put(store, text);
    }
}

Test(store_file, keeps_a_pinned_trace_under_a_smaller_limit)
{
    struct trace_id id = parsed_id(TRACE);
    struct store *store = open_store_file(NULL);
    put(store, DONE);
    put_filler(store, 50);
    store_pin(store, &id, true);
    store_free(store);
    store = open_store_file(&(struct store_limits){ .traces = 4 });
    cr_expect_eq(document_count(store), 4);
    char *text = only_document(store);
    cr_expect_not_null(strstr(text, "done"));
    free(text);
    store_free(store);
}

Test(store_file, is_empty_after_all_was_forgotten)
{
    struct store *store = open_store_file(NULL);
    put_filler(store, 20);
    store_clear(store);
    put(store, DONE);
    store_free(store);
    store = open_store_file(NULL);
    cr_expect_eq(document_count(store), 1);
    store_free(store);
}

Test(store_file, has_documents_of_any_length_byte_by_byte)
{
    struct store *store = open_store_file(NULL);
    static char text[70000];
    snprintf(text, sizeof text, SEGMENT(ID, "s", "01", "02") ",'big' : 1e5, 'note':'");
    size_t length = strlen(text);
    unsigned state = 1;
    while (length < sizeof text - 4) {
        state = state * 1664525u + 1013904223u;
        text[length++] = (char)('A' + (state >> 24) % 26);
    }
    memcpy(text + length, "'}", 3);
    put(store, text);
    put(store, "{'trace_id':'" OTHER "','id':'" ID "','start_time':1}");
    store_free(store);
    store = open_store_file(NULL);
    char *kept = only_document(store);
    char *wanted = quoted(text);
    cr_expect_str_eq(kept, wanted);
    free(kept);
    free(wanted);
    struct trace_id other = parsed_id(OTHER);
    struct stored_trace stored;
    cr_assert_eq(store_read(store, &other, &stored), 0);
    cr_expect_not_null(strstr(stored.documents[0].text, "\"start_time\":1}"));
    stored_trace_free(&stored);
    store_free(store);
}

struct said {
    uint64_t calls;
    uint64_t done;
    uint64_t total;
};

static void note_progress(void *data, uint64_t done, uint64_t total)
{
    struct said *said = data;
    cr_assert_geq(done, said->done);
    said->calls++;
    said->done = done;
    said->total = total;
}

Test(store_file, says_how_far_it_is_read)
{
    struct store *store = open_store_file(NULL);
    put_filler(store, 2500);
    store_free(store);
    struct said said = { 0 };
    char message[STORE_MESSAGE_SIZE];
    uint64_t skipped;
    store = new_store(NULL);
    cr_assert_eq(store_open_file(store, path, note_progress, &said, &skipped, message), 0);
    cr_expect_eq(said.calls, 3);
    cr_expect_eq(said.done, 2500);
    cr_expect_eq(said.total, 2500);
    store_free(store);
}

/* Of three traces with room for two, the oldest has a document that came last. */
Test(store_file, never_keeps_half_a_trace_under_a_smaller_limit)
{
    struct trace_id id = parsed_id(TRACE);
    struct store *store = open_store_file(NULL);
    put(store, DONE);
    for (int i = 0; i < 3; i++) {
        char text[200];
        snprintf(text, sizeof text,
                 "{'trace_id':'1-6553f101-%024d','id':'" ID "','start_time':1700000001}", i);
        put(store, text);
    }
    put(store, SUBSEGMENT("00000000000000b0", ID, "late", "01", "02") "}");
    store_free(store);
    for (int run = 0; run < 2; run++) {
        struct stored_trace trace;
        store = open_store_file(&(struct store_limits){ .traces = 2 });
        cr_assert_eq(store_read(store, &id, &trace), 0, "run %d", run);
        cr_expect_eq(trace.count, 2, "run %d", run);
        cr_expect_eq(document_count(store), 3, "run %d", run);
        stored_trace_free(&trace);
        store_free(store);
    }
}
