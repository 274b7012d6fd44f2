/* SPDX-License-Identifier: Apache-2.0 */
/* Each rule of documents refuses what breaks it alone. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules.h"

/* Each has every member that may stand where it does. */
static const char segment[] =
    "{\"id\":\"000000000000000a\",\"trace_id\":\"1-5759e988-bd862e3fe1be46a994272793\","
    "\"parent_id\":\"000000000000000b\",\"name\":\"a_1 .:/%&#=+-@\xC3\xA9\","
    "\"start_time\":1700000000.25,\"end_time\":1700000000.5,"
    "\"service\":{\"version\":\"1\",\"name\":\"s\",\"runtime\":\"r\",\"runtime_version\":\"2\","
    "\"compiler\":\"gcc\",\"compiler_version\":\"12\"},"
    "\"user\":\"u\",\"origin\":\"AWS::EC2::Instance\",\"resource_arn\":\"arn:aws:x\","
    "\"links\":[{\"trace_id\":\"1-5759e988-bd862e3fe1be46a994272794\","
    "\"id\":\"00000000000000aa\",\"attributes\":{\"k\":null}}],"
    "\"http\":{\"request\":{\"method\":\"GET\",\"url\":\"http://h:1/p@q\",\"user_agent\":\"a\","
    "\"client_ip\":\"::1\",\"x_forwarded_for\":true},"
    "\"response\":{\"status\":500,\"content_length\":7}},"
    "\"aws\":{\"account_id\":\"1\",\"ec2\":{\"instance_id\":\"i-1\"},\"ecs\":{\"container\":\"c\"},"
    "\"eks\":{\"pod\":\"p\"},\"elastic_beanstalk\":{\"deployment_id\":3},"
    "\"cloudwatch_logs\":[{\"log_group\":\"g\",\"arn\":\"arn\"}],"
    "\"xray\":{\"sdk\":\"X-Ray for C\",\"sdk_version\":\"1\",\"sampling_rule_name\":\"rule\","
    "\"auto_instrumentation\":false}},"
    "\"annotations\":{\"Key_1\":\"text\",\"n\":-1.5e+308,\"t\":true,\"f\":false},"
    "\"metadata\":{\"default\":{\"any\":[null,{\"x\":1e5}]},\"n\":{\"\":{}}},"
    "\"error\":true,\"throttle\":true,\"fault\":true,"
    "\"cause\":{\"working_directory\":\"/w\",\"paths\":[\"p\"],\"exceptions\":["
    "{\"id\":\"00000000000000e1\",\"message\":\"m\",\"type\":\"t\",\"remote\":true,"
    "\"truncated\":1,\"skipped\":2,\"cause\":\"00000000000000e2\","
    "\"stack\":[{\"path\":\"p\",\"line\":1,\"label\":\"l\"}]},{\"id\":\"00000000000000e2\"}]},"
    "\"subsegments\":[{\"id\":\"000000000000000c\",\"name\":\"child\",\"start_time\":1,"
    "\"in_progress\":true,\"namespace\":\"remote\",\"cause\":\"00000000000000e2\"}]}";

static const char subsegment[] =
    "{\"id\":\"000000000000000a\",\"trace_id\":\"1-5759e988-bd862e3fe1be46a994272793\","
    "\"parent_id\":\"000000000000000b\",\"type\":\"subsegment\",\"name\":\"a\","
    "\"start_time\":1700000000.250000,\"end_time\":1700000000.250000,\"traced\":false,"
    "\"namespace\":\"aws\",\"precursor_ids\":[\"00000000000000c1\",\"00000000000000c2\"],"
    "\"http\":{\"request\":{\"method\":\"GET\"}},"
    "\"aws\":{\"operation\":\"O\",\"account_id\":\"1\",\"region\":\"r\",\"request_id\":\"q\","
    "\"queue_url\":\"u\",\"table_name\":\"t\",\"id_2\":\"i\",\"table_names\":[\"t\"],"
    "\"resource_names\":[\"n\"],\"retries\":0,\"bucket_name\":\"b\",\"any\":{\"list\":[1,true]}},"
    "\"sql\":{\"url\":\"pg://h/d\",\"connection_string\":\"c\",\"sanitized_query\":\"SELECT ?\","
    "\"database_type\":\"d\",\"database_version\":\"v\",\"driver_version\":\"w\",\"user\":\"u\","
    "\"preparation\":\"call\"},"
    "\"subsegments\":[{\"id\":\"000000000000000d\",\"name\":\"child\",\"start_time\":1,"
    "\"end_time\":2,\"subsegments\":[{\"id\":\"000000000000000e\",\"name\":\"deeper\","
    "\"start_time\":1,\"end_time\":2}]}]}";

static struct violation violation;

static bool check(const char *text)
{
    return document_check(text, strlen(text), 0, NULL, &violation);
}

/* The document with one part replaced. To be freed. */
static char *replaced(const char *document, const char *from, const char *to)
{
    const char *found = strstr(document, from);
    char *text;

    cr_assert(found, "%s is not in the document", from);
    cr_assert_null(strstr(found + 1, from), "%s is in the document twice", from);
    text = malloc(strlen(document) + strlen(to) + 1);
    sprintf(text, "%.*s%s%s", (int)(found - document), document, to, found + strlen(from));
    return text;
}

/* A text of some characters, each of two bytes. */
static const char *characters(int count)
{
    static char text[4][2 * 1001 + 1];
    static int next;
    char *p = text[next++ % 4];

    for (int i = 0; i < count; i++)
        memcpy(p + 2 * (size_t)i, "\xC3\xA9", 2);
    p[2 * (size_t)count] = '\0';
    return p;
}

static const char *letters(int count)
{
    static char text[DOCUMENT_MAX];

    memset(text, 'x', (size_t)count);
    text[count] = '\0';
    return text;
}

Test(rules, accept_a_segment_with_all_that_it_may_have)
{
    cr_expect(check(segment), "%s", violation.text);
    cr_expect_eq(violation.rule, RULE_NONE);
}

Test(rules, accept_a_subsegment_with_all_that_it_may_have)
{
    cr_expect(check(subsegment), "%s", violation.text);
}

/* ---- One break each ------------------------------------------------------------------- */

struct breach {
    enum rule rule;
    const char *document, *from, *to;
    const char *where; /* what the message begins with */
};

static const struct breach breaches[] = {
    { RULE_JSON, segment, "\"user\":\"u\"", "\"user\":\"\xFF\"", "it" },
    { RULE_JSON, segment, "\"user\":\"u\"", "\"user\":\"\xC0\x80\"", "it" },
    { RULE_JSON, segment, "\"user\":\"u\"", "\"user\":\"\xED\xA0\x80\"", "it" },
    { RULE_JSON, segment, "\"user\":\"u\"", "\"user\":\"\xF4\x90\x80\x80\"", "it" },
    { RULE_JSON, segment, "\"user\":\"u\"", "\"user\":\"\xC3\"", "it" },
    { RULE_JSON, segment, "\"user\":\"u\"", "\"user\":\"\\ud800\"", "it" },
    { RULE_JSON, segment, "\"user\":\"u\"", "\"user\":\"\\udc00\"", "it" },
    { RULE_JSON, segment, "\"user\":\"u\"", "\"user\":\"\\x41\"", "it" },
    { RULE_JSON, segment, "\"user\":\"u\"", "\"user\":\"\\u12g4\"", "it" },
    { RULE_JSON, segment, "\"user\":\"u\"", "\"user\":\"a\nb\"", "it" },
    { RULE_JSON, segment, "\"user\":\"u\"", "\"user\": \"u\"", "it" },
    { RULE_JSON, segment, "\"user\":\"u\"", "\"user\" :\"u\"", "it" },
    { RULE_JSON, segment, ",\"user\":\"u\"", ", \"user\":\"u\"", "it" },
    { RULE_JSON, segment, ",\"user\":\"u\"", "\n,\"user\":\"u\"", "it" },
    { RULE_JSON, segment, "\"user\":\"u\"", "\"user\":\"u\",", "it" },
    { RULE_JSON, segment, "\"user\":\"u\"", "\"user\":u", "it" },
    { RULE_JSON, segment, "\"n\":-1.5e+308", "\"n\":NaN", "it" },
    { RULE_JSON, segment, "\"n\":-1.5e+308", "\"n\":-inf", "it" },
    { RULE_JSON, segment, "\"n\":-1.5e+308", "\"n\":1,5", "it" },
    { RULE_JSON, segment, "\"n\":-1.5e+308", "\"n\":01", "it" },
    { RULE_JSON, segment, "\"n\":-1.5e+308", "\"n\":1.", "it" },
    { RULE_JSON, segment, "\"n\":-1.5e+308", "\"n\":+1", "it" },
    { RULE_JSON, subsegment, "\"end_time\":2}]}]}", "\"end_time\":2}]}]}x", "it" },
    { RULE_JSON, subsegment, "\"end_time\":2}]}]}", "\"end_time\":2}]}] }", "it" },
    { RULE_JSON, subsegment, "\"end_time\":2}]}]}", "\"end_time\":2}]}]", "it" },
    { RULE_ID_FIRST, segment, "{\"id\":\"000000000000000a\",", "{", "it" },
    { RULE_ID_FIRST, segment, "{\"id\":\"000000000000000c\",\"name\":\"child\"",
      "{\"name\":\"child\",\"id\":\"000000000000000c\"", "subsegments[0]" },
    { RULE_TYPE_OF_VALUE, segment, "\"user\":\"u\"", "\"user\":7", "user" },
    { RULE_TYPE_OF_VALUE, segment, "\"name\":\"child\"", "\"name\":1", "subsegments[0].name" },
    { RULE_TYPE_OF_VALUE, segment, "\"start_time\":1700000000.25", "\"start_time\":\"1\"",
      "start_time" },
    { RULE_TYPE_OF_VALUE, segment, "\"paths\":[\"p\"]", "\"paths\":{\"p\":1}", "cause.paths" },
    { RULE_TYPE_OF_VALUE, segment, "\"status\":500", "\"status\":\"500\"", "http.response.status" },
    { RULE_TYPE_OF_VALUE, segment, "\"eks\":{\"pod\":\"p\"}", "\"eks\":[\"p\"]", "aws.eks" },
    { RULE_TYPE_OF_VALUE, segment, "\"n\":{\"\":{}}", "\"n\":[1]", "metadata.n" },
    { RULE_TYPE_OF_VALUE, segment, "{\"k\":null}", "[1]", "links[0].attributes" },
    { RULE_TYPE_OF_VALUE, segment, "\"auto_instrumentation\":false", "\"auto_instrumentation\":0",
      "aws.xray.auto_instrumentation" },
    { RULE_UNKNOWN_MEMBER, segment, "\"user\":\"u\"", "\"user\":\"u\",\"Dummy\":false", "Dummy" },
    { RULE_UNKNOWN_MEMBER, segment, "\"line\":1", "\"line\":1,\"column\":2",
      "cause.exceptions[0].stack[0].column" },
    { RULE_UNKNOWN_MEMBER, segment, "\"sampling_rule_name\"", "\"rule_name\"",
      "aws.xray.rule_name" },
    { RULE_UNKNOWN_MEMBER, segment, "\"user_agent\"", "\"traced\"", "http.request.traced" },
    { RULE_UNKNOWN_MEMBER, segment, "\"content_length\"", "\"length\"", "http.response.length" },
    { RULE_UNKNOWN_MEMBER, segment, "\"runtime\":\"r\"", "\"os\":\"r\"", "service.os" },
    { RULE_UNKNOWN_MEMBER, segment, "\"log_group\":\"g\"", "\"group\":\"g\"",
      "aws.cloudwatch_logs[0].group" },
    { RULE_UNKNOWN_MEMBER, subsegment, "\"driver_version\"", "\"driver\"", "sql.driver" },
    { RULE_MEMBER_TWICE, segment, "\"user\":\"u\"", "\"user\":\"u\",\"user\":\"u\"", "user" },
    { RULE_MEMBER_TWICE, segment, "\"t\":true,\"f\":false", "\"t\":true,\"t\":false",
      "annotations.t" },
    { RULE_MEMBER_TWICE, segment, "\"default\":{\"any\"", "\"default\":{\"any\":1,\"any\"",
      "metadata.default.any" },
    { RULE_MISSING_MEMBER, segment, "\"trace_id\":\"1-5759e988-bd862e3fe1be46a994272793\",", "",
      "it lacks a member that it has to have: trace_id" },
    { RULE_MISSING_MEMBER, segment, "\"name\":\"child\",", "", "subsegments[0] lacks" },
    { RULE_MISSING_MEMBER, segment, ",\"start_time\":1,\"in_progress\":true", "",
      "subsegments[0] lacks" },
    { RULE_MISSING_MEMBER, subsegment, "\"parent_id\":\"000000000000000b\",", "", "it lacks" },
    { RULE_MISSING_MEMBER, segment, ",{\"id\":\"00000000000000e2\"}",
      ",{\"id\":\"00000000000000e2\"},{\"type\":\"t\"}", "cause.exceptions[2] lacks" },
    { RULE_MISSING_MEMBER, segment, "\"id\":\"00000000000000aa\",", "", "links[0] lacks" },
    { RULE_MISSING_MEMBER, segment, "\"trace_id\":\"1-5759e988-bd862e3fe1be46a994272794\",", "",
      "links[0] lacks" },
    { RULE_NULL_VALUE, segment, "\"user\":\"u\"", "\"user\":null", "user" },
    { RULE_NULL_VALUE, segment, "\"pod\":\"p\"", "\"pod\":null", "aws.eks.pod" },
    { RULE_NULL_VALUE, segment, "\"n\":{\"\":{}}", "\"n\":null", "metadata.n" },
    { RULE_EMPTY, subsegment, "{\"method\":\"GET\"}", "{}", "http.request" },
    { RULE_EMPTY, subsegment, "\"traced\":false", "\"annotations\":{}", "annotations" },
    { RULE_EMPTY, subsegment, "\"traced\":false", "\"metadata\":{}", "metadata" },
    { RULE_EMPTY, subsegment, "\"traced\":false", "\"cause\":{}", "cause" },
    { RULE_EMPTY, subsegment, "\"name\":\"deeper\"", "\"name\":\"deeper\",\"aws\":{}",
      "subsegments[0].subsegments[0].aws" },
    { RULE_EMPTY, subsegment, "\"name\":\"deeper\"", "\"name\":\"deeper\",\"subsegments\":[]",
      "subsegments[0].subsegments[0].subsegments" },
    { RULE_TRACE_ID_FIRST, subsegment, "\"000000000000000a\",",
      "\"000000000000000a\",\"metadata\":{\"n\":{\"trace_id\":\"x\"}},", "it" },
    { RULE_EMPTY, segment, "\"paths\":[\"p\"]", "\"paths\":[]", "cause.paths" },
    { RULE_EMPTY, segment, "{\"any\":[null,{\"x\":1e5}]}", "{}", "metadata.default" },
    { RULE_EMPTY, segment,
      "{\"method\":\"GET\",\"url\":\"http://h:1/p@q\",\"user_agent\":\"a\","
      "\"client_ip\":\"::1\",\"x_forwarded_for\":true}",
      "{}", "http.request" },
    { RULE_NOT_IN_A_SEGMENT, segment, "\"user\":\"u\"", "\"traced\":true", "traced" },
    { RULE_NOT_IN_A_SEGMENT, segment, "\"user\":\"u\"", "\"namespace\":\"aws\"", "namespace" },
    { RULE_NOT_IN_A_SEGMENT, segment, "\"user\":\"u\"", "\"sql\":{\"user\":\"u\"}", "sql" },
    { RULE_NOT_IN_A_SEGMENT, segment, "\"user\":\"u\"", "\"precursor_ids\":[\"00000000000000c1\"]",
      "precursor_ids" },
    { RULE_NOT_IN_A_SUBSEGMENT, subsegment, "\"traced\":false", "\"user\":\"u\"", "user" },
    { RULE_NOT_IN_A_SUBSEGMENT, subsegment, "\"traced\":false", "\"origin\":\"o\"", "origin" },
    { RULE_NOT_IN_A_SUBSEGMENT, subsegment, "\"traced\":false", "\"service\":{\"version\":\"1\"}",
      "service" },
    { RULE_NOT_IN_A_SUBSEGMENT, subsegment, "\"traced\":false", "\"resource_arn\":\"a\"",
      "resource_arn" },
    { RULE_NOT_IN_A_SUBSEGMENT, subsegment, "\"traced\":false",
      "\"links\":[{\"trace_id\":\"1-5759e988-bd862e3fe1be46a994272794\","
      "\"id\":\"00000000000000aa\"}]",
      "links" },
    { RULE_NOT_IN_A_SUBSEGMENT, subsegment, "\"method\":\"GET\"", "\"x_forwarded_for\":true",
      "http.request.x_forwarded_for" },
    { RULE_NOT_IN_A_SUBSEGMENT, subsegment, "\"operation\":\"O\"", "\"xray\":{\"sdk\":\"s\"}",
      "aws.xray" },
    { RULE_NOT_IN_A_SUBSEGMENT, subsegment, "\"operation\":\"O\"", "\"ec2\":{\"a\":1}", "aws.ec2" },
    { RULE_NOT_IN_A_SUBSEGMENT, subsegment, "\"name\":\"deeper\"",
      "\"name\":\"deeper\",\"user\":\"u\"", "subsegments[0].subsegments[0].user" },
    { RULE_NOT_EMBEDDED, subsegment, "\"name\":\"child\"",
      "\"name\":\"child\",\"type\":\"subsegment\"", "subsegments[0].type" },
    { RULE_NOT_EMBEDDED, subsegment, "\"name\":\"child\"",
      "\"name\":\"child\",\"parent_id\":\"000000000000000a\"", "subsegments[0].parent_id" },
    { RULE_NOT_EMBEDDED, subsegment, "\"name\":\"deeper\"",
      "\"name\":\"deeper\",\"trace_id\":\"1-5759e988-bd862e3fe1be46a994272793\"",
      "subsegments[0].subsegments[0].trace_id" },
    { RULE_ID, segment, "\"id\":\"000000000000000a\"", "\"id\":\"00000000000000a\"", "id" },
    { RULE_ID, segment, "\"id\":\"000000000000000a\"", "\"id\":\"000000000000000A\"", "id" },
    { RULE_ID, segment, "\"id\":\"000000000000000a\"", "\"id\":\"00000000000000000a\"", "id" },
    { RULE_ID, segment, "\"id\":\"000000000000000a\"", "\"id\":\"0000000000000000\"", "id" },
    { RULE_ID, segment, "\"000000000000000b\"", "\"0000000000000000\"", "parent_id" },
    { RULE_ID, segment, "\"000000000000000b\"", "\"-00000000000000b\"", "parent_id" },
    { RULE_ID, segment, "\"cause\":\"00000000000000e2\"}]", "\"cause\":\"e2\"}]",
      "subsegments[0].cause" },
    { RULE_ID, segment, "\"00000000000000e1\"", "\"e1\"", "cause.exceptions[0].id" },
    { RULE_ID, segment, "\"00000000000000aa\"", "\"aa\"", "links[0].id" },
    { RULE_ID, subsegment, "\"00000000000000c1\"", "\"c1\"", "precursor_ids[0]" },
    { RULE_TRACE_ID, segment, "-bd862e3fe1be46a994272793", "-bd862e3fe1be46a99427279", "trace_id" },
    { RULE_TRACE_ID, segment, "-bd862e3fe1be46a994272793", "-BD862e3fe1be46a994272793",
      "trace_id" },
    { RULE_TRACE_ID, segment, "\"1-5759e988-bd862e3fe1be46a994272793\"",
      "\"5759e988bd862e3fe1be46a994272793\"", "trace_id" },
    { RULE_TRACE_ID, segment, "\"1-5759e988-bd862e3fe1be46a994272793\"",
      "\"2-5759e988-bd862e3fe1be46a994272793\"", "trace_id" },
    { RULE_TRACE_ID, segment, "\"1-5759e988-bd862e3fe1be46a994272793\"",
      "\"1-5759e98-8bd862e3fe1be46a994272793\"", "trace_id" },
    { RULE_TRACE_ID, segment, "\"1-5759e988-bd862e3fe1be46a994272793\"",
      "\"1-00000000-000000000000000000000000\"", "trace_id" },
    { RULE_TRACE_ID, segment, "bd862e3fe1be46a994272794", "x", "links[0].trace_id" },
    { RULE_OWN_PARENT, segment, "\"000000000000000b\"", "\"000000000000000a\"", "parent_id" },
    { RULE_ID_TWICE, segment, "\"000000000000000c\"", "\"000000000000000a\"", "subsegments[0].id" },
    { RULE_ID_TWICE, subsegment, "\"000000000000000e\"", "\"000000000000000d\"",
      "subsegments[0].subsegments[0].id" },
    { RULE_SUBSEGMENT_TYPE, subsegment, "\"subsegment\"", "\"segment\"", "type" },
    { RULE_NAME_EMPTY, segment, "\"name\":\"child\"", "\"name\":\"\"", "subsegments[0].name" },
    { RULE_NAME_CHARACTER, segment, "\"name\":\"child\"", "\"name\":\"a!\"",
      "subsegments[0].name" },
    { RULE_NAME_CHARACTER, segment, "\"name\":\"child\"", "\"name\":\"a\\\\b\"",
      "subsegments[0].name" },
    { RULE_NAME_CHARACTER, segment, "\"name\":\"child\"", "\"name\":\"a\\tb\"",
      "subsegments[0].name" },
    { RULE_NAME_CHARACTER, segment, "\"name\":\"child\"", "\"name\":\"\xE2\x82\xAC\"",
      "subsegments[0].name" },
    { RULE_NAME_CHARACTER, segment, "\"name\":\"child\"", "\"name\":\"\\u0000\"",
      "subsegments[0].name" },
    { RULE_TIME, segment, "\"start_time\":1700000000.25", "\"start_time\":1.70000000025e+9",
      "start_time" },
    { RULE_TIME, segment, "\"end_time\":1700000000.5", "\"end_time\":17E8", "end_time" },
    { RULE_TIME, segment, "\"start_time\":1700000000.25", "\"start_time\":-1", "start_time" },
    { RULE_END_BEFORE_START, segment, "\"end_time\":1700000000.5", "\"end_time\":1700000000.249999",
      "end_time" },
    { RULE_END_OR_PROGRESS, segment, ",\"in_progress\":true", "", "subsegments[0]" },
    { RULE_END_OR_PROGRESS, segment, "\"in_progress\":true", "\"in_progress\":true,\"end_time\":2",
      "subsegments[0]" },
    { RULE_MARK, segment, "\"fault\":true", "\"fault\":false", "fault" },
    { RULE_MARK, segment, "\"fault\":true", "\"fault\":1", "fault" },
    { RULE_MARK, segment, "\"error\":true", "\"error\":null", "error" },
    { RULE_MARK, segment, "\"throttle\":true", "\"throttle\":false", "throttle" },
    { RULE_MARK, segment, "\"in_progress\":true", "\"in_progress\":false",
      "subsegments[0].in_progress" },
    { RULE_MARK, segment, "\"x_forwarded_for\":true", "\"x_forwarded_for\":false",
      "http.request.x_forwarded_for" },
    { RULE_MARK, segment, "\"remote\":true", "\"remote\":false", "cause.exceptions[0].remote" },
    { RULE_THROTTLE_ALONE, segment, "\"error\":true,", "", "throttle" },
    { RULE_WHOLE_NUMBER, segment, "\"status\":500", "\"status\":500.0", "http.response.status" },
    { RULE_WHOLE_NUMBER, segment, "\"truncated\":1", "\"truncated\":1e1",
      "cause.exceptions[0].truncated" },
    { RULE_NEGATIVE, segment, "\"content_length\":7", "\"content_length\":-1",
      "http.response.content_length" },
    { RULE_NEGATIVE, subsegment, "\"retries\":0", "\"retries\":-1", "aws.retries" },
    { RULE_INFINITE, segment, "\"n\":-1.5e+308", "\"n\":-1.5e+309", "annotations.n" },
    { RULE_INFINITE, subsegment, "[1,true]", "[1e999,true]", "aws.any.list[0]" },
    { RULE_NAMESPACE, subsegment, "\"namespace\":\"aws\"", "\"namespace\":\"local\"", "namespace" },
    { RULE_PREPARATION, subsegment, "\"preparation\":\"call\"", "\"preparation\":\"x\"",
      "sql.preparation" },
    { RULE_URL_SECRETS, segment, "http://h:1/p@q", "http://u:p@h:1/", "http.request.url" },
    { RULE_URL_SECRETS, segment, "http://h:1/p@q", "http://h:1/?q=1", "http.request.url" },
    { RULE_URL_SECRETS, subsegment, "pg://h/d", "pg://h/d#f", "sql.url" },
    { RULE_ANNOTATION_KEY, segment, "\"Key_1\"", "\"Key-1\"", "annotations.Key-1" },
    { RULE_ANNOTATION_KEY, segment, "\"Key_1\"", "\"\"", "annotations." },
    { RULE_ANNOTATION_KEY, segment, "\"Key_1\"", "\"K\xC3\xA9\"", "annotations.K" },
    { RULE_ANNOTATION_VALUE, segment, "\"f\":false", "\"f\":null", "annotations.f" },
    { RULE_ANNOTATION_VALUE, segment, "\"f\":false", "\"f\":[1]", "annotations.f" },
    { RULE_ANNOTATION_VALUE, segment, "\"f\":false", "\"f\":{\"a\":1}", "annotations.f" },
    { RULE_RESERVED_NAMESPACE, segment, "\"n\":{\"\":{}}", "\"AWS.n\":{\"\":{}}",
      "metadata.AWS.n" },
    { RULE_AWS_KEY, subsegment, "\"bucket_name\"", "\"bucket name\"", "aws.bucket name" },
    { RULE_AWS_KEY, subsegment, "\"bucket_name\"", "\"\"", "aws." },
    { RULE_PRECURSOR_TWICE, subsegment, "\"00000000000000c2\"", "\"00000000000000c1\"",
      "precursor_ids[1]" },
    { RULE_EXCEPTION_TWICE, segment, ",{\"id\":\"00000000000000e2\"}",
      ",{\"id\":\"00000000000000e2\"},{\"id\":\"00000000000000e1\"}", "cause.exceptions[2].id" },
    { RULE_CAUSE_UNRESOLVED, segment, "\"cause\":\"00000000000000e2\"}]",
      "\"cause\":\"00000000000000e3\"}]", "cause 00000000000000e3" },
    { RULE_CAUSE_UNRESOLVED, segment, "\"cause\":\"00000000000000e2\",",
      "\"cause\":\"00000000000000e3\",", "cause 00000000000000e3" },
};

Test(rules, refuse_what_breaks_just_one_of_them)
{
    for (size_t i = 0; i < sizeof(breaches) / sizeof(*breaches); i++) {
        const struct breach *one = &breaches[i];
        char *text = replaced(one->document, one->from, one->to);

        cr_expect_not(check(text), "%s is accepted", one->to);
        cr_expect_eq(violation.rule, one->rule, "%s: %s", one->to, violation.text);
        cr_expect_eq(strncmp(violation.text, one->where, strlen(one->where)), 0, "%s: %s",
                     one->where, violation.text);
        free(text);
    }
}

/* ---- Lengths ---------------------------------------------------------------------------- */

/* The place of a text that may have some characters, and not one more. */
struct limit {
    enum rule rule;
    const char *document, *from, *before, *after;
    int characters;
};

static const struct limit limits[] = {
    { RULE_NAME_LENGTH, segment, "\"name\":\"child\"", "\"name\":\"", "\"", 200 },
    { RULE_TEXT_LENGTH, segment, "\"user\":\"u\"", "\"user\":\"", "\"", 250 },
    { RULE_TEXT_LENGTH, segment, "\"origin\":\"AWS::EC2::Instance\"", "\"origin\":\"", "\"", 250 },
    { RULE_TEXT_LENGTH, segment, "arn:aws:x", "", "", 250 },
    { RULE_TEXT_LENGTH, segment, "\"version\":\"1\"", "\"version\":\"", "\"", 250 },
    { RULE_TEXT_LENGTH, segment, "\"method\":\"GET\"", "\"method\":\"", "\"", 250 },
    { RULE_TEXT_LENGTH, segment, "http://h:1/p@q", "", "", 250 },
    { RULE_TEXT_LENGTH, segment, "\"instance_id\":\"i-1\"", "\"instance_id\":\"", "\"", 250 },
    { RULE_TEXT_LENGTH, segment, "\"sdk_version\":\"1\"", "\"sdk_version\":\"", "\"", 250 },
    { RULE_TEXT_LENGTH, segment, "\"Key_1\":\"text\"", "\"Key_1\":\"", "\"", 1000 },
    { RULE_TEXT_LENGTH, segment, "\"message\":\"m\"", "\"message\":\"", "\"", 1000 },
    { RULE_TEXT_LENGTH, segment, "\"type\":\"t\"", "\"type\":\"", "\"", 250 },
    { RULE_TEXT_LENGTH, segment, "\"path\":\"p\"", "\"path\":\"", "\"", 500 },
    { RULE_TEXT_LENGTH, segment, "\"label\":\"l\"", "\"label\":\"", "\"", 250 },
    { RULE_TEXT_LENGTH, subsegment, "\"bucket_name\":\"b\"", "\"bucket_name\":\"", "\"", 250 },
    { RULE_TEXT_LENGTH, subsegment, "\"connection_string\":\"c\"", "\"connection_string\":\"", "\"",
      250 },
    { RULE_TEXT_LENGTH, subsegment, "\"table_names\":[\"t\"]", "\"table_names\":[\"", "\"]", 250 },
};

static bool check_characters(const struct limit *limit, int count)
{
    char to[2200];
    char *text;
    bool valid;

    snprintf(to, sizeof(to), "%s%s%s", limit->before, characters(count), limit->after);
    text = replaced(limit->document, limit->from, to);
    valid = check(text);
    free(text);
    return valid;
}

Test(rules, count_characters_and_not_bytes)
{
    for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
        cr_expect(check_characters(&limits[i], limits[i].characters), "%s", violation.text);
        cr_expect_not(check_characters(&limits[i], limits[i].characters + 1), "%s", limits[i].from);
        cr_expect_eq(violation.rule, limits[i].rule, "%s", violation.text);
    }
}

Test(rules, take_annotation_keys_of_500_letters_and_no_more)
{
    char key[504];

    for (int length = 500; length <= 501; length++) {
        char *text;

        snprintf(key, sizeof(key), "\"%.*s\"", length, letters(length));
        text = replaced(segment, "\"Key_1\"", key);
        cr_expect_eq(check(text), length == 500, "%d", length);
        free(text);
    }
    cr_expect_eq(violation.rule, RULE_ANNOTATION_KEY);
}

Test(rules, take_20_links_and_no_more)
{
    static const char link[] = ",{\"trace_id\":\"1-5759e988-bd862e3fe1be46a994272795\","
                               "\"id\":\"00000000000000ab\"}";
    char more[20 * sizeof(link) + 64] = ",\"attributes\":{\"k\":null}}";
    char *text;

    for (int i = 1; i < 20; i++)
        strcat(more, link);
    text = replaced(segment, ",\"attributes\":{\"k\":null}}", more);
    cr_expect(check(text), "%s", violation.text);
    free(text);
    strcat(more, link);
    text = replaced(segment, ",\"attributes\":{\"k\":null}}", more);
    cr_expect_not(check(text));
    cr_expect_eq(violation.rule, RULE_LINKS);
    free(text);
}

static char *document_of(size_t length)
{
    return replaced(subsegment, "SELECT ?",
                    letters((int)(length - strlen(subsegment) + strlen("SELECT ?"))));
}

Test(rules, take_63_kib_with_the_header_line_and_no_more)
{
    char *text = document_of(63 * 1024 - 30);

    cr_assert_eq(strlen(text), 63 * 1024 - 30);
    cr_expect(check(text), "%s", violation.text);
    free(text);
    text = document_of(63 * 1024 - 29);
    cr_expect_not(check(text));
    cr_expect_eq(violation.rule, RULE_SIZE);
    free(text);
}

/* ---- Over several documents ----------------------------------------------------------------- */

#define DOCUMENT(id, more)                                                     \
    "{\"id\":\"" id "\",\"trace_id\":\"1-5759e988-bd862e3fe1be46a994272793\"," \
    "\"name\":\"a\",\"start_time\":1" more "}"

static bool add(struct documents *documents, const char *text)
{
    return document_check(text, strlen(text), 0, documents, &violation);
}

Test(rules, take_an_id_once_and_once_more_in_progress)
{
    struct documents documents = { 0 };

    cr_expect(add(&documents, DOCUMENT("000000000000000a", ",\"in_progress\":true")));
    cr_expect(add(&documents, DOCUMENT("000000000000000a", ",\"end_time\":2")));
    cr_expect(add(&documents, DOCUMENT("000000000000000b", ",\"end_time\":2")));
    cr_expect_not(add(&documents, DOCUMENT("000000000000000a", ",\"end_time\":2")));
    cr_expect_eq(violation.rule, RULE_ID_TWICE);
    cr_expect_not(add(&documents, DOCUMENT("000000000000000a", ",\"in_progress\":true")));
    cr_expect_eq(violation.rule, RULE_ID_TWICE);
    documents_end(&documents, &violation);
}

Test(rules, find_an_embedded_one_that_is_a_document_too)
{
    struct documents documents = { 0 };

    cr_expect(add(&documents, subsegment));
    cr_expect_not(add(&documents, DOCUMENT("000000000000000e", ",\"end_time\":2")));
    cr_expect_eq(violation.rule, RULE_ID_TWICE);
    documents_end(&documents, &violation);
}

Test(rules, take_a_cause_that_another_document_has)
{
    struct documents documents = { 0 };

    cr_expect(add(&documents, DOCUMENT("000000000000000a", ",\"end_time\":2,\"cause\":"
                                                           "\"00000000000000e1\"")));
    cr_expect(add(&documents, DOCUMENT("000000000000000b", ",\"end_time\":2,\"cause\":{\"exceptions"
                                                           "\":[{\"id\":\"00000000000000e1\"}]}")));
    cr_expect(documents_end(&documents, &violation), "%s", violation.text);
}

Test(rules, take_a_cause_that_was_declared_and_no_other)
{
    struct documents documents = { 0 };
    static const char text[] = DOCUMENT("000000000000000a", ",\"end_time\":2,\"cause\":"
                                                            "\"00000000000000e1\"");

    documents_declare(&documents, 0xe1);
    cr_expect(add(&documents, text));
    cr_expect(documents_end(&documents, &violation), "%s", violation.text);
    cr_expect(add(&documents, text));
    cr_expect_not(documents_end(&documents, &violation));
    cr_expect_eq(violation.rule, RULE_CAUSE_UNRESOLVED);
}

Test(rules, take_blanks_before_the_last_brace_where_they_may_be)
{
    char *text = replaced(subsegment, "\"end_time\":2}]}]}", "\"end_time\":2}]}]    }");

    cr_expect(document_check(text, strlen(text), DOCUMENT_PADDED, NULL, &violation), "%s",
              violation.text);
    cr_expect_not(document_check(text, strlen(text), 0, NULL, &violation));
    free(text);
    text = replaced(subsegment, "\"end_time\":2}]}]}", "\"end_time\":2}]} ]}");
    cr_expect_not(document_check(text, strlen(text), DOCUMENT_PADDED, NULL, &violation));
    free(text);
}

Test(rules, are_each_broken_by_one_of_these_tests)
{
    /* The others have tests of their own above. */
    bool broken[RULE_COUNT] = { [RULE_NONE] = true, [RULE_SIZE] = true, [RULE_LINKS] = true };

    for (size_t i = 0; i < sizeof(breaches) / sizeof(*breaches); i++)
        broken[breaches[i].rule] = true;
    for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++)
        broken[limits[i].rule] = true;
    for (int i = 0; i < RULE_COUNT; i++)
        cr_expect(broken[i], "rule %d", i);
}
