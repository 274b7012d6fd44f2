/* SPDX-License-Identifier: Apache-2.0 */
/* Segment documents become spans. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "support.h"

#define SEGMENT_IDS "\"traceId\":\"" TRACE_ID "\",\"spanId\":\"" SPAN_ID "\""

Test(otlp_write, ids_and_times_are_kept_to_the_nanosecond)
{
    const char *request = request_of(DOCUMENT(""));

    HAS(request, SEGMENT_IDS);
    HAS(request, "\"startTimeUnixNano\":\"1700000000123456789\"");
    HAS(request, "\"endTimeUnixNano\":\"1700000001500000000\"");
    HAS_NOT(request, "parentSpanId");
}

Test(otlp_write, times_are_read_from_their_digits)
{
    static const char *const rows[][2] = {
        { "1.7e9", "1700000000000000000" },
        { "1700000000.0000000005", "1700000000000000001" },
        { "1700000000.00000000049", "1700000000000000000" },
        { "170000000012345678900e-11", "1700000000123456789" },
        { "0.000000001", "1" },
        { "0", "0" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char document[512], expected[128];

        snprintf(document, sizeof(document),
                 "{\"id\":\"" SPAN_ID "\",\"trace_id\":\"1-5759e988-bd862e3fe1be46a994272793\","
                 "\"name\":\"s\",\"start_time\":%s,\"end_time\":1700000002}",
                 rows[i][0]);
        snprintf(expected, sizeof(expected), "\"startTimeUnixNano\":\"%s\"", rows[i][1]);
        HAS(request_of(document), expected);
    }
}

Test(otlp_write, a_segment_is_a_server_and_its_name_is_of_the_service)
{
    const char *request = request_of(DOCUMENT(",\"parent_id\":\"00000000000000aa\""));

    HAS(request, TEXT("service.name", "s"));
    HAS(request, "\"kind\":2");
    HAS(request, "\"parentSpanId\":\"00000000000000aa\"");
}

Test(otlp_write, a_parent_in_another_service_is_said_to_be_remote)
{
    HAS(request_of(DOCUMENT("")), "\"flags\":1,");
    HAS(request_of(DOCUMENT(",\"parent_id\":\"00000000000000aa\"")), "\"flags\":769,");
    HAS(request_of(CALL("")), "\"flags\":257,");
}

Test(otlp_write, subsegments_are_spans_of_their_parent)
{
    const char *request = request_of(
        DOCUMENT(",\"subsegments\":[{\"id\":\"00000000000000bb\",\"name\":\"a\",\"start_time\":1,"
                 "\"end_time\":2,\"parent_id\":\"00000000000000ff\",\"subsegments\":[{\"id\":"
                 "\"00000000000000cc\",\"name\":\"b\",\"start_time\":1,\"end_time\":2}]}]"));

    HAS(request, "\"spanId\":\"00000000000000bb\",\"parentSpanId\":\"" SPAN_ID "\"");
    HAS(request, "\"spanId\":\"00000000000000cc\",\"parentSpanId\":\"00000000000000bb\"");
    HAS(request, "\"kind\":1");
}

Test(otlp_write, a_subsegment_alone_has_the_service_name_that_is_given)
{
    const struct xr_otlp_write_params params = { .format = XR_OTLP_JSON };

    HAS(request_with(&params, CALL(""), "orders"), TEXT("service.name", "orders"));
    HAS(request_with(&params, CALL(""), NULL), TEXT("service.name", "unknown_service"));
}

Test(otlp_write, a_remote_call_is_a_client_with_its_peer)
{
    const char *request = request_of(CALL(",\"namespace\":\"remote\""));

    HAS(request, "\"kind\":3");
    HAS(request, TEXT("peer.service", "s"));
}

Test(otlp_write, a_call_to_aws_says_so)
{
    const char *request = request_of(
        CALL(",\"namespace\":\"aws\",\"aws\":{\"operation\":\"PutItem\",\"table_name\":\"t\","
             "\"retries\":2,\"table_names\":[\"a\",\"b\"],\"bucket_name\":\"b\"}"));

    HAS(request, TEXT("rpc.system", "aws-api"));
    HAS(request, TEXT("rpc.service", "s"));
    HAS(request, TEXT("rpc.method", "PutItem"));
    HAS(request, TEXT("aws.service", "s"));
    HAS(request, TEXT("aws.operation", "PutItem"));
    HAS(request, TEXT("aws.table_name", "t"));
    HAS(request, NUMBER("aws.xray.retries", "2"));
    HAS(request, TEXTS("aws.dynamodb.table_names", ITEM("a") "," ITEM("b")));
    HAS(request, TEXT("aws.xray.aws", "{\\\"bucket_name\\\":\\\"b\\\"}"));
}

Test(otlp_write, the_url_of_a_server_is_in_pieces_and_of_a_client_whole)
{
    static const char http[] =
        ",\"http\":{\"request\":{\"method\":\"GET\",\"url\":\"https://h:8443/a?b=c\"},"
        "\"response\":{\"status\":200}}";
    char document[1024];
    const char *request;

    snprintf(document, sizeof(document), DOCUMENT("%s"), http);
    request = request_of(document);
    HAS(request, TEXT("http.request.method", "GET"));
    HAS(request,
        TEXT("url.scheme", "https") "," TEXT("server.address", "h") "," NUMBER(
            "server.port", "8443") "," TEXT("url.path", "/a") "," TEXT("url.query", "b=c"));
    HAS(request, NUMBER("http.response.status_code", "200"));
    HAS_NOT(request, "url.full");

    snprintf(document, sizeof(document), CALL("%s"), http);
    request = request_of(document);
    HAS(request, TEXT("url.full", "https://h:8443/a?b=c") "," TEXT("server.address", "h"));
    HAS_NOT(request, "url.path");
}

Test(otlp_write, a_client_behind_a_proxy_is_not_the_peer)
{
    const char *request = request_of(
        DOCUMENT(",\"http\":{\"request\":{\"client_ip\":\"203.0.113.7\"}}"));

    HAS(request, TEXT("client.address", "203.0.113.7"));
    HAS(request, TEXT("network.peer.address", "203.0.113.7"));
    request = request_of(DOCUMENT(",\"http\":{\"request\":{\"client_ip\":\"203.0.113.7\","
                                  "\"x_forwarded_for\":true}}"));
    HAS(request, TEXT("client.address", "203.0.113.7"));
    HAS_NOT(request, "network.peer.address");
    HAS(request, TRUTH("aws.xray.x_forwarded_for", "true"));
}

Test(otlp_write, sql_is_in_the_names_of_databases)
{
    const char *request = request_of(CALL(
        ",\"namespace\":\"remote\",\"sql\":{\"url\":\"postgresql://db:5432/orders\","
        "\"database_type\":\"PostgreSQL\",\"user\":\"ann\",\"sanitized_query\":\"SELECT 1\"}"));

    HAS(request, TEXT("db.system", "postgresql"));
    HAS(request, TEXT("db.connection_string", "postgresql://db:5432"));
    HAS(request, TEXT("db.name", "orders"));
    HAS(request, TEXT("db.user", "ann"));
    HAS(request, TEXT("db.statement", "SELECT 1") "," TEXT("db.query.text", "SELECT 1"));
    HAS(request_of(CALL(",\"sql\":{\"database_type\":\"Cassandra\"}")),
        TEXT("db.system", "other_sql"));
}

/* ---- Flags and causes ---------------------------------------------------------------- */

Test(otlp_write, a_fault_is_an_error)
{
    const char *request = request_of(DOCUMENT(",\"fault\":true"));

    HAS(request, "\"status\":{\"code\":2}");
    HAS_NOT(request, "aws.xray.fault");
}

Test(otlp_write, a_bad_request_is_an_error_of_the_client_only)
{
    static const char bad[] = ",\"error\":true,\"http\":{\"response\":{\"status\":404}}";
    char document[512];

    snprintf(document, sizeof(document), DOCUMENT("%s"), bad);
    HAS(request_of(document), "\"status\":{}");
    snprintf(document, sizeof(document), CALL(",\"namespace\":\"remote\"%s"), bad);
    HAS(request_of(document), "\"status\":{\"code\":2}");
    HAS_NOT(request_of(document), "aws.xray.error");
}

Test(otlp_write, an_error_without_a_status_of_http_is_said_to_be_no_fault)
{
    const char *request = request_of(DOCUMENT(",\"error\":true,\"throttle\":true"));

    HAS(request, "\"status\":{\"code\":2}");
    HAS(request, TRUTH("aws.xray.error", "true") "," TRUTH("aws.xray.throttle", "true"));
}

Test(otlp_write, a_status_of_http_without_a_flag_is_said_to_be_none)
{
    HAS(request_of(DOCUMENT(",\"http\":{\"response\":{\"status\":500}}")),
        TRUTH("aws.xray.fault", "false"));
}

Test(otlp_write, exceptions_are_events_the_root_cause_last)
{
    const char *request = request_of(DOCUMENT(
        ",\"fault\":true,\"cause\":{\"exceptions\":["
        "{\"id\":\"0000000000000001\",\"type\":\"IoError\",\"message\":\"reset\",\"stack\":"
        "[{\"path\":\"io.c\",\"line\":7,\"label\":\"read\"}]},"
        "{\"id\":\"0000000000000002\",\"type\":\"DbError\",\"message\":\"\","
        "\"cause\":\"0000000000000001\"}]}"));
    const char *first = strstr(request, "DbError"), *last = strstr(request, "\"IoError\"");

    cr_assert(first && last && first < last, "%s", request);
    HAS(request, "{\"timeUnixNano\":\"1700000001500000000\",\"name\":\"exception\"");
    HAS(request, TEXT("exception.stacktrace", "IoError: reset\\n\\tat read(io.c: 7)\\n"));
    HAS(request, TEXT("aws.xray.exception.cause", "0000000000000001"));
}

Test(otlp_write, exceptions_that_cause_each_other_are_written_once)
{
    const char *request = request_of(
        DOCUMENT(",\"cause\":{\"exceptions\":["
                 "{\"id\":\"0000000000000001\",\"type\":\"A\",\"cause\":\"0000000000000002\"},"
                 "{\"id\":\"0000000000000002\",\"type\":\"B\",\"cause\":\"0000000000000001\"}]}"));
    const char *first = strstr(request, "\"exception.type\"");

    cr_assert(first);
    first = strstr(first + 1, "\"exception.type\"");
    cr_assert(first);
    cr_expect_null(strstr(first + 1, "\"exception.type\""));
}

Test(otlp_write, a_cause_elsewhere_is_the_message_of_the_status)
{
    HAS(request_of(DOCUMENT(",\"fault\":true,\"cause\":\"00000000000000ef\"")),
        "\"status\":{\"code\":2,\"message\":\"00000000000000ef\"}");
}

/* ---- The rest ------------------------------------------------------------------------ */

Test(otlp_write, annotations_are_attributes_and_listed)
{
    const char *request = request_of(
        DOCUMENT(",\"annotations\":{\"a\":\"x\",\"n\":9223372036854775807,\"f\":0.1,\"b\":true}"));

    HAS(request, TEXT("a", "x"));
    HAS(request, NUMBER("n", "9223372036854775807"));
    HAS(request, "{\"key\":\"f\",\"value\":{\"doubleValue\":0.1}}");
    HAS(request, TRUTH("b", "true"));
    HAS(request,
        TEXTS("aws.xray.annotations", ITEM("a") "," ITEM("n") "," ITEM("f") "," ITEM("b")));
}

Test(otlp_write, metadata_is_the_text_of_its_json)
{
    HAS(request_of(DOCUMENT(",\"metadata\":{\"ns\":{\"n\":1.50,\"l\":[null]}}")),
        TEXT("aws.xray.metadata.ns", "{\\\"n\\\":1.50,\\\"l\\\":[null]}"));
}

Test(otlp_write, what_was_captured_unsampled_has_the_flag_for_it)
{
    const char *request = request_of(DOCUMENT(",\"annotations\":{\"xray_sampled\":false}"));

    HAS(request, "\"flags\":0,");
    HAS(request, TRUTH("aws.trace.flag.sampled", "false"));
}

Test(otlp_write, links_and_precursors_are_links)
{
    const char *request = request_of(
        DOCUMENT(",\"links\":[{\"trace_id\":\"1-00000001-0000000000000000000000ab\",\"id\":"
                 "\"00000000000000cd\"}],\"precursor_ids\":[\"00000000000000ee\"]"));

    HAS(request,
        "{\"traceId\":\"000000010000000000000000000000ab\",\"spanId\":\"00000000000000cd\"");
    HAS(request, "{\"traceId\":\"" TRACE_ID
                 "\",\"spanId\":\"00000000000000ee\",\"attributes\":[" TEXT("aws.xray.link.type",
                                                                            "precursor") "]}");
}

Test(otlp_write, origins_are_platforms_and_others_are_kept)
{
    HAS(request_of(DOCUMENT(",\"origin\":\"AWS::EKS::Container\"")),
        TEXT("cloud.provider", "aws") "," TEXT("cloud.platform", "aws_eks"));
    HAS(request_of(DOCUMENT(",\"origin\":\"mine\"")), TEXT("aws.xray.origin", "mine"));
    HAS_NOT(request_of(DOCUMENT("")), "cloud.");
}

Test(otlp_write, the_sdk_is_that_of_the_document)
{
    HAS(request_of(
            DOCUMENT(",\"aws\":{\"xray\":{\"sdk\":\"X-Ray for Java\",\"sdk_version\":\"2\"}}")),
        TEXT("telemetry.sdk.name", "X-Ray") "," TEXT("telemetry.sdk.language", "java") "," TEXT(
            "telemetry.sdk.version", "2"));
    HAS_NOT(request_of(DOCUMENT("")), "telemetry");
}

Test(otlp_write, spans_of_one_resource_are_together)
{
    const struct xr_otlp_write_params params = { .format = XR_OTLP_JSON, .sdk_version = "7" };
    struct xr_otlp_writer *writer;
    const char *at;
    size_t length, resources = 0;
    char *request;

    cr_assert_eq(xr_otlp_writer_new(&writer, &params), 0);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(xr_otlp_write(writer, DOCUMENT(""), strlen(DOCUMENT("")), NULL), 0);
        cr_assert_eq(xr_otlp_write(writer, CALL(""), strlen(CALL("")), "other"), 0);
    }
    cr_assert_eq(xr_otlp_finish(writer, &request, &length), 0);
    for (at = request; (at = strstr(at, "\"resource\":")); at++)
        resources++;
    cr_expect_eq(resources, 2);
    HAS(request, "\"scope\":{\"name\":\"libxraytrace\",\"version\":\"7\"}");
    free(request);
    cr_assert_eq(xr_otlp_finish(writer, &request, &length), 0);
    cr_expect_str_eq(request, "{\"resourceSpans\":[]}", "it begins anew");
    free(request);
    xr_otlp_writer_free(writer);
}

Test(otlp_write, what_is_no_document_is_refused)
{
    static const char *const texts[] = {
        "",
        "{",
        "[]",
        "{}",
        "null",
        "{\"id\":\"x\",\"trace_id\":\"1-5759e988-bd862e3fe1be46a994272793\",\"start_time\":1}",
        "{\"id\":\"" SPAN_ID
        "\",\"trace_id\":\"1-00000000-000000000000000000000000\",\"start_time\":1}",
        "{\"id\":\"" SPAN_ID "\",\"trace_id\":\"1-5759e988-bd862e3fe1be46a994272793\"}",
        "{\"id\":\"" SPAN_ID "\",\"trace_id\":\"1-5759e988-bd862e3fe1be46a994272793\","
        "\"start_time\":-1}",
        "{\"id\":\"" SPAN_ID "\",\"trace_id\":\"1-5759e988-bd862e3fe1be46a994272793\","
        "\"start_time\":1e20}",
    };
    const struct xr_otlp_write_params params = { .format = XR_OTLP_PROTOBUF };
    struct xr_otlp_writer *writer;

    cr_assert_eq(xr_otlp_writer_new(&writer, &params), 0);
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        cr_expect_eq(xr_otlp_write(writer, texts[i], strlen(texts[i]), NULL), -EINVAL, "%s",
                     texts[i]);
    xr_otlp_writer_free(writer);
}

Test(otlp_write, replies_say_what_was_rejected)
{
    static const struct {
        enum xr_otlp_format format;
        uint64_t rejected;
        const char *message, *expected;
    } rows[] = {
        { XR_OTLP_JSON, 0, NULL, "{\"partialSuccess\":{}}" },
        { XR_OTLP_JSON, 2, "why",
          "{\"partialSuccess\":{\"rejectedSpans\":\"2\",\"errorMessage\":\"why\"}}" },
        { XR_OTLP_PROTOBUF, 0, NULL, "" },
        { XR_OTLP_PROTOBUF, 300, "why", "\x0a\x08\x08\xac\x02\x12\x03why" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        size_t length;
        char *reply;

        cr_assert_eq(xr_otlp_write_response(rows[i].format, rows[i].rejected, rows[i].message,
                                            &reply, &length),
                     0);
        cr_expect_eq(length, strlen(rows[i].expected));
        cr_expect_str_eq(reply, rows[i].expected);
        free(reply);
    }
}

/* ---- In the daemon's protocol --------------------------------------------------------- */

/* A request of one span: its ids, and a start of 1 ns. */
#define ENCODED "CikSJxIlChBXWemIvYYuP+G+RqmUJyeTEghTmVw/Qs2K2DkBAAAAAAAAAA=="

Test(otlp_text, a_text_carries_a_request)
{
    struct documents *found = documents_of_text("T1S" ENCODED);

    cr_assert_eq(found->result, 0);
    cr_assert_eq(found->count, 1);
    HAS(found->texts[0], "\"start_time\":0.000000001");
    HAS_NOT(found->texts[0], "xray_sampled");
}

Test(otlp_text, an_unsampled_one_is_marked)
{
    struct documents *found = documents_of_text("T1U" ENCODED "\n");

    cr_assert_eq(found->count, 1);
    HAS(found->texts[0], "\"annotations\":{\"xray_sampled\":false}");
}

Test(otlp_text, what_is_not_base64_is_refused)
{
    static const char *const texts[] = { "T1S*", "T1SA", "T1SAA=A", "T1SAAAA====", "T1X", "T1" };

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        cr_expect_eq(documents_of_text(texts[i])->result, -EBADMSG, "%s", texts[i]);
}
