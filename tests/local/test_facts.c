/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a trace: its segments, the calls between them, and causes. */
#include "local/trace/facts.h"

#include "support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define A "000000000000000a"
#define B "000000000000000b"
#define C "000000000000000c"
#define D "000000000000000d"

static struct facts *facts_of(const char *const *texts)
{
    struct built b = build(texts);
    struct trace_id id = parsed_id(TRACE);
    struct facts *facts = NULL;
    cr_assert_eq(facts_new(&facts, &b.trace, &id), 0);
    free_built(&b); /* facts keep nothing of it */
    return facts;
}
#define FACTS(...) facts_of((const char *const[]){ __VA_ARGS__, NULL })

static const struct facts_segment *segment_named(const struct facts *facts, const char *name)
{
    for (uint32_t i = 0; i < facts->segment_count; i++)
        if (strcmp(facts->segments[i].item.name, name) == 0)
            return &facts->segments[i];
    cr_assert_fail("no segment %s", name);
    return NULL;
}

/* "a>b a>c" in the order of the calls; to be freed. */
static char *calls_of(const struct facts *facts)
{
    struct buffer text = { 0 };
    for (uint32_t i = 0; i < facts->call_count; i++)
        buffer_printf(&text, "%s%s>%s", i ? " " : "",
                      facts->segments[facts->calls[i].from].item.name,
                      facts->segments[facts->calls[i].to].item.name);
    buffer_puts(&text, "");
    return buffer_take(&text, NULL);
}

static void expect_calls(struct facts *facts, const char *wanted)
{
    char *text = calls_of(facts);
    cr_expect_str_eq(text ? text : "", wanted);
    free(text);
    facts_unref(facts);
}

/* "service/entity/entity service/entity" of the first cause of this kind; to be freed. */
static char *cause_of(const struct facts *facts, enum facts_cause_kind kind)
{
    struct buffer text = { 0 };
    for (uint32_t i = 0; i < facts->cause_count; i++) {
        const struct facts_cause *cause = &facts->causes[i];
        if (cause->kind != kind)
            continue;
        for (uint32_t s = 0; s < cause->services; s++) {
            const struct facts_cause_service *service =
                &facts->cause_services[cause->first_service + s];
            buffer_printf(&text, "%s%s", s ? " " : "", facts->segments[service->segment].item.name);
            for (uint32_t e = 0; e < service->entities; e++)
                buffer_printf(&text, "/%s", facts->cause_entities[service->first_entity + e].name);
        }
        break;
    }
    buffer_puts(&text, "");
    return buffer_take(&text, NULL);
}

static void expect_cause(struct facts *facts, enum facts_cause_kind kind, const char *wanted)
{
    char *text = cause_of(facts, kind);
    cr_expect_str_eq(text ? text : "", wanted);
    free(text);
    facts_unref(facts);
}

Test(facts, infers_a_segment_from_a_call_that_none_answers)
{
    struct facts *facts = FACTS(
        SEGMENT(A, "a", "01", "04") "}",
        SUBSEGMENT(B, A, "api.example", "02", "03") ",'namespace':'remote'}");
    const struct facts_segment *inferred = segment_named(facts, "api.example");
    cr_expect_eq(inferred->item.marks, MARK_INFERRED);
    cr_expect_str_eq(inferred->item.type, "remote");
    expect_calls(facts, "a>api.example");
}

Test(facts, let_the_segment_that_answers_replace_the_inferred_one)
{
    expect_calls(FACTS(SEGMENT(A, "a", "01", "04") "}",
                       SUBSEGMENT(B, A, "b.example", "02", "03") ",'namespace':'remote'}",
                       SEGMENT(C, "b", "02", "03") ",'parent_id':'" B "'}"),
                 "a>b");
}

Test(facts, name_an_inferred_segment_after_its_resource)
{
    struct facts *facts = FACTS(
        SEGMENT(A, "a", "01", "04") "}",
        SUBSEGMENT(B, A, "SQS", "02",
                   "03") ",'namespace':'aws','aws':{"
                         "'queue_url':'https://sqs.x/1/jobs','operation':'SendMessage'}}");
    const struct facts_segment *queue = segment_named(facts, "jobs");
    cr_expect_str_eq(queue->item.type, "AWS::SQS::Queue");
    cr_expect_str_eq(queue->item.operation, "SendMessage");
    facts_unref(facts);
}

Test(facts, make_a_segment_of_each_table)
{
    struct facts *facts = FACTS(
        SEGMENT(A, "a", "01", "04") "}",
        SUBSEGMENT(B, A, "dynamodb", "02",
                   "03") ",'namespace':'aws','aws':{'table_names':['x','y']}}");
    cr_expect_neq(segment_named(facts, "x")->item.id, segment_named(facts, "y")->item.id);
    cr_expect_eq(facts->call_count, 2);
    facts_unref(facts);
}

Test(facts, take_an_sdks_call_and_its_http_request_for_one)
{
    expect_calls(
        FACTS(SEGMENT(A, "a", "01", "04") "}",
              SUBSEGMENT(B, A, "S3", "02", "03") ",'namespace':'aws',"
                                                 "'subsegments':[{'id':'" C
                                                 "','name':'s3.example','start_time':1700000002,"
                                                 "'end_time':1700000003,'namespace':'remote'}]}"),
        "a>S3");
}

Test(facts, infer_nothing_from_a_call_whose_inner_call_was_answered)
{
    expect_calls(
        FACTS(SEGMENT(A, "a", "01", "04") "}",
              SUBSEGMENT(
                  B, A, "Lambda", "02",
                  "03") ",'namespace':'aws',"
                        "'subsegments':[{'id':'" C "','name':'lambda.example',"
                        "'start_time':1700000002,'end_time':1700000003,'namespace':'remote'}]}",
              SEGMENT(D, "f", "02", "03") ",'parent_id':'" C "'}"),
        "a>f");
}

Test(facts, say_of_a_call_what_its_subsegment_says)
{
    struct facts *facts = FACTS(
        SEGMENT(A, "a", "01", "04") "}",
        SUBSEGMENT(B, A, "b.example", "02", "03") ",'namespace':'remote','fault':true,"
                                                  "'http':{'response':{'status':502}}}",
        SEGMENT(C, "b", "02", "02.5") ",'parent_id':'" B "'}");
    cr_assert_eq(facts->call_count, 1);
    cr_expect_eq(facts->calls[0].item.marks, MARK_FAULT | MARK_REMOTE);
    cr_expect_eq(facts->calls[0].item.http->status, 502);
    cr_expect_eq(facts->calls[0].item.end, 1700000003);
    facts_unref(facts);
}

Test(facts, count_a_call_once_when_two_segments_answer_it)
{
    struct facts *facts = FACTS(SEGMENT(A, "a", "01", "04") "}",
                                SUBSEGMENT(B, A, "b.example", "02", "03") ",'namespace':'remote'}",
                                SEGMENT(C, "b", "02", "02.5") ",'parent_id':'" B "'}",
                                SEGMENT(D, "b", "02.5", "02.7") ",'parent_id':'" B "'}");
    cr_assert_eq(facts->call_count, 2);
    cr_expect_eq(facts->calls[0].item.id, 0xb);
    cr_expect_eq(facts->calls[1].item.id, 0xd);
    facts_unref(facts);
}

Test(facts, keep_a_segments_exceptions_with_those_inside_it)
{
    struct facts *facts = FACTS(
        SEGMENT(A, "a", "01",
                "04") ",'cause':{'exceptions':[{'type':'T','message':'m'}]},"
                      "'subsegments':[{'cause':{'exceptions':[{'type':'U','remote':true}]}}]}",
        SEGMENT(B, "b", "02", "03") ",'parent_id':'" A "','cause':{'exceptions':[{'type':'V'}]}}");
    const struct facts_item *a = &segment_named(facts, "a")->item;
    cr_assert_eq(a->exceptions, 2);
    cr_expect_str_eq(facts->exceptions[a->first_exception].message, "m");
    cr_expect_str_eq(facts->exceptions[a->first_exception + 1].type, "U");
    cr_expect(facts->exceptions[a->first_exception + 1].remote);
    facts_unref(facts);
}

Test(facts, follow_a_fault_through_services_to_where_it_began)
{
    expect_cause(FACTS(SEGMENT(A, "a", "01", "04") ",'fault':true}",
                       SUBSEGMENT(B, A, "b.example", "02", "03") ",'namespace':'remote',"
                                                                 "'fault':true}",
                       SEGMENT(C, "b", "02", "03") ",'parent_id':'" B "','fault':true,"
                                                   "'subsegments':[{'id':'" D
                                                   "','name':'work','start_time':1700000002,"
                                                   "'end_time':1700000003,'fault':true}]}"),
                 CAUSE_FAULT, "a/a/b.example b/b/work");
}

Test(facts, end_a_cause_at_the_service_that_is_only_inferred)
{
    expect_cause(FACTS(SEGMENT(A, "a", "01", "04") ",'error':true}",
                       SUBSEGMENT(B, A, "DynamoDB", "02", "03") ",'namespace':'aws','error':true,"
                                                                "'aws':{'table_name':'t'}}"),
                 CAUSE_ERROR, "a/a/DynamoDB t/t");
}

Test(facts, follow_the_time_while_a_child_has_half_of_it)
{
    expect_cause(FACTS(SEGMENT(A, "a", "00", "10") "}", SUBSEGMENT(B, A, "half", "00", "06") "}",
                       SUBSEGMENT(C, B, "less", "00", "02") "}"),
                 CAUSE_RESPONSE_TIME, "a/a/half");
}

Test(facts, find_no_cause_where_all_is_well_and_quick)
{
    struct facts *facts = FACTS(SEGMENT(A, "a", "01", "01.05") "}");
    cr_expect_eq(facts->cause_count, 0);
    facts_unref(facts);
}

Test(facts, know_that_a_trace_was_captured)
{
    struct facts *facts = FACTS(
        SEGMENT(A, "a", "01", "02") ",'annotations':{'xray_sampled':false}}");
    cr_expect(facts->captured);
    facts_unref(facts);
}

Test(facts, know_which_other_traces_are_linked)
{
    struct facts *facts = FACTS(SEGMENT(A, "a", "01", "02") ",'links':[{'trace_id':'" OTHER
                                                            "','id':'" C "'},{'trace_id':'?'}]}");
    cr_assert_eq(facts->link_count, 1);
    cr_expect_eq(facts->links[0].id, 0xc);
    facts_unref(facts);
}

Test(facts, live_until_the_last_reference_is_given_back)
{
    struct facts *facts = FACTS(SEGMENT(A, "a", "01", "02") "}");
    facts_ref(facts);
    facts_unref(facts);
    cr_expect_str_eq(facts->segments[0].item.name, "a");
    facts_unref(facts);
    facts_unref(NULL);
}

/* More calls than there can be segments, the last of which fails: to be left out. */
Test(facts, end_a_cause_before_a_segment_that_was_left_out, .timeout = 120)
{
    size_t count = FACTS_SEGMENTS_MAX + 1;
    char **texts = calloc(count + 1, sizeof(char *));
    for (size_t i = 0; i < count; i++)
        cr_assert_gt(asprintf(&texts[i],
                              "{'trace_id':'" TRACE "','id':'%016zx','name':'s','fault':%s,%s"
                              "'start_time':%zu,'end_time':%zu}",
                              i + 1, i == 0 || i == count - 1 ? "true" : "false",
                              i ? "'parent_id':'0000000000000001'," : "", 1700000000 + i,
                              1700000000 + i),
                     0);
    struct facts *facts = facts_of((const char *const *)texts);
    cr_expect(facts->truncated);
    cr_expect_gt(facts->cause_count, 0);
    for (uint32_t i = 0; i < facts->causes[0].services; i++)
        cr_expect_lt(facts->cause_services[i].segment, facts->segment_count);
    facts_unref(facts);
    for (size_t i = 0; i < count; i++)
        free(texts[i]);
    free((void *)texts);
}
