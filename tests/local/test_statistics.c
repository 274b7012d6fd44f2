/* SPDX-License-Identifier: Apache-2.0 */
#include "local/graph/statistics.h"

#include "graph_support.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

static struct statistics counted(uint32_t marks)
{
    struct statistics statistics = { 0 };
    struct facts_item item = { .start = 10, .end = 12.5, .marks = marks };
    statistics_add(&statistics, &item);
    return statistics;
}

Test(statistics, count_what_went_well)
{
    struct statistics s = counted(0);
    cr_expect_eq(s.ok, 1);
    cr_expect_eq(statistics_total(&s), 1);
}

Test(statistics, count_a_fault_once_whatever_else_it_is)
{
    struct statistics s = counted(MARK_FAULT | MARK_ERROR | MARK_THROTTLE);
    cr_expect_eq(s.faults, 1);
    cr_expect_eq(statistics_total(&s), 1);
}

Test(statistics, count_a_throttle_not_as_another_error)
{
    struct statistics s = counted(MARK_ERROR | MARK_THROTTLE);
    cr_expect_eq(s.throttles, 1);
    cr_expect_eq(statistics_total(&s), 1);
}

Test(statistics, count_an_error)
{
    struct statistics s = counted(MARK_ERROR);
    cr_expect_eq(s.other_errors, 1);
    cr_expect_eq(statistics_total(&s), 1);
}

Test(statistics, leave_out_what_is_in_progress)
{
    struct statistics s = counted(MARK_IN_PROGRESS | MARK_FAULT);
    cr_expect_eq(statistics_total(&s), 0);
    cr_expect_float_eq(s.total_response_time, 0, 0);
}

Test(statistics, have_the_members_of_the_api)
{
    struct statistics s = {
        .ok = 1, .throttles = 2, .other_errors = 3, .faults = 4, .total_response_time = 0.1 + 0.2
    };
    cJSON *json = statistics_json(&s);
    char *text = cJSON_PrintUnformatted(json);
    cr_expect_str_eq(text, "{\"OkCount\":1,"
                           "\"ErrorStatistics\":{\"ThrottleCount\":2,\"OtherCount\":3,"
                           "\"TotalCount\":5},"
                           "\"FaultStatistics\":{\"OtherCount\":4,\"TotalCount\":4},"
                           "\"TotalCount\":10,\"TotalResponseTime\":0.3}");
    free(text);
    cJSON_Delete(json);
}

/* Adds `count` values, the number i giving first + i * step. */
static struct histogram filled(size_t count, double first, double step)
{
    struct histogram histogram = { 0 };
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(histogram_add(&histogram, first + (double)i * step), 0);
    return histogram;
}

/* The histogram as the API has it, in an object that the support functions read. */
static cJSON *wrapped(struct histogram *histogram)
{
    cJSON *object = cJSON_CreateObject();
    cJSON *json = histogram_json(histogram);
    cr_assert_not_null(json);
    cJSON_AddItemToObject(object, "h", json);
    histogram_free(histogram);
    return object;
}

static void expect_text(struct histogram *histogram, const char *wanted)
{
    cJSON *json = wrapped(histogram);
    char *text = histogram_text(json, "h");
    cr_expect_str_eq(text, wanted);
    free(text);
    cJSON_Delete(json);
}

Test(histogram, adds_up_equal_values_in_ascending_order)
{
    struct histogram histogram = { 0 };
    static const double values[] = { 2, 0.5, 2, 1, 0.5, 2 };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        cr_assert_eq(histogram_add(&histogram, values[i]), 0);
    expect_text(&histogram, "0.5x2 1x1 2x3");
}

Test(histogram, rounds_to_milliseconds)
{
    struct histogram histogram = { 0 };
    cr_assert_eq(histogram_add(&histogram, 0.0014), 0);
    cr_assert_eq(histogram_add(&histogram, 0.00051), 0);
    expect_text(&histogram, "0.001x2");
}

Test(histogram, knows_no_time_below_nothing)
{
    struct histogram histogram = { 0 };
    cr_assert_eq(histogram_add(&histogram, -3), 0);
    cr_assert_eq(histogram_add(&histogram, NAN), 0);
    expect_text(&histogram, "0x2");
}

Test(histogram, is_empty_without_values)
{
    struct histogram histogram = { 0 };
    expect_text(&histogram, "");
}

Test(histogram, keeps_200_values_apart)
{
    struct histogram histogram = filled(HISTOGRAM_VALUES_MAX, 0.001, 0.001);
    cJSON *json = wrapped(&histogram);
    cr_expect_eq(cJSON_GetArraySize(cJSON_GetObjectItem(json, "h")), 200);
    cJSON_Delete(json);
}

static void expect_bounded(struct histogram *histogram, size_t count)
{
    cJSON *json = wrapped(histogram);
    cr_expect_leq(cJSON_GetArraySize(cJSON_GetObjectItem(json, "h")), 200);
    cr_expect_float_eq(histogram_sum(json, "h"), (double)count, 0);
    cJSON_Delete(json);
}

Test(histogram, merges_neighbours_above_200_values)
{
    struct histogram histogram = filled(201, 0.001, 0.001);
    expect_bounded(&histogram, 201);
}

Test(histogram, stays_small_over_all_times_there_are)
{
    struct histogram histogram = { 0 };
    double value = 0.001;
    for (size_t i = 0; i < 3000; i++, value *= 1.012)
        cr_assert_eq(histogram_add(&histogram, value), 0);
    expect_bounded(&histogram, 3000);
}

Test(histogram, merges_few_short_values_for_one_that_is_far_away)
{
    struct histogram histogram = filled(1000, 0.001, 0.001);
    cr_assert_eq(histogram_add(&histogram, 1e9), 0);
    cJSON *json = wrapped(&histogram);
    const cJSON *entry;
    double before = 0;
    cJSON_ArrayForEach(entry, cJSON_GetObjectItem(json, "h"))
    {
        double value = number_at(entry, "Value");
        if (before > 0.1 && value < 1e6)
            cr_expect_lt(value / before, 1.1, "%g and %g", before, value);
        before = value;
    }
    cr_expect_float_eq(before, 1e9, 0);
    cJSON_Delete(json);
}

Test(histogram, puts_a_group_at_its_mean)
{
    struct histogram histogram = filled(200, 1, 1);
    cr_assert_eq(histogram_add(&histogram, 150.001), 0);
    cr_assert_eq(histogram_add(&histogram, 150.001), 0);
    cr_assert_eq(histogram_add(&histogram, 150.003), 0);
    cJSON *json = wrapped(&histogram);
    const cJSON *entry;
    double sum = 0;
    cJSON_ArrayForEach(entry, cJSON_GetObjectItem(json, "h"))
    {
        sum += number_at(entry, "Value") * number_at(entry, "Count");
    }
    cr_expect_float_eq(sum, 200 * 201 / 2 + 450.005, 0.3);
    cr_expect_leq(cJSON_GetArraySize(cJSON_GetObjectItem(json, "h")), 200);
    cJSON_Delete(json);
}

Test(histogram, is_the_same_in_whatever_order_values_come)
{
    struct histogram up = filled(5000, 0, 0.001);
    struct histogram down = filled(5000, 4.999, -0.001);
    cJSON *a = wrapped(&up);
    cJSON *b = wrapped(&down);
    cr_expect(cJSON_Compare(a, b, true));
    cJSON_Delete(a);
    cJSON_Delete(b);
}

Test(histogram, has_the_value_that_a_share_does_not_exceed_as_percentile)
{
    struct histogram histogram = filled(100, 0.100, -0.001);
    cr_expect_float_eq(histogram_percentile(&histogram, 0.5), 0.050, 1e-9);
    cr_expect_float_eq(histogram_percentile(&histogram, 0.99), 0.099, 1e-9);
    cr_expect_float_eq(histogram_percentile(&histogram, 1), 0.100, 1e-9);
    cr_expect_float_eq(histogram_percentile(&histogram, 0), 0.001, 1e-9);
    histogram_free(&histogram);
}

Test(histogram, counts_repeated_values_in_a_percentile)
{
    struct histogram histogram = filled(9, 2, 0);
    cr_assert_eq(histogram_add(&histogram, 7), 0);
    cr_expect_float_eq(histogram_percentile(&histogram, 0.9), 2, 0);
    cr_expect_float_eq(histogram_percentile(&histogram, 0.91), 7, 0);
    histogram_free(&histogram);
}

Test(histogram, has_no_percentile_without_values)
{
    struct histogram histogram = { 0 };
    cr_expect_float_eq(histogram_percentile(&histogram, 0.5), 0, 0);
}
