/* SPDX-License-Identifier: Apache-2.0 */
/* What segments run on, and the resources that calls touch. */
#include "support.h"

#include <stdlib.h>

Test(resource_arn, is_in_every_segment_and_in_no_subsegment)
{
    record_with((xray_recorder_params){ .resource_arn = "arn:aws:ecs:eu-west-1:123:task/\"x\"" });
    xray_begin_segment("a");
    xray_end(xray_begin_subsegment("b"));
    xray_end(xray_current());
    settle();
    cr_expect_str_eq(text_at(own_document("a"), "resource_arn"),
                     "arn:aws:ecs:eu-west-1:123:task/\"x\"");
    cr_expect_null(member(embedded("b"), "resource_arn"));
}

Test(resource_arn, that_is_empty_is_none)
{
    record_with((xray_recorder_params){ .resource_arn = "" });
    xray_end(xray_begin_segment("a"));
    settle();
    cr_expect_null(member(document(0), "resource_arn"));
}

/* ---- Log groups ------------------------------------------------------------------------- */

static void record_with_log_group(const char *value)
{
    setenv("AWS_XRAY_LOG_GROUP", value, 1);
    record_from_environment((xray_recorder_params){ .sampler = &sampler_yes });
}

static const char *log_group(const cJSON *one, int i)
{
    return text_at(cJSON_GetArrayItem(member(one, "aws.cloudwatch_logs"), i), "log_group");
}

Test(log_group, is_in_every_segment_and_in_no_subsegment)
{
    record_with_log_group("/aws/ecs/orders");
    xray_begin_segment("a");
    xray_set_aws(xray_begin_subsegment("b"), xray_aws(.operation = "GetItem"));
    xray_end(xray_current());
    xray_end(xray_current());
    settle();
    cr_expect_str_eq(log_group(own_document("a"), 0), "/aws/ecs/orders");
    cr_expect_eq(cJSON_GetArraySize(member(own_document("a"), "aws.cloudwatch_logs")), 1);
    cr_expect_null(member(embedded("b"), "aws.cloudwatch_logs"));
    cr_expect_str_eq(text_at(own_document("a"), "aws.xray.sdk"), "X-Ray for C");
}

Test(log_group, may_be_several)
{
    record_with_log_group("one, two.#/-_ ,,three");
    xray_end(xray_begin_segment("a"));
    settle();
    cr_expect_str_eq(log_group(document(0), 0), "one");
    cr_expect_str_eq(log_group(document(0), 1), "two.#/-_");
    cr_expect_str_eq(log_group(document(0), 2), "three");
    cr_expect_eq(message_count(), 0);
}

Test(log_group, of_the_segments_own_wins)
{
    record_with_log_group("constant");
    xray_begin_segment("a");
    xray_set_aws(xray_current(), xray_aws(.account_id = "123456789012"));
    xray_set_aws_field(xray_current(), "cloudwatch_logs", xray_json("[{\"log_group\":\"own\"}]"));
    xray_end(xray_current());
    settle();
    cr_expect_str_eq(log_group(document(0), 0), "own");
    cr_expect_not(emitted_text("constant"));
    cr_expect_str_eq(text_at(document(0), "aws.account_id"), "123456789012");
}

Test(log_group, that_is_none_is_ignored_and_told)
{
    static const char *const bad[] = { "a b?", "\"", "a,\xC3\xA9", ", ,", "a;b" };
    char text[1024] = "";

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        forget_documents();
        record_with_log_group(bad[i]);
        xray_end(xray_begin_segment("a"));
        settle();
        cr_expect_null(member(document(0), "aws.cloudwatch_logs"), "%s", bad[i]);
        cr_expect_eq(message_count(), i + 1, "%s", bad[i]);
    }
    cr_expect(logged_text("AWS_XRAY_LOG_GROUP"));
    memset(text, 'a', 251);
    record_with_log_group(text);
    xray_end(xray_begin_segment("a"));
    settle();
    cr_expect_not(emitted_text("log_group"));
}

Test(log_group, of_the_longest_kind_fits)
{
    char text[20 * 251 + 1] = "";

    for (int i = 0; i < 20; i++) {
        memset(text + strlen(text), 'a' + i, 250);
        strcat(text, ",");
    }
    record_with_log_group(text);
    xray_end(xray_begin_segment("a"));
    settle();
    cr_expect_eq(cJSON_GetArraySize(member(document(0), "aws.cloudwatch_logs")), 20);
    cr_expect_eq(strlen(log_group(document(0), 19)), 250);
}

/* ---- Fields of the aws block --------------------------------------------------------------- */

Test(aws_field, of_a_call_is_sent_under_its_name)
{
    static const struct {
        const char *key, *json;
    } fields[] = {
        { "table_names", "[\"a\",\"b\"]" },
        { "resource_names", "[\"arn:aws:s3:::b\"]" },
        { "attributes_to_get", "[\"a\"]" },
        { "projection_expression", "\"a, b\"" },
        { "consistent_read", "true" },
        { "limit", "25" },
        { "provisioned_throughput", "{\"ReadCapacityUnits\":5}" },
        { "consumed_capacity", "[{\"TableName\":\"a\",\"CapacityUnits\":0.5}]" },
        { "table_count", "2" },
        { "scanned_count", "3" },
        { "queue_name_prefix", "\"q\"" },
        { "message_attribute_names", "[\"m\"]" },
        { "message_count", "10" },
        { "message_id", "\"m-1\"" },
        { "failed_count", "0" },
        { "function_name", "\"f\"" },
        { "invocation_type", "\"Event\"" },
        { "status_code", "202" },
        { "bucket_name", "\"b\"" },
        { "key", "\"k\"" },
        { "version_id", "\"v\"" },
        { "copy_source", "\"b/k\"" },
        { "topic_arn", "\"arn:aws:sns:eu-west-1:1:t\"" },
        { "endpoint_name", "\"e\"" },
        { "id_2", "\"x\"" },
    };
    char expected[128];

    record();
    xray_begin_segment("a");
    xray_begin_subsegment("b");
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
        xray_set_aws_field(xray_current(), fields[i].key, xray_json(fields[i].json));
    cr_expect_eq(stats_of(recorder).truncated, 0);
    xray_end(xray_current());
    xray_end(xray_current());
    settle();
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
        snprintf(expected, sizeof(expected), "\"%s\":%s", fields[i].key, fields[i].json);
        cr_expect(emitted_text(expected), "%s", expected);
    }
}

Test(aws_field, of_a_segment_may_be_an_object)
{
    static const char *const keys[] = { "ecs", "ec2", "eks", "elastic_beanstalk" };
    static const char *const objects[] = {
        "{\"container\":\"c\",\"container_id\":\"1\",\"task_arn\":\"t\",\"launch_type\":"
        "\"FARGATE\"}",
        "{\"instance_id\":\"i\",\"availability_zone\":\"z\",\"instance_size\":\"s\",\"ami_id\":"
        "\"a\"}",
        "{\"cluster_name\":\"c\",\"pod\":\"p\",\"container_id\":\"1\"}",
        "{\"environment_name\":\"e\",\"version_label\":\"v\",\"deployment_id\":7}",
    };

    record();
    xray_begin_segment("a");
    for (size_t i = 0; i < 4; i++)
        xray_set_aws_field(xray_current(), keys[i], xray_json(objects[i]));
    xray_end(xray_current());
    settle();
    cr_expect_str_eq(text_at(document(0), "aws.ecs.launch_type"), "FARGATE");
    cr_expect_str_eq(text_at(document(0), "aws.ec2.instance_id"), "i");
    cr_expect_str_eq(text_at(document(0), "aws.eks.pod"), "p");
    cr_expect_eq(number_at(document(0), "aws.elastic_beanstalk.deployment_id"), 7);
}

Test(aws_field, of_s3s_second_id_is_set_by_either_way)
{
    record();
    xray_begin_segment("a");
    xray_begin_subsegment("b");
    xray_set_aws_field(xray_current(), "id_2", xray_string("first"));
    xray_set_aws(xray_current(), xray_aws(.id_2 = "last"));
    xray_end(xray_current());
    xray_end(xray_current());
    settle();
    cr_expect_str_eq(text_at(embedded("b"), "aws.id_2"), "last");
    cr_expect_not(emitted_text("first"));
}

Test(aws_field, of_a_known_type_is_left_out_and_counted_when_it_has_another)
{
    record();
    xray_begin_segment("a");
    xray_begin_subsegment("b");
    xray_set_aws(xray_current(), xray_aws(.request_id = "id", .retries = 2));
    xray_set_aws_field(xray_current(), "request_id", xray_bool(true));
    xray_set_aws_field(xray_current(), "queue_url", xray_json("[\"text\"]"));
    xray_set_aws_field(xray_current(), "retries", xray_string("3"));
    xray_set_aws_field(xray_current(), "retries", xray_int(-3));
    xray_set_aws_field(xray_current(), "retries", xray_double(0.5));
    cr_expect_eq(stats_of(recorder).truncated, 5);
    xray_end(xray_current());
    xray_end(xray_current());
    settle();
    cr_expect_str_eq(text_at(embedded("b"), "aws.request_id"), "id");
    cr_expect_eq(number_at(embedded("b"), "aws.retries"), 2);
    cr_expect_null(member(embedded("b"), "aws.queue_url"));
}

Test(aws_field, of_log_groups_is_a_list_and_stands_in_segments)
{
    static const char groups[] = "[{\"log_group\":\"g\"}]";

    record();
    xray_begin_segment("a");
    xray_set_aws_field(xray_current(), "cloudwatch_logs", xray_string("g"));
    xray_begin_subsegment("b");
    xray_set_aws_field(xray_current(), "cloudwatch_logs", xray_json(groups));
    cr_expect_eq(stats_of(recorder).truncated, 2);
    xray_end(xray_current());
    xray_set_aws_field(xray_current(), "cloudwatch_logs", xray_json(groups));
    xray_end(xray_current());
    settle();
    cr_expect(emitted_text(groups));
    cr_expect_null(member(embedded("b"), "aws"));
}

Test(aws_field, of_the_librarys_own_cannot_be_set)
{
    record();
    xray_begin_segment("a");
    xray_set_aws_field(xray_current(), "xray", xray_json("{}"));
    cr_expect_eq(stats_of(recorder).truncated, 1);
    xray_end(xray_current());
    settle();
    cr_expect_str_eq(text_at(document(0), "aws.xray.sdk"), "X-Ray for C");
}
