/* SPDX-License-Identifier: Apache-2.0 */
/* Statistics over time of traces made by hand. */
#include "local/graph/series.h"

#include "graph_support.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define EC2 "AWS::EC2::Instance"

/* A shop that calls a stock service; ends are 100 s and 50 s after the start. */
static struct hand *shop(double start, uint32_t marks)
{
    struct hand *hand = hand_new(1);
    uint32_t root = hand_segment(hand, "shop", EC2, start, start + 100, MARK_ROOT);
    uint32_t callee = hand_segment(hand, "stock", EC2, start + 45, start + 49, marks);
    hand_call(hand, root, callee, start + 40, start + 50, marks);
    return hand;
}

/* What came of one trace from 0 to 10000. An expression of NULL selects all edges. */
static cJSON *series_of(struct hand *hand, unsigned period, const char *expression)
{
    struct filter_selector *selector = NULL;
    struct filter_error error;
    struct series *series;
    if (expression)
        cr_assert_eq(filter_selector_parse(&selector, expression, strlen(expression), &error), 0,
                     "%s: %s", expression, error.message);
    const struct series_params params = { 0, 10000, period, selector };
    cr_assert_eq(series_new(&series, &params), 0);
    cr_assert_eq(series_add(series, &hand->facts), 0);
    cJSON *json = series_json(series);
    cr_assert_not_null(json);
    series_free(series);
    filter_selector_free(selector);
    free(hand);
    return json;
}

Test(series, is_empty_where_nothing_ended)
{
    cJSON *json = series_of(hand_new(1), 60, NULL);
    cr_expect(cJSON_IsArray(json));
    cr_expect_eq(cJSON_GetArraySize(json), 0);
    cJSON_Delete(json);
}

Test(series, puts_what_ended_into_the_period_of_its_end)
{
    cJSON *json = series_of(shop(600, 0), 60, "service(\"shop\")");
    cr_assert_eq(cJSON_GetArraySize(json), 1);
    cr_expect_float_eq(number_at(json->child, "Timestamp"), 660, 0);
    cJSON_Delete(json);
}

Test(series, has_periods_of_the_length_asked_for)
{
    cJSON *json = series_of(shop(850, 0), 300, "service(\"shop\")");
    cr_expect_float_eq(number_at(json->child, "Timestamp"), 900, 0);
    cJSON_Delete(json);
}

Test(series, is_in_the_order_of_time)
{
    cJSON *json = series_of(shop(600, 0), 60, NULL);
    cr_assert_eq(cJSON_GetArraySize(json), 2);
    cr_expect_float_eq(number_at(cJSON_GetArrayItem(json, 0), "Timestamp"), 600, 0);
    cr_expect_float_eq(number_at(cJSON_GetArrayItem(json, 1), "Timestamp"), 660, 0);
    cJSON_Delete(json);
}

Test(series, counts_a_service_from_its_own_segments)
{
    cJSON *json = series_of(shop(600, MARK_FAULT), 60,
                            "service(id(name: \"stock\", type: \"" EC2 "\"))");
    cr_assert_eq(cJSON_GetArraySize(json), 1);
    cr_expect_null(cJSON_GetObjectItem(json->child, "EdgeSummaryStatistics"));
    cr_expect_float_eq(
        number_at(json->child, "ServiceSummaryStatistics.FaultStatistics.TotalCount"), 1, 0);
    char *text = histogram_text(json->child, "ResponseTimeHistogram");
    cr_expect_str_eq(text, "4x1");
    free(text);
    cJSON_Delete(json);
}

Test(series, counts_an_edge_from_the_callers_side)
{
    cJSON *json = series_of(shop(600, 0), 60, "edge(\"shop\", \"stock\")");
    cr_assert_eq(cJSON_GetArraySize(json), 1);
    cr_expect_null(cJSON_GetObjectItem(json->child, "ServiceSummaryStatistics"));
    cr_expect_float_eq(number_at(json->child, "EdgeSummaryStatistics.TotalCount"), 1, 0);
    char *text = histogram_text(json->child, "ResponseTimeHistogram");
    cr_expect_str_eq(text, "10x1");
    free(text);
    cJSON_Delete(json);
}

Test(series, leaves_out_what_the_selector_does_not_take)
{
    cJSON *json = series_of(shop(600, 0), 60, "edge(\"stock\", \"shop\")");
    cr_expect_eq(cJSON_GetArraySize(json), 0);
    cJSON_Delete(json);
}

Test(series, counts_the_clients_edge_among_all_edges)
{
    cJSON *json = series_of(shop(600, 0), 300, NULL);
    cr_assert_eq(cJSON_GetArraySize(json), 1);
    cr_expect_float_eq(number_at(json->child, "EdgeSummaryStatistics.TotalCount"), 2, 0);
    cr_expect_float_eq(number_at(json->child, "EdgeSummaryStatistics.TotalResponseTime"), 110, 0);
    cJSON_Delete(json);
}

Test(series, does_not_count_what_is_in_progress)
{
    struct hand *hand = hand_new(1);
    hand_segment(hand, "shop", EC2, 600, 600, MARK_ROOT | MARK_IN_PROGRESS);
    cJSON *json = series_of(hand, 60, NULL);
    cr_expect_eq(cJSON_GetArraySize(json), 0);
    cJSON_Delete(json);
}

Test(series, ends_before_the_end_of_its_range)
{
    cJSON *json = series_of(shop(9900, 0), 60, "service(\"shop\")");
    cr_expect_eq(cJSON_GetArraySize(json), 0);
    cJSON_Delete(json);
}
