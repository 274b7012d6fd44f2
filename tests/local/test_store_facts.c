/* SPDX-License-Identifier: Apache-2.0 */
/* What the store says of traces beside their documents: facts that are never older
   than the documents, changes, pins, ages, and named items. */
#include "local/store/internal.h"
#include "support.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ALL ((struct store_query){ STORE_RANGE_EVENT, 0, 1e12 })

static struct found_traces find(struct store *store, struct store_query query)
{
    struct found_traces found;
    cr_assert_eq(store_find(store, &query, &found), 0);
    return found;
}

static void put_numbered(struct store *store, unsigned trace, unsigned id)
{
    char text[256];
    snprintf(text, sizeof text,
             "{'trace_id':'1-6553f1%02x-%024x','id':'%016x','start_time':%u,'end_time':1700000500}",
             trace & 255, trace, id, 1700000000 + trace);
    put(store, text);
}

static struct trace_id numbered(unsigned trace)
{
    char text[64];
    snprintf(text, sizeof text, "1-6553f1%02x-%024x", trace & 255, trace);
    return parsed_id(text);
}

/* Waits until it is so; the suite's own time limit ends what never is. */
#define EVENTUALLY(condition) \
    do {                      \
        while (!(condition))  \
            usleep(1000);     \
    } while (0)

Test(store_facts, know_a_document_as_soon_as_it_is_put)
{
    struct store *store = new_store(NULL);
    for (unsigned i = 1; i <= 100; i++) {
        put_numbered(store, 1, i);
        struct found_traces found = find(store, ALL);
        cr_assert_eq(found.count, 1);
        cr_expect_eq(found.traces[0].facts->documents, i);
        found_traces_free(&found);
    }
    store_free(store);
}

Test(store_facts, are_the_same_while_nothing_changes)
{
    struct store *store = new_store(NULL);
    put_numbered(store, 1, 1);
    struct found_traces first = find(store, ALL);
    struct found_traces second = find(store, ALL);
    cr_expect_eq(first.traces[0].facts, second.traces[0].facts);
    found_traces_free(&first);
    found_traces_free(&second);
    store_free(store);
}

Test(store_facts, stay_with_who_has_them_when_the_trace_goes)
{
    struct store *store = new_store(NULL);
    put_numbered(store, 1, 1);
    struct found_traces found = find(store, ALL);
    store_clear(store);
    cr_expect_eq(found.traces[0].facts->documents, 1);
    found_traces_free(&found);
    store_free(store);
}

static bool is_fresh(struct store *store, unsigned number)
{
    struct trace_id id = numbered(number);
    pthread_mutex_lock(&store->lock);
    const struct kept_trace *trace = table_find(store, &id);
    bool fresh = trace->facts && trace->facts_of == trace->changed;
    pthread_mutex_unlock(&store->lock);
    return fresh;
}

Test(store_facts, are_made_before_anybody_asks, .timeout = 60)
{
    struct store *store = new_store(NULL);
    put_numbered(store, 1, 1);
    put_numbered(store, 2, 1);
    EVENTUALLY(is_fresh(store, 1) && is_fresh(store, 2));
    put_numbered(store, 1, 2);
    cr_expect_not(is_fresh(store, 1));
    EVENTUALLY(is_fresh(store, 1));
    store_free(store);
}

Test(store_facts, count_what_came_after_the_first_look)
{
    struct store *store = new_store(NULL);
    struct trace_id id = numbered(1);
    struct found_trace found;
    put_numbered(store, 1, 1);
    put_numbered(store, 1, 2);
    cr_assert_eq(store_facts(store, &id, &found), 0);
    cr_expect_eq(found.revision, 1);
    facts_unref(found.facts);
    put_numbered(store, 1, 3);
    put_numbered(store, 1, 3); /* the same again */
    put_numbered(store, 1, 4);
    cr_assert_eq(store_facts(store, &id, &found), 0);
    cr_expect_eq(found.revision, 3);
    facts_unref(found.facts);
    store_free(store);
}

Test(store_facts, of_no_trace_are_not_there)
{
    struct store *store = new_store(NULL);
    struct trace_id id = numbered(1);
    struct found_trace found;
    cr_expect_eq(store_facts(store, &id, &found), -ENOENT);
    store_free(store);
}

struct flood {
    struct store *store;
    unsigned first;
};

static void *flood(void *data)
{
    const struct flood *flood = data;
    for (unsigned i = 0; i < 3000; i++)
        put_numbered(flood->store, i % 50, flood->first + i);
    return NULL;
}

Test(store_facts, are_right_while_many_put_and_ask, .timeout = 120)
{
    struct store *store = new_store(&(struct store_limits){ .traces = 40 });
    struct flood floods[2] = { { store, 1 }, { store, 10000 } };
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, flood, &floods[i]);
    for (unsigned i = 0; i < 60; i++) {
        struct found_traces found = find(store, ALL);
        cr_expect_leq(found.count, 41);
        found_traces_free(&found);
        if (i % 20 == 19)
            store_clear(store);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    struct store_counts counts;
    store_count(store, &counts);
    struct found_traces found = find(store, ALL);
    size_t documents = 0;
    for (size_t i = 0; i < found.count; i++)
        documents += found.traces[i].facts->documents;
    cr_expect_eq(found.count, counts.traces);
    cr_expect_eq(documents, counts.documents);
    found_traces_free(&found);
    store_clear(store);
    store_count(store, &counts);
    cr_expect_eq(counts.bytes, 0);
    cr_expect_eq(counts.documents, 0);
    store_free(store);
}

Test(store_changes, are_told_the_latest_first)
{
    struct store *store = new_store(NULL);
    struct trace_id ids[4];
    uint64_t changes;
    for (unsigned i = 1; i <= 3; i++)
        put_numbered(store, i, 1);
    cr_assert_eq(store_changed(store, 0, ids, 4, &changes), 3);
    cr_expect_eq(changes, 3);
    struct trace_id third = numbered(3);
    cr_expect(trace_id_equal(&ids[0], &third));
    struct trace_id first = numbered(1);
    store_pin(store, &first, true);
    put_numbered(store, 1, 2);
    put_numbered(store, 2, 1); /* the same again */
    cr_assert_eq(store_changed(store, 3, ids, 4, &changes), 1);
    cr_expect_eq(changes, 4);
    cr_expect(trace_id_equal(&ids[0], &first));
    cr_expect_eq(store_changed(store, 0, ids, 2, &changes), 2);
    cr_expect_eq(store_changed(store, 4, ids, 4, &changes), 0);
    store_free(store);
}

static void count_call(void *data)
{
    atomic_fetch_add((atomic_uint *)data, 1);
}

Test(store_changes, wake_who_watches, .timeout = 60)
{
    struct store *store = new_store(NULL);
    atomic_uint calls = 0;
    cr_assert_eq(store_watch(store, count_call, &calls), 0);
    put_numbered(store, 1, 1);
    EVENTUALLY(atomic_load(&calls) == 1);
    put_numbered(store, 1, 2);
    EVENTUALLY(atomic_load(&calls) == 2);
    store_clear(store);
    EVENTUALLY(atomic_load(&calls) == 3);
    store_unwatch(store, count_call, &calls);
    atomic_uint others = 0;
    cr_assert_eq(store_watch(store, count_call, &others), 0);
    put_numbered(store, 1, 3);
    EVENTUALLY(atomic_load(&others) > 0);
    cr_expect_eq(atomic_load(&calls), 3);
    store_free(store);
}

Test(store_changes, are_told_together_when_they_come_together, .timeout = 60)
{
    struct store *store = new_store(NULL);
    atomic_uint calls = 0;
    double start = store_now();
    cr_assert_eq(store_watch(store, count_call, &calls), 0);
    for (unsigned i = 0; i < 5000; i++)
        put_numbered(store, i, 1);
    EVENTUALLY(atomic_load(&calls) > 0);
    unsigned most = (unsigned)((store_now() - start) / 0.05) + 2;
    cr_expect_leq(atomic_load(&calls), most);
    store_free(store);
}

Test(store_pins, keep_a_trace)
{
    struct store *store = new_store(&(struct store_limits){ .traces = 3 });
    struct trace_id id = numbered(1);
    put_numbered(store, 1, 1);
    cr_assert_eq(store_pin(store, &id, true), 0);
    for (unsigned i = 2; i < 20; i++)
        put_numbered(store, i, 1);
    struct found_traces found = find(store, ALL);
    cr_assert_eq(found.count, 3);
    cr_expect(trace_id_equal(&found.traces[2].facts->id, &id));
    cr_expect(found.traces[2].pinned);
    cr_expect_not(found.traces[0].pinned);
    found_traces_free(&found);
    struct store_counts counts;
    store_count(store, &counts);
    cr_expect_eq(counts.pinned_traces, 1);
    store_free(store);
}

Test(store_pins, can_be_taken_back)
{
    struct store *store = new_store(&(struct store_limits){ .traces = 3 });
    struct trace_id id = numbered(1);
    struct found_trace found;
    put_numbered(store, 1, 1);
    store_pin(store, &id, true);
    for (unsigned i = 2; i < 20; i++)
        put_numbered(store, i, 1);
    cr_assert_eq(store_pin(store, &id, false), 0);
    put_numbered(store, 20, 1);
    cr_expect_eq(store_facts(store, &id, &found), -ENOENT);
    cr_expect_eq(store_pin(store, &id, true), -ENOENT);
    struct store_counts counts;
    store_count(store, &counts);
    cr_expect_eq(counts.pinned_traces, 0);
    cr_expect_eq(counts.traces, 3);
    store_free(store);
}

Test(store_pins, leave_half_of_the_room)
{
    struct store *store = new_store(&(struct store_limits){ .traces = 4 });
    for (unsigned i = 1; i <= 4; i++)
        put_numbered(store, i, 1);
    struct trace_id ids[3] = { numbered(1), numbered(2), numbered(3) };
    cr_expect_eq(store_pin(store, &ids[0], true), 0);
    cr_expect_eq(store_pin(store, &ids[1], true), 0);
    cr_expect_eq(store_pin(store, &ids[2], true), -ENOSPC);
    store_free(store);
}

Test(store_pins, do_not_let_a_trace_grow_into_the_others_room)
{
    struct store *store = new_store(&(struct store_limits){ .bytes = 20000 });
    struct trace_id id = numbered(1);
    put_numbered(store, 1, 1);
    cr_assert_eq(store_pin(store, &id, true), 0);
    for (unsigned i = 2; i < 200; i++) {
        struct store_counts counts;
        put_numbered(store, 1, i);
        store_count(store, &counts);
        cr_assert_leq(counts.bytes, 20000);
    }
    put_numbered(store, 2, 1);
    struct found_traces found = find(store, ALL);
    cr_expect_eq(found.count, 2);
    found_traces_free(&found);
    store_free(store);
}

Test(store_age, ends_a_trace_without_new_documents, .timeout = 60)
{
    struct store *store = new_store(&(struct store_limits){ .age_seconds = 1 });
    struct trace_id id = numbered(1);
    struct store_counts counts;
    put_numbered(store, 1, 1);
    put_numbered(store, 2, 1);
    store_pin(store, &id, true);
    do {
        usleep(10000);
        store_count(store, &counts);
    } while (counts.traces != 1);
    cr_expect_eq(counts.expired_traces, 1);
    cr_expect_eq(counts.pinned_traces, 1);
    store_free(store);
}

Test(store_ranges, see_pauses_between_documents)
{
    struct store *store = new_store(NULL);
    put(store, SEGMENT("0000000000000001", "a", "10", "20") "}");
    put(store, SEGMENT("0000000000000002", "b", "40", "50") "}");
    static const struct {
        enum store_range range;
        double from;
        double to;
        size_t count;
    } cases[] = {
        { STORE_RANGE_EVENT, 15, 16, 1 },   { STORE_RANGE_EVENT, 25, 30, 0 },
        { STORE_RANGE_EVENT, 45, 46, 1 },   { STORE_RANGE_EVENT, 51, 60, 0 },
        { STORE_RANGE_EVENT, 0, 10, 0 },    { STORE_RANGE_EVENT, 0, 60, 1 },
        { STORE_RANGE_SERVICE, 15, 16, 0 }, { STORE_RANGE_SERVICE, 20, 21, 1 },
        { STORE_RANGE_SERVICE, 25, 30, 0 }, { STORE_RANGE_SERVICE, 50, 51, 1 },
        { STORE_RANGE_SERVICE, 51, 60, 0 }, { STORE_RANGE_SERVICE, 0, 20, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct found_traces found = find(store, (struct store_query){ cases[i].range,
                                                                      1700000000 + cases[i].from,
                                                                      1700000000 + cases[i].to });
        cr_expect_eq(found.count, cases[i].count, "case %zu", i);
        found_traces_free(&found);
    }
    store_free(store);
}

Test(store_ranges, follow_a_document_that_is_replaced)
{
    struct store *store = new_store(NULL);
    put(store, "{'trace_id':'" TRACE "','id':'0000000000000001','start_time':1700000010,"
               "'in_progress':true}");
    struct store_query late = { STORE_RANGE_EVENT, 1700000100, 1700000101 };
    struct found_traces found = find(store, late);
    cr_expect_eq(found.count, 1);
    found_traces_free(&found);
    put(store, SEGMENT("0000000000000001", "a", "10", "20") "}");
    found = find(store, late);
    cr_expect_eq(found.count, 0);
    found_traces_free(&found);
    put(store, SEGMENT("0000000000000001", "a", "10", "15") "}");
    found = find(store, (struct store_query){ STORE_RANGE_EVENT, 1700000018, 1700000025 });
    cr_expect_eq(found.count, 0);
    found_traces_free(&found);
    found = find(store, (struct store_query){ STORE_RANGE_SERVICE, 1700000015, 1700000016 });
    cr_expect_eq(found.count, 1);
    found_traces_free(&found);
    store_free(store);
}

static void write_item(void *data, const char *name, const char *json)
{
    char *text = data;
    snprintf(text + strlen(text), 200 - strlen(text), "%s=%s ", name, json);
}

Test(store_items, are_kept_by_kind_and_name)
{
    struct store *store = new_store(NULL);
    char text[200] = "";
    cr_expect_eq(store_keep(store, "group", "slow", "{}"), 0);
    cr_expect_eq(store_keep(store, "group", "bad", "{}"), 0);
    cr_expect_eq(store_keep(store, "rule", "mine", "{}"), 0);
    cr_expect_eq(store_keep(store, "group", "slow", "[1]"), 0);
    cr_assert_eq(store_kept(store, "group", write_item, text), 0);
    cr_expect_str_eq(text, "bad={} slow=[1] ");
    cr_expect_eq(store_keep(store, "group", "bad", NULL), 0);
    cr_expect_eq(store_keep(store, "group", "bad", NULL), -ENOENT);
    *text = '\0';
    store_kept(store, "group", write_item, text);
    cr_expect_str_eq(text, "slow=[1] ");
    store_free(store);
}

Test(store_many, have_a_result_each)
{
    struct store *store = new_store(&(struct store_limits){ .trace_documents = 150 });
    static struct document documents[200];
    char *texts[200];
    int results[200];
    struct refusal refusal;
    for (unsigned i = 0; i < 200; i++) {
        char text[200];
        snprintf(text, sizeof text,
                 "{'trace_id':'" TRACE "','id':'%016x','start_time':1,'end_time':2}", i);
        texts[i] = quoted(text);
        cr_assert_eq(document_parse(texts[i], strlen(texts[i]), &documents[i], &refusal), 0);
    }
    store_put_many(store, documents, 200, results);
    for (unsigned i = 0; i < 200; i++) {
        cr_expect_eq(results[i], i < 150 ? 0 : -ENOSPC, "%u", i);
        free(texts[i]);
    }
    cr_expect_eq(document_count(store), 150);
    store_free(store);
}
