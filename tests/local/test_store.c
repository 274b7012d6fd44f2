/* SPDX-License-Identifier: Apache-2.0 */
/* What the store keeps, replaces, finds and gives up. */
#include "support.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID      "00000000000000af"
#define RUNNING "{'trace_id':'" TRACE "','id':'" ID "','start_time':1700000001,'in_progress':true}"
#define DONE    SEGMENT(ID, "done", "01", "02") "}"

static void expect_only(struct store *store, const char *text)
{
    char *kept = only_document(store);
    char *wanted = quoted(text);
    cr_expect_str_eq(kept, wanted);
    free(kept);
    free(wanted);
    store_free(store);
}

Test(store, gives_back_the_text_as_it_came)
{
    struct store *store = new_store(NULL);
    put(store, SEGMENT(ID, "s", "01.123456", "02") ", 'big' : 18446744073709551615 }");
    expect_only(store, SEGMENT(ID, "s", "01.123456", "02") ", 'big' : 18446744073709551615 }");
}

Test(store, replaces_what_is_in_progress_by_what_is_complete)
{
    struct store *store = new_store(NULL);
    put(store, RUNNING);
    put(store, DONE);
    expect_only(store, DONE);
}

Test(store, keeps_what_is_complete_when_an_older_one_comes_late)
{
    struct store *store = new_store(NULL);
    put(store, DONE);
    put(store, RUNNING);
    expect_only(store, DONE);
}

Test(store, takes_the_later_of_two_that_are_complete)
{
    struct store *store = new_store(NULL);
    put(store, DONE);
    put(store, SEGMENT(ID, "again", "01", "03") "}");
    expect_only(store, SEGMENT(ID, "again", "01", "03") "}");
}

Test(store, knows_no_trace_that_was_not_sent)
{
    struct store *store = new_store(NULL);
    struct trace_id id = parsed_id(TRACE);
    struct stored_trace stored;
    cr_expect_eq(store_read(store, &id, &stored), -ENOENT);
    store_free(store);
}

static void put_numbered(struct store *store, unsigned trace, unsigned id)
{
    char text[256];
    snprintf(text, sizeof text,
             "{'trace_id':'1-6553f1%02x-%024x','id':'%016x','start_time':%u,'end_time':1700000500}",
             trace & 255, trace, id, 1700000000 + trace);
    put(store, text);
}

static bool has_trace(struct store *store, unsigned trace)
{
    char text[64];
    snprintf(text, sizeof text, "1-6553f1%02x-%024x", trace & 255, trace);
    struct trace_id id = parsed_id(text);
    struct stored_trace stored;
    if (store_read(store, &id, &stored) < 0)
        return false;
    stored_trace_free(&stored);
    return true;
}

Test(store, gives_up_the_trace_that_was_longest_without_a_document)
{
    struct store *store = new_store(&(struct store_limits){ .traces = 3 });
    put_numbered(store, 1, 1);
    put_numbered(store, 2, 1);
    put_numbered(store, 3, 1);
    put_numbered(store, 1, 2);
    put_numbered(store, 4, 1);
    cr_expect(has_trace(store, 1));
    cr_expect_not(has_trace(store, 2));
    cr_expect(has_trace(store, 3));
    cr_expect(has_trace(store, 4));
    store_free(store);
}

Test(store, stays_within_its_bytes)
{
    struct store *store = new_store(&(struct store_limits){ .bytes = 20000 });
    struct store_counts counts;
    for (unsigned i = 0; i < 500; i++) {
        put_numbered(store, i, 1);
        store_count(store, &counts);
        cr_assert_leq(counts.bytes, 20000);
    }
    cr_expect_gt(counts.traces, 10);
    cr_expect_eq(counts.traces + counts.evicted_traces, 500);
    cr_expect(has_trace(store, 499));
    store_free(store);
}

Test(store, refuses_a_trace_without_end)
{
    struct store *store = new_store(&(struct store_limits){ .trace_documents = 2 });
    cr_expect_eq(put(store, SEGMENT("0000000000000001", "a", "01", "02") "}"), 0);
    cr_expect_eq(put(store, SEGMENT("0000000000000002", "b", "01", "02") "}"), 0);
    cr_expect_eq(put(store, SEGMENT("0000000000000003", "c", "01", "02") "}"), -ENOSPC);
    cr_expect_eq(put(store, SEGMENT("0000000000000001", "A", "01", "02") "}"), 0);
    cr_expect_eq(document_count(store), 2);
    store_free(store);
}

Test(store, refuses_a_trace_that_is_too_large)
{
    struct store *store = new_store(&(struct store_limits){ .trace_bytes = 700 });
    int r = 0;
    unsigned count = 0;
    for (; r == 0 && count < 100; count++) {
        char text[256];
        snprintf(text, sizeof text,
                 "{'trace_id':'" TRACE "','id':'%016x','start_time':1,'end_time':2}", count);
        r = put(store, text);
    }
    cr_expect_eq(r, -ENOSPC);
    cr_expect_eq(document_count(store), count - 1);
    store_free(store);
}

Test(store, keeps_many_documents_of_one_trace_apart)
{
    struct store *store = new_store(NULL);
    struct trace_id id = parsed_id(TRACE);
    struct stored_trace stored;
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 5000; i++) {
            char text[256];
            snprintf(text, sizeof text,
                     "{'trace_id':'" TRACE "','id':'%016x','start_time':%u,'end_time':2}", i,
                     round);
            put(store, text);
        }
    }
    cr_assert_eq(store_read(store, &id, &stored), 0);
    cr_expect_eq(stored.count, 5000);
    stored_trace_free(&stored);
    store_free(store);
}

static size_t listed(struct store *store, enum store_range range, double from, double to)
{
    struct found_traces found;
    cr_assert_eq(store_find(store, &(struct store_query){ range, from, to }, &found), 0);
    size_t count = found.count;
    found_traces_free(&found);
    return count;
}

Test(store, lists_the_newest_first)
{
    struct store *store = new_store(NULL);
    struct found_traces found;
    put_numbered(store, 2, 1);
    put_numbered(store, 3, 1);
    put_numbered(store, 1, 1);
    struct store_query all = { STORE_RANGE_EVENT, 0, 1e12 };
    cr_assert_eq(store_find(store, &all, &found), 0);
    cr_assert_eq(found.count, 3);
    cr_expect_eq(found.traces[0].facts->start, 1700000003);
    cr_expect_eq(found.traces[2].facts->start, 1700000001);
    found_traces_free(&found);
    store_free(store);
}

Test(store, finds_by_the_time_in_the_trace_id)
{
    struct store *store = new_store(NULL);
    put(store, SEGMENT(ID, "s", "50", "60") "}"); /* the id says 1700000000 */
    cr_expect_eq(listed(store, STORE_RANGE_TRACE_ID, 1700000000, 1700000001), 1);
    cr_expect_eq(listed(store, STORE_RANGE_TRACE_ID, 1700000000.7, 1700000001), 1);
    cr_expect_eq(listed(store, STORE_RANGE_TRACE_ID, 1699999999, 1700000000), 0);
    cr_expect_eq(listed(store, STORE_RANGE_TRACE_ID, 1700000050, 1700000051), 0);
    store_free(store);
}

Test(store, finds_a_random_id_by_its_first_segment)
{
    struct store *store = new_store(NULL);
    put(store, "{'trace_id':'1-00000001-aaaaaaaaaaaaaaaaaaaaaaaa','id':'" ID
               "','start_time':1700000050,'end_time':1700000051}");
    cr_expect_eq(listed(store, STORE_RANGE_TRACE_ID, 1700000050, 1700000051), 1);
    cr_expect_eq(listed(store, STORE_RANGE_TRACE_ID, 0, 10), 0);
    store_free(store);
}

Test(store, finds_by_what_went_on)
{
    struct store *store = new_store(NULL);
    put(store, SEGMENT(ID, "s", "10", "20") "}");
    cr_expect_eq(listed(store, STORE_RANGE_EVENT, 1700000015, 1700000016), 1);
    cr_expect_eq(listed(store, STORE_RANGE_EVENT, 1700000021, 1700000030), 0);
    cr_expect_eq(listed(store, STORE_RANGE_EVENT, 1700000001, 1700000010), 0);
    store_free(store);
}

Test(store, finds_by_the_end_of_a_segment)
{
    struct store *store = new_store(NULL);
    put(store, SEGMENT(ID, "s", "10", "20") "}");
    put(store, SUBSEGMENT("0000000000000001", ID, "t", "10", "15") "}");
    cr_expect_eq(listed(store, STORE_RANGE_SERVICE, 1700000020, 1700000021), 1);
    cr_expect_eq(listed(store, STORE_RANGE_SERVICE, 1700000014, 1700000016), 0);
    store_free(store);
}

static double only_start(struct store *store)
{
    struct found_traces found;
    cr_assert_eq(store_find(store, &(struct store_query){ STORE_RANGE_EVENT, 0, 1e12 }, &found), 0);
    cr_assert_eq(found.count, 1);
    double start = found.traces[0].facts->start;
    found_traces_free(&found);
    return start;
}

Test(store, lets_segments_say_when_a_trace_starts)
{
    struct store *store = new_store(NULL);
    put(store, SUBSEGMENT("0000000000000001", ID, "t", "05", "15") "}");
    put(store, SUBSEGMENT("0000000000000002", ID, "t", "04", "15") "}");
    cr_expect_eq(only_start(store), 1700000004);
    put(store, SEGMENT(ID, "s", "10", "20") "}");
    cr_expect_eq(only_start(store), 1700000010);
    put(store, SUBSEGMENT("0000000000000003", ID, "t", "03", "15") "}");
    cr_expect_eq(only_start(store), 1700000010);
    put(store, SEGMENT(ID, "s", "12", "20") "}");
    cr_expect_eq(only_start(store), 1700000012);
    store_free(store);
}
