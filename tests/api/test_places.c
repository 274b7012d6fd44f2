/* SPDX-License-Identifier: Apache-2.0 */
/* What X-Ray takes in one place only, or in one form only, is left out elsewhere. */
#include "support.h"

TestSuite(place, .init = record);

static xray_segment *a, *b;

static void begin(void)
{
    a = xray_start_segment(recorder, xray_segment_params(.name = "a"));
    b = xray_start_subsegment(a, "b");
}

static void end(void)
{
    xray_end(b);
    xray_end(a);
    settle();
}

Test(place, of_sql_is_a_subsegment)
{
    begin();
    xray_set_sql(a, xray_sql(.url = "pg://h/d", .sanitized_query = "SELECT 1"));
    xray_set_sql(b, xray_sql(.url = "pg://h/d"));
    end();
    cr_expect_null(member(own_document("a"), "sql"));
    cr_expect(member(embedded("b"), "sql"));
}

Test(place, that_a_link_names_is_a_segment_of_the_other_trace)
{
    xray_trace_header to = { .trace_id = { { 1 } } };

    begin();
    xray_add_link(a, &to);
    cr_expect_eq(stats_of(recorder).truncated, 1, "what is left out is counted");
    end();
    cr_expect_null(member(own_document("a"), "links"));
}

Test(place, namespace_is_aws_or_remote_and_nothing_else)
{
    begin();
    xray_set_namespace(b, "local");
    cr_expect_eq(stats_of(recorder).truncated, 1, "what is left out is counted");
    end();
    cr_expect_null(member(embedded("b"), "namespace"));
}

Test(place, namespace_in_params_is_aws_or_remote_and_nothing_else)
{
    begin();
    xray_end(xray_start_subsegment_with(
        b, xray_subsegment_params(.name = "c", .name_space = "elsewhere")));
    end();
    cr_expect_null(member(embedded("c"), "namespace"));
}

Test(place, of_retries_has_no_negative_number)
{
    begin();
    xray_set_aws(b, xray_aws(.operation = "GetItem", .retries = -1));
    end();
    cr_expect(!member(embedded("b"), "aws.retries") ||
              number_at(embedded("b"), "aws.retries") >= 0);
}

Test(place, of_an_aws_field_takes_no_null)
{
    begin();
    xray_set_aws_field(b, "key", xray_json("null"));
    end();
    cr_expect_null(member(embedded("b"), "aws"));
}

Test(place, of_sql_of_which_nothing_is_left_is_no_empty_block)
{
    static char text[10601];
    xray_trace_header from = { .trace_id = { { 1 } }, .parent_id = 2, .sampled = XRAY_SAMPLED_YES };

    memset(text, '\x01', sizeof(text) - 1); /* six bytes each */
    a = xray_resume(recorder, &from, "a");
    xray_set_sql(a, xray_sql(.sanitized_query = text));
    b = NULL;
    end();
    cr_expect_null(member(own_document("a"), "sql"));
    cr_expect(emitted_text("\"omitted\":[\"sanitized_query\"]"));
}
