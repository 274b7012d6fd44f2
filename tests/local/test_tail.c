/* SPDX-License-Identifier: Apache-2.0 */
/* Which traces the tail keeps, whole, and which it drops. */
#include "local/intake/tail.h"
#include "support.h"

#include <criterion/criterion.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What was kept: the ids of the documents, in their order. */
struct kept {
    pthread_mutex_t lock;
    uint64_t ids[1000];
    size_t count;
};

static void keep(void *data, const struct document *documents, size_t count)
{
    struct kept *kept = data;
    pthread_mutex_lock(&kept->lock);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(documents[i].text[documents[i].length - 1], '}');
        kept->ids[kept->count++ % 1000] = documents[i].id;
    }
    pthread_mutex_unlock(&kept->lock);
}

static struct kept kept = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct tail *new_tail(struct tail_rules rules)
{
    struct tail *tail;
    if (rules.seconds == 0)
        rules.seconds = 3600;
    cr_assert_eq(tail_new(&tail, &rules, keep, &kept), 0);
    return tail;
}

static void send(struct tail *tail, const char *text)
{
    struct document document;
    struct refusal refusal;
    int r = -1;
    char *json = quoted(text);
    cr_assert_eq(document_parse(json, strlen(json), &document, &refusal), 0, "%s", text);
    tail_put_many(tail, &document, 1, &r);
    cr_assert_eq(r, 0);
    free(json);
}

static struct tail_counts counts_of(struct tail *tail)
{
    struct tail_counts counts;
    tail_count(tail, &counts);
    return counts;
}

#define DOCUMENT(id, more) SEGMENT("000000000000000" id, "s", "01", "02") more "}"

Test(tail, keeps_a_trace_with_a_fault_whole_and_in_order)
{
    struct tail *tail = new_tail((struct tail_rules){ 0 });
    send(tail, DOCUMENT("1", ""));
    send(tail, DOCUMENT("2", ""));
    cr_expect_eq(kept.count, 0);
    send(tail, DOCUMENT("3", ",'fault':true"));
    send(tail, DOCUMENT("4", ""));
    cr_assert_eq(kept.count, 4);
    for (uint64_t i = 0; i < 4; i++)
        cr_expect_eq(kept.ids[i], i + 1);
    struct tail_counts counts = counts_of(tail);
    cr_expect_eq(counts.kept, 1);
    cr_expect_eq(counts.buffered, 0);
    cr_expect_eq(counts.documents, 0);
    cr_expect_eq(counts.bytes, 0);
    tail_free(tail);
}

Test(tail, sees_a_fault_wherever_it_is_and_nothing_that_is_called_so)
{
    static const struct {
        const char *more;
        bool fault;
    } cases[] = {
        { ",'fault':true", true },
        { ", 'fault' : true ", true },
        { ",'subsegments':[{'name':'a'},{'subsegments':[{'fault':true}]}]", true },
        { ",'subsegments':[1,{'fault':true,'subsegments':[{}]}],'name':'x'", true },
        { ",'fault':false", false },
        { ",'fault':'true'", false },
        { ",'annotations':{'fault':true}", false },
        { ",'metadata':{'a':{'subsegments':[{'fault':true}]}}", false },
        { ",'name':'fault','a':true", false },
        { ",'subsegments':{'fault':true}", false },
        { ",'error':true,'throttle':true", false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[300];
        struct tail *tail = new_tail((struct tail_rules){ 0 });
        snprintf(text, sizeof text, "%s%s}", SEGMENT("0000000000000001", "s", "01", "02"),
                 cases[i].more);
        kept.count = 0;
        send(tail, text);
        cr_expect_eq(kept.count, cases[i].fault, "%s", cases[i].more);
        tail_free(tail);
    }
}

Test(tail, keeps_errors_only_if_told)
{
    struct tail *tail = new_tail((struct tail_rules){ .errors = true });
    send(tail, DOCUMENT("1", ",'subsegments':[{'error':true}]"));
    cr_expect_eq(kept.count, 1);
    tail_free(tail);
}

Test(tail, keeps_what_took_long_from_its_first_start_to_its_last_end)
{
    struct tail *tail = new_tail((struct tail_rules){ .slow_seconds = 5 });
    send(tail, SEGMENT("0000000000000001", "a", "01", "03") "}");
    send(tail, SEGMENT("0000000000000002", "b", "03", "06") "}");
    cr_expect_eq(kept.count, 0);
    send(tail, SEGMENT("0000000000000003", "c", "05", "06.1") "}");
    cr_expect_eq(kept.count, 3);
    tail_free(tail);
}

Test(tail, drops_the_rest_in_time_with_what_comes_late, .timeout = 60)
{
    struct tail *tail = new_tail((struct tail_rules){ .seconds = 0.2 });
    send(tail, DOCUMENT("1", ""));
    send(tail, "{'trace_id':'" OTHER "','id':'0000000000000002','start_time':1}");
    cr_expect_eq(counts_of(tail).buffered, 2);
    while (counts_of(tail).dropped < 2)
        usleep(1000);
    send(tail, DOCUMENT("3", ""));
    send(tail, DOCUMENT("4", ",'fault':true"));
    cr_expect_eq(kept.count, 0);
    struct tail_counts counts = counts_of(tail);
    cr_expect_eq(counts.dropped, 2);
    cr_expect_eq(counts.late_faults, 1);
    cr_expect_eq(counts.bytes, 0);
    tail_free(tail);
}

static struct trace_id id_number(uint32_t number)
{
    struct trace_id id = { { 0x65, 0x53, 0xf1, 0, 0, 0, 0, 0, 0, 0, 0, 0 } };
    for (int i = 0; i < 4; i++)
        id.bytes[15 - i] = (uint8_t)(number >> (8 * i));
    return id;
}

Test(tail, has_a_share_of_the_rest)
{
    static const double rates[] = { 0, 0.001, 0.05, 0.5, 0.95, 1 };
    enum { IDS = 200000 };
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        unsigned found = 0;
        for (uint32_t n = 0; n < IDS; n++) {
            struct trace_id id = id_number(n);
            found += tail_is_sampled(&id, rates[i]);
        }
        double deviation = sqrt(IDS * rates[i] * (1 - rates[i]));
        cr_expect_leq(fabs(found - IDS * rates[i]), 3 * deviation, "%g: %u", rates[i], found);
    }
}

Test(tail, keeps_the_share_at_once)
{
    struct tail *tail = new_tail((struct tail_rules){ .rate = 1 });
    send(tail, DOCUMENT("1", ""));
    cr_expect_eq(kept.count, 1);
    cr_expect_eq(counts_of(tail).buffered, 0);
    tail_free(tail);
}

Test(tail, holds_no_more_than_its_bytes)
{
    struct tail *tail = new_tail((struct tail_rules){ .bytes = 50000 });
    for (unsigned i = 0; i < 3000; i++) {
        char text[256];
        snprintf(text, sizeof text,
                 "{'trace_id':'1-6553f100-%024x','id':'%016x','start_time':1,'end_time':2}", i / 3,
                 i);
        send(tail, text);
        cr_assert_leq(counts_of(tail).bytes, 50000);
    }
    struct tail_counts counts = counts_of(tail);
    cr_expect_eq(counts.buffered + counts.dropped, 1000);
    cr_expect_eq(counts.early, counts.dropped);
    cr_expect_gt(counts.buffered, 30);
    cr_expect_eq(kept.count, 0);
    tail_free(tail);
}

Test(tail, remembers_only_so_many_verdicts)
{
    struct tail *tail = new_tail((struct tail_rules){ .rate = 1 });
    for (unsigned i = 0; i < TAIL_DECIDED_MAX + 10; i++) {
        struct document document = { .trace_id = id_number(i), .text = "{}", .length = 2 };
        int r;
        tail_put_many(tail, &document, 1, &r);
    }
    cr_expect_eq(counts_of(tail).kept, TAIL_DECIDED_MAX + 10);
    struct document document = { .trace_id = id_number(0), .text = "{}", .length = 2 };
    int r;
    tail_put_many(tail, &document, 1, &r);
    cr_expect_eq(counts_of(tail).kept, TAIL_DECIDED_MAX + 11);
    document.trace_id = id_number(TAIL_DECIDED_MAX);
    tail_put_many(tail, &document, 1, &r);
    cr_expect_eq(counts_of(tail).kept, TAIL_DECIDED_MAX + 11);
    tail_free(tail);
}
