/* SPDX-License-Identifier: Apache-2.0 */
/* Spans become segment documents. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "support.h"

/* ---- Kinds, names, times ------------------------------------------------------------ */

Test(otlp_read, ids_and_times_are_kept_to_the_nanosecond)
{
    const char *document = document_of(REQUEST("", SPAN(SERVER "," PARENT)));

    HAS(document,
        "{\"id\":\"53995c3f42cd8ad8\",\"trace_id\":\"1-5759e988-bd862e3fe1be46a994272793\","
        "\"parent_id\":\"00000000000000aa\",");
    HAS(document, "\"start_time\":1700000000.123456789,\"end_time\":1700000001.000000001");
}

Test(otlp_read, times_may_be_numbers_and_ids_in_capitals)
{
    const char *document = document_of(
        REQUEST("", "{\"traceId\":\"5759E988BD862E3FE1BE46A994272793\",\"spanId\":"
                    "\"53995C3F42CD8AD8\",\"startTimeUnixNano\":1700000000123456789,"
                    "\"endTimeUnixNano\":1700000000123456790}"));

    HAS(document,
        "\"id\":\"53995c3f42cd8ad8\",\"trace_id\":\"1-5759e988-bd862e3fe1be46a994272793\"");
    HAS(document, "\"start_time\":1700000000.123456789,\"end_time\":1700000000.123456790");
}

Test(otlp_read, a_server_is_a_segment_even_with_a_parent)
{
    const char *document = document_of(
        REQUEST(TEXT("service.name", "orders"), SPAN(SERVER "," PARENT ",\"name\":\"GET /\"")));

    HAS_NOT(document, "\"type\"");
    HAS(document, "\"name\":\"orders\"");
}

Test(otlp_read, what_has_no_parent_is_a_segment)
{
    const char *document = document_of(
        REQUEST(TEXT("service.name", "orders"), SPAN(INTERNAL ",\"name\":\"main\"")));

    HAS_NOT(document, "\"type\"");
    HAS(document, "\"name\":\"main\"");
}

Test(otlp_read, the_rest_are_subsegments)
{
    const char *document = document_of(REQUEST("", SPAN(INTERNAL "," PARENT ",\"name\":\"part\"")));

    HAS(document, "\"type\":\"subsegment\",\"name\":\"part\"");
    HAS_NOT(document, "\"namespace\"");
}

Test(otlp_read, a_client_is_a_remote_call_named_after_its_peer)
{
    const char *document = document_of(
        REQUEST("", SPAN(CLIENT "," PARENT ",\"name\":\"GET\"," ATTRIBUTES(
                        TEXT("peer.service", "stock") "," TEXT("db.name", "x")))));

    HAS(document, "\"name\":\"stock\"");
    HAS(document, "\"namespace\":\"remote\"");
    HAS(document, "\"otel.span.name\":\"GET\"");
}

Test(otlp_read, a_call_of_the_aws_sdk_has_its_namespace_and_service)
{
    const char *document = document_of(
        REQUEST("", SPAN(CLIENT "," PARENT ",\"name\":\"S3.GetObject\"," ATTRIBUTES(
                        TEXT("rpc.system", "aws-api") "," TEXT("rpc.service", "S3") "," TEXT(
                            "rpc.method", "GetObject") "," TEXT("aws.region", "eu-west-1")))));

    HAS(document, "\"name\":\"S3\"");
    HAS(document, "\"namespace\":\"aws\"");
    HAS(document, "\"aws\":{\"operation\":\"GetObject\",\"region\":\"eu-west-1\"}");
}

Test(otlp_read, a_database_is_named_with_its_host)
{
    HAS(document_of(REQUEST("", SPAN(CLIENT "," PARENT ",\"name\":\"SELECT\"," ATTRIBUTES(
                                    TEXT("db.name", "orders") "," TEXT(
                                        "db.connection_string", "postgresql://db.local:5432"))))),
        "\"name\":\"orders@db.local\"");
}

Test(otlp_read, the_prefix_of_a_remote_service_goes_for_the_aws_sdk_only)
{
    HAS(document_of(REQUEST(
            "", SPAN(CLIENT "," PARENT "," ATTRIBUTES(
                    TEXT("rpc.system", "aws-api") "," TEXT("aws.remote.service", "AWS.SDK.S3"))))),
        "\"name\":\"S3\"");
    HAS(document_of(REQUEST(
            "", SPAN(CLIENT "," PARENT "," ATTRIBUTES(TEXT("aws.remote.service", "AWS.SDK.S3"))))),
        "\"name\":\"AWS.SDK.S3\"");
}

Test(otlp_read, names_lose_what_x_ray_refuses_and_are_never_empty)
{
    HAS(document_of(REQUEST("", SPAN(INTERNAL ",\"name\":\"a<b>{c} d\""))), "\"name\":\"abc d\"");
    HAS(document_of(REQUEST("", SPAN(INTERNAL ",\"name\":\"<>\""))), "\"name\":\"span\"");
}

Test(otlp_read, a_name_of_more_than_200_characters_is_cut)
{
    char body[2048], name[301], expected[256];

    memset(name, 'n', 300);
    name[300] = '\0';
    snprintf(body, sizeof(body), REQUEST("", SPAN("\"name\":\"%s\"")), name);
    snprintf(expected, sizeof(expected), "\"name\":\"%.200s\"", name);
    HAS(document_of(body), expected);
}

Test(otlp_read, a_call_at_the_root_of_a_service_becomes_two_documents)
{
    struct documents *found = documents_of(REQUEST(
        TEXT("service.name", "orders"),
        SPAN(CLIENT "," PARENT ",\"name\":\"GET\"," ATTRIBUTES(
            TEXT("aws.span.kind", "LOCAL_ROOT") "," TEXT("aws.local.service", "orders") "," TEXT(
                "aws.remote.service", "stock") "," TEXT("http.request.method", "GET")))));
    char id[32];

    cr_assert_eq(found->count, 2);
    HAS_NOT(found->texts[0], "\"type\"");
    HAS(found->texts[0], "\"parent_id\":\"00000000000000aa\"");
    HAS(found->texts[0], "\"name\":\"orders\"");
    HAS_NOT(found->texts[0], "\"http\"");
    HAS(found->texts[1], "{\"id\":\"53995c3f42cd8ad8\"");
    HAS(found->texts[1], "\"type\":\"subsegment\",\"name\":\"stock\"");
    HAS(found->texts[1], "\"namespace\":\"remote\"");
    HAS(found->texts[1], "\"method\":\"GET\"");
    /* The call is in the segment that was made for it. */
    snprintf(id, sizeof(id), "\"parent_id\":%.18s", found->texts[0] + 6);
    HAS(found->texts[1], id);
}

Test(otlp_read, a_span_without_an_end_is_in_progress)
{
    const char *document = document_of(REQUEST("",
                                               "{\"traceId\":\"" TRACE_ID "\",\"spanId\":\"" SPAN_ID
                                               "\",\"startTimeUnixNano\":\"1\",\"name\":\"n\"}"));

    HAS(document, "\"in_progress\":true");
    HAS_NOT(document, "\"end_time\"");
}

/* ---- Flags and causes ---------------------------------------------------------------- */

Test(otlp_read, a_status_of_http_makes_the_flags)
{
    static const struct {
        const char *status, *flags;
    } rows[] = { { "200", NULL },
                 { "404", "\"error\":true" },
                 { "429", "\"error\":true,\"throttle\":true" },
                 { "503", "\"fault\":true" } };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char body[1024];
        const char *document;

        snprintf(
            body, sizeof(body),
            REQUEST("", SPAN(SERVER "," ATTRIBUTES(NUMBER("http.response.status_code", "%s")))),
            rows[i].status);
        document = document_of(body);
        if (rows[i].flags)
            HAS(document, rows[i].flags);
        else
            HAS_NOT(document, "true");
    }
}

Test(otlp_read, an_error_without_a_status_of_http_is_a_fault)
{
    const char *document = document_of(
        REQUEST("", SPAN(SERVER ",\"status\":{\"code\":2,\"message\":\"no disk\"}")));

    HAS(document, "\"fault\":true");
    HAS(document, "\"message\":\"no disk\"");
}

Test(otlp_read, an_error_with_a_bad_request_is_no_fault)
{
    const char *document = document_of(
        REQUEST("", SPAN(CLIENT "," PARENT ",\"status\":{\"code\":2}," ATTRIBUTES(
                        NUMBER("http.status_code", "404")))));

    HAS(document, "\"error\":true");
    HAS_NOT(document, "\"fault\"");
}

Test(otlp_read, stack_traces_become_frames)
{
    static const struct {
        const char *stack, *frames;
    } rows[] = {
        { "E: m\\n\\tat com.x.A.run(A.java:12)\\n\\tat com.x.Main.main(Main.java)\\n",
          "[{\"path\":\"A.java\",\"line\":12,\"label\":\"com.x.A.run\"},"
          "{\"path\":\"Main.java\",\"label\":\"com.x.Main.main\"}]" },
        { "E: m\\n    at place (/srv/app.js:10:5)\\n    at /srv/app.js:20:1\\n",
          "[{\"path\":\"/srv/app.js\",\"line\":10,\"label\":\"place\"},"
          "{\"path\":\"/srv/app.js\",\"line\":20}]" },
        { "Traceback (most recent call last):\\n  File \\\"a.py\\\", line 3, in run\\n    x()\\nE",
          "[{\"path\":\"a.py\",\"line\":3,\"label\":\"run\"}]" },
        { "E: m\\n   at App.Run(Int32 n) in /src/App.cs:line 7\\n",
          "[{\"path\":\"/src/App.cs\",\"line\":7,\"label\":\"App.Run(Int32 n)\"}]" },
        { "goroutine 1 [running]:\\nmain.run(0x1)\\n\\t/src/main.go:12 +0x1d\\n",
          "[{\"path\":\"/src/main.go\",\"line\":12,\"label\":\"main.run(0x1)\"}]" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char body[2048];

        snprintf(
            body, sizeof(body),
            REQUEST("", SPAN(SERVER ",\"events\":[{\"name\":\"exception\"," ATTRIBUTES(TEXT(
                            "exception.type", "E") "," TEXT("exception.stacktrace", "%s")) "}]")),
            rows[i].stack);
        HAS(document_of(body), rows[i].frames);
    }
}

Test(otlp_read, a_stack_trace_without_frames_is_kept_in_the_metadata)
{
    HAS(document_of(REQUEST("", SPAN(SERVER ",\"events\":[{\"name\":\"exception\"," ATTRIBUTES(
                                    TEXT("exception.message", "m") "," TEXT("exception.stacktrace",
                                                                            "who knows")) "}]"))),
        "\"otel.events\":[{\"name\":\"exception\",\"time_unix_nano\":0,"
        "\"attributes\":{\"exception.stacktrace\":\"who knows\"}}]");
}

Test(otlp_read, exceptions_of_a_client_are_remote_and_have_ids)
{
    const char *document = document_of(
        REQUEST("", SPAN(CLIENT "," PARENT ",\"events\":[{\"name\":\"exception\"," ATTRIBUTES(
                        TEXT("exception.message", "m")) "}]")));

    HAS(document, "\"cause\":{\"exceptions\":[{\"id\":\"");
    HAS(document, "\"message\":\"m\",\"remote\":true}]}");
}

Test(otlp_read, attempts_of_the_aws_sdk_that_failed_are_exceptions)
{
    HAS(document_of(REQUEST(
            "", SPAN(CLIENT "," PARENT "," ATTRIBUTES(
                    TEXT("rpc.system",
                         "aws-api")) ","
                                     "\"events\":[{\"name\":\"HTTP request failure\"," ATTRIBUTES(
                                         NUMBER("http.response.status_code", "503") "," TEXT(
                                             "aws.http.error_message", "slow down")) "}]"))),
        "\"message\":\"503@slow down\",\"type\":\"aws.http.error.event\",\"remote\":true");
}

/* ---- Blocks -------------------------------------------------------------------------- */

static const char http_block[] =
    "\"http\":{\"request\":{\"method\":\"GET\",\"url\":\"https://h:8443/a?b=c\","
    "\"user_agent\":\"curl\",\"client_ip\":\"203.0.113.7\",\"x_forwarded_for\":true},"
    "\"response\":{\"status\":200,\"content_length\":17}}";

Test(otlp_read, the_new_names_of_http_make_its_block)
{
    HAS(document_of(REQUEST(
            "",
            SPAN(SERVER "," ATTRIBUTES(TEXT("http.request.method", "GET") "," TEXT(
                "url.scheme",
                "h"
                "t"
                "t"
                "p"
                "s") "," TEXT("server.address",
                              "h") "," NUMBER("server.port",
                                              "8443") "," TEXT("url.path",
                                                               "/a") "," TEXT("url.query",
                                                                              "b=c") "," TEXT("user"
                                                                                              "_age"
                                                                                              "nt."
                                                                                              "orig"
                                                                                              "ina"
                                                                                              "l",
                                                                                              "cur"
                                                                                              "l") "," TEXT("c"
                                                                                                            "l"
                                                                                                            "i"
                                                                                                            "e"
                                                                                                            "n"
                                                                                                            "t"
                                                                                                            "."
                                                                                                            "a"
                                                                                                            "d"
                                                                                                            "d"
                                                                                                            "r"
                                                                                                            "e"
                                                                                                            "s"
                                                                                                            "s",
                                                                                                            "2"
                                                                                                            "0"
                                                                                                            "3"
                                                                                                            "."
                                                                                                            "0"
                                                                                                            "."
                                                                                                            "1"
                                                                                                            "1"
                                                                                                            "3"
                                                                                                            "."
                                                                                                            "7") "," NUMBER("http.response.status_code",
                                                                                                                            "200") "," NUMBER("http.response.body.size",
                                                                                                                                              "17"))))),
        http_block);
}

Test(otlp_read, the_old_names_of_http_make_the_same_block)
{
    HAS(document_of(REQUEST(
            "",
            SPAN(SERVER "," ATTRIBUTES(
                TEXT("http.method", "GET") "," TEXT("http.scheme", "https") "," TEXT("http.host", "h:8443") "," TEXT(
                    "http.target",
                    "/a?b=c") "," TEXT("http.user_agent",
                                       "curl") "," TEXT("http.client_ip",
                                                        "203.0.113.7") "," NUMBER("http.status_"
                                                                                  "code",
                                                                                  "200") "," NUMBER("http.response_content_length",
                                                                                                    "17"))))),
        http_block);
}

Test(otlp_read, a_peer_is_the_client_unless_a_proxy_named_one)
{
    const char *document = document_of(
        REQUEST("", SPAN(SERVER "," ATTRIBUTES(TEXT("http.request.method", "GET") "," TEXT(
                        "network.peer.address", "192.0.2.1")))));

    HAS(document, "\"client_ip\":\"192.0.2.1\"");
    HAS_NOT(document, "x_forwarded_for");
    document = document_of(REQUEST(
        "",
        SPAN(SERVER "," ATTRIBUTES(TEXT("http.request.method", "GET") "," TEXT(
            "client.address", "not.an.address") "," TEXT("network.peer.address", "192.0.2.1")))));
    HAS(document, "\"client_ip\":\"192.0.2.1\"");
}

Test(otlp_read, of_a_client_the_peer_is_not_its_client)
{
    HAS_NOT(document_of(REQUEST(
                "", SPAN(CLIENT "," PARENT "," ATTRIBUTES(TEXT("url.full", "http://h/") "," TEXT(
                        "network.peer.address", "192.0.2.1"))))),
            "client_ip");
}

Test(otlp_read, sql_is_for_databases_that_x_ray_knows)
{
    const char *document = document_of(REQUEST(
        "", SPAN(CLIENT "," PARENT "," ATTRIBUTES(
                TEXT("db.system", "postgresql") "," TEXT("db.name", "orders") "," TEXT(
                    "db.connection_string",
                    "postgresql://ann:secret@db:5432") "," TEXT("db.user",
                                                                "ann") "," TEXT("db.statement",
                                                                                "SELECT 1")))));

    HAS(document,
        "\"sql\":{\"url\":\"postgresql://db:5432/orders\",\"database_type\":\"postgresql\","
        "\"user\":\"ann\",\"sanitized_query\":\"SELECT 1\"}");
    HAS_NOT(document, "secret");
    HAS_NOT(document_of(REQUEST("", SPAN(CLIENT "," PARENT "," ATTRIBUTES(
                                        TEXT("db.system", "redis") "," TEXT("db.name", "0"))))),
            "\"sql\"");
}

Test(otlp_read, the_platform_is_the_origin)
{
    static const char *const rows[][2] = {
        { "aws_ec2", "AWS::EC2::Instance" },
        { "aws_ecs", "AWS::ECS::Container" },
        { "aws_eks", "AWS::EKS::Container" },
        { "aws_elastic_beanstalk", "AWS::ElasticBeanstalk::Environment" },
        { "aws_app_runner", "AWS::AppRunner::Service" },
        { "aws_lambda", "AWS::Lambda::Function" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char body[1024], expected[128];

        snprintf(
            body, sizeof(body),
            REQUEST(TEXT("cloud.provider", "aws") "," TEXT("cloud.platform", "%s"), SPAN(SERVER)),
            rows[i][0]);
        snprintf(expected, sizeof(expected), "\"origin\":\"%s\"", rows[i][1]);
        HAS(document_of(body), expected);
    }
    HAS_NOT(document_of(REQUEST(TEXT("cloud.provider", "gcp"), SPAN(SERVER))), "\"origin\"");
}

Test(otlp_read, the_resource_of_a_segment_is_in_its_aws_block_or_in_its_metadata)
{
    const char *document = document_of(REQUEST(
        TEXT("cloud.provider", "aws") "," TEXT("host.id", "i-1") "," TEXT(
            "cloud.account.id",
            "1234"
            "5678"
            "901"
            "2") "," TEXT("telemetry.sdk.name",
                          "opentelemetry") "," TEXT("telemetry.sdk.language",
                                                    "nodejs") "," TEXT("telemetry.sdk.version",
                                                                       "1.30") "," TEXT("os.type",
                                                                                        "linux"),
        SPAN(SERVER)));

    HAS(document, "\"aws\":{\"account_id\":\"123456789012\",\"ec2\":{\"instance_id\":\"i-1\"},"
                  "\"xray\":{\"sdk\":\"opentelemetry for nodejs\",\"sdk_version\":\"1.30\"}}");
    HAS(document, "\"otel.resource.os.type\":\"linux\"");
    HAS_NOT(document_of(REQUEST(TEXT("os.type", "linux"), SPAN(INTERNAL "," PARENT))), "linux");
}

Test(otlp_read, a_machine_id_elsewhere_is_no_instance)
{
    const char *document = document_of(REQUEST(TEXT("host.id", "4c4c"), SPAN(SERVER)));

    HAS_NOT(document, "ec2");
    HAS(document, "\"otel.resource.host.id\":\"4c4c\"");
}

Test(otlp_read, links_keep_their_attributes)
{
    HAS(document_of(
            REQUEST("", SPAN(SERVER ",\"links\":[{\"traceId\":\"000000010000000000000000000000ab\","
                                    "\"spanId\":\"00000000000000cd\"," ATTRIBUTES(
                                        TEXT("a", "b")) "},"
                                                        "{\"traceId\":\"\",\"spanId\":\"\"}]"))),
        "\"links\":[{\"trace_id\":\"1-00000001-0000000000000000000000ab\","
        "\"id\":\"00000000000000cd\",\"attributes\":{\"a\":\"b\"}}]");
}

/* ---- Annotations and metadata --------------------------------------------------------- */

Test(otlp_read, listed_attributes_are_annotations_and_the_rest_is_metadata)
{
    const char *document = document_of(
        REQUEST("", SPAN(SERVER "," ATTRIBUTES(
                        TEXT("customer-id", "c7") "," NUMBER("n", "9223372036854775807") "," TEXT(
                            "other", "x") "," TEXTS("aws.xray.annotations",
                                                    ITEM("customer-id") "," ITEM("n"))))));

    HAS(document, "\"annotations\":{\"customer_id\":\"c7\",\"n\":9223372036854775807}");
    HAS(document, "\"metadata\":{\"default\":{\"other\":\"x\"}}");
}

static const char *index_all(const char *body)
{
    struct documents *found = documents_read(
        &(struct xr_otlp_read_params){ .format = XR_OTLP_JSON, .index_all = true }, body,
        strlen(body));

    cr_assert_eq(found->count, 1);
    return found->texts[0];
}

Test(otlp_read, every_scalar_is_an_annotation_if_all_are_to_be)
{
    HAS(index_all(REQUEST(
            "", SPAN(SERVER "," ATTRIBUTES(TEXT("http.route", "/a") "," TRUTH(
                    "flag", "false") ","
                                     "{\"key\":\"d\",\"value\":{\"doubleValue\":0.1}}," TEXTS(
                                         "list", ITEM("x")))))),
        "\"annotations\":{\"http.route\":\"/a\",\"flag\":false,\"d\":0.1},"
        "\"metadata\":{\"default\":{\"list\":[\"x\"]}}");
}

Test(otlp_read, long_texts_and_more_than_fifty_stay_metadata)
{
    char *body = malloc(65536), text[1002];
    const char *document;
    int at;

    memset(text, 't', 1001);
    text[1001] = '\0';
    at = sprintf(body, "%s" TEXT("long", "%s"),
                 "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{" IDS_AND_TIMES
                 ",\"attributes\":[",
                 text);
    for (int i = 0; i < 51; i++)
        at += sprintf(body + at, "," NUMBER("k%d", "%d"), i, i);
    sprintf(body + at, "]}]}]}]}");
    document = index_all(body);
    HAS(document, "\"k49\":49},\"metadata\":{\"default\":{\"long\":\"ttt");
    HAS(document, "\"k50\":50");
    free(body);
}

Test(otlp_read, a_namespace_of_metadata_is_what_it_was)
{
    HAS(document_of(REQUEST(
            "", SPAN(SERVER "," ATTRIBUTES(
                    TEXT("aws.xray.metadata.ns", "{\\\"n\\\":18446744073709551615}") "," TEXT(
                        "aws.xray.metadata.broken", "{"))))),
        "\"metadata\":{\"ns\":{\"n\":18446744073709551615},"
        "\"default\":{\"aws.xray.metadata.broken\":\"{\"}}");
}

Test(otlp_read, what_was_captured_unsampled_has_the_annotation_for_it)
{
    static const char body[] = REQUEST("", SPAN(SERVER));
    struct documents *found = documents_read(
        &(struct xr_otlp_read_params){ .format = XR_OTLP_JSON, .unsampled = true }, body,
        strlen(body));

    HAS(found->texts[0], "\"annotations\":{\"xray_sampled\":false}");
    HAS(document_of(
            REQUEST("", SPAN(SERVER "," ATTRIBUTES(TRUTH("aws.trace.flag.sampled", "false"))))),
        "\"annotations\":{\"xray_sampled\":false}");
}

/* ---- What is wrong -------------------------------------------------------------------- */

Test(otlp_read, a_span_without_ids_or_start_is_rejected_and_the_rest_is_read)
{
    struct documents *found = documents_of(
        REQUEST("", "{\"traceId\":\"00\",\"spanId\":\"" SPAN_ID "\",\"startTimeUnixNano\":\"1\"},"
                    "{\"traceId\":\"" TRACE_ID "\",\"startTimeUnixNano\":\"1\"}," SPAN(
                        SERVER) ","
                                "{\"traceId\":\"" TRACE_ID "\",\"spanId\":\"" SPAN_ID "\"}"));

    cr_assert_eq(found->result, 0);
    cr_expect_eq(found->count, 1);
    cr_expect_eq(found->rejected, 3);
    cr_expect_str_eq(found->rejected_id, SPAN_ID);
    cr_expect_str_eq(found->reason, "start_time_unix_nano is missing");
}

Test(otlp_read, an_empty_request_is_a_success)
{
    cr_expect_eq(documents_of("{}")->result, 0);
    cr_expect_eq(
        documents_read(&(struct xr_otlp_read_params){ .format = XR_OTLP_PROTOBUF }, "", 0)->result,
        0);
}

Test(otlp_read, what_is_not_json_is_said_with_its_place)
{
    struct documents *found = documents_of("{\"resourceSpans\":[}");

    cr_expect_eq(found->result, -EBADMSG);
    cr_expect_eq(found->error.offset, 18);
    cr_expect_str_eq(found->error.message, "not a JSON value");
    cr_expect_eq(documents_of("[]")->result, -EBADMSG);
}

Test(otlp_read, protobuf_that_is_cut_off_is_said_with_its_place)
{
    struct documents *found = documents_read(
        &(struct xr_otlp_read_params){ .format = XR_OTLP_PROTOBUF }, "\x0a\x05\x12\x09\x00", 5);

    cr_expect_eq(found->result, -EBADMSG);
    cr_expect_str_eq(found->error.message, "a length that goes beyond its message");
    found = documents_read(&(struct xr_otlp_read_params){ .format = XR_OTLP_PROTOBUF },
                           "\x0a\x03\x12\x09\x00", 5);
    cr_expect_eq(found->error.offset, 4);
}

static int stop(void *data, const char *text, size_t length)
{
    (void)data;
    (void)text;
    (void)length;
    return -ENOSPC;
}

Test(otlp_read, who_takes_the_documents_can_end_it)
{
    static const char body[] = REQUEST("", SPAN(SERVER));

    cr_expect_eq(
        documents_read(&(struct xr_otlp_read_params){ .format = XR_OTLP_JSON, .document = stop },
                       body, strlen(body))
            ->result,
        -ENOSPC);
}

Test(otlp_read, more_than_ten_thousand_spans_are_too_many)
{
    char *body = malloc(3 * XR_OTLP_SPANS_MAX + 200);
    char *at = stpcpy(body, "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{}");

    for (size_t i = 0; i < XR_OTLP_SPANS_MAX; i++)
        at = stpcpy(at, ",{}");
    strcpy(at, "]}]}]}");
    cr_expect_eq(documents_of(body)->result, -E2BIG);
    free(body);
}

Test(otlp_read, values_nested_deeper_than_64_are_refused)
{
    char body[16384],
        *at = stpcpy(body, "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{" IDS_AND_TIMES
                           ",\"attributes\":[{\"key\":\"a\",\"value\":");

    for (int i = 0; i < 65; i++)
        at = stpcpy(at, "{\"arrayValue\":{\"values\":[");
    for (int i = 0; i < 65; i++)
        at = stpcpy(at, "]}}");
    strcpy(at, "}]}]}]}]}");
    cr_expect_eq(documents_of(body)->result, -EBADMSG);
    cr_expect_str_eq(documents_of(body)->error.message, "a value nested more than 64 deep");
}

Test(otlp_read, escapes_in_json_are_what_they_mean)
{
    HAS(document_of(
            REQUEST("", SPAN(SERVER "," ATTRIBUTES(TEXT("\\u0061", "\\ud83d\\ude00\\u00e9\\n"))))),
        "\"default\":{\"a\":\"\xf0\x9f\x98\x80\xc3\xa9\\n\"}");
}

Test(otlp_read, strings_that_are_not_json_are_refused)
{
    static const char *const names[] = { "\\ud83d", "\\ud83dx", "\\ud83d\\u0041", "\\ud83d\\ud83d",
                                         "\\ude00", "\\x",      "\\u12",          "\x01",
                                         "\xff",    "\xc0\x80" };

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        char body[512];

        snprintf(body, sizeof(body), REQUEST("", SPAN("\"name\":\"%s\"")), names[i]);
        cr_expect_eq(documents_of(body)->result, -EBADMSG, "%zu", i);
    }
}
