/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shapes that real programs have: headers.py compiles this as C and as C++.
 * C++ before C++20 has no designated initializers, and fills the structs in.
 */
#include <stdio.h>
#include <string.h>
#include <xraytrace/aws.h>
#include <xraytrace/curl.h>
#include <xraytrace/xraytrace.h>

/* Scopes, with several returns. */
static int decode(const char *path)
{
    XRAY_SUBSEGMENT("decode");

    xray_annotate(xray_current(), "path", path);
    if (!path)
        return xray_add_exception(xray_current(), "EINVAL", "no %s", "path"), -1;
    xray_annotate(xray_current(), "long", strlen(path) > 10);
    xray_annotate(xray_current(), "hidden", xray_bool(path[0] == '.'));
    xray_annotate(xray_current(), "length", strlen(path));
    xray_add_metadata(xray_current(), "decoder", "options", xray_json("{\"fast\":true}"));
    return 0;
}

/* A server continues the caller's trace. */
static void serve(const char *incoming, const char *method, const char *path)
{
    xray_trace_header header = { { { 0 } }, 0, 0, 0, "" };
    (void)xray_trace_header_parse(&header, incoming);
#ifndef __cplusplus
    xray_segment *request XRAY_AUTO_END = xray_start_segment(
        xray_recorder_default(),
        xray_segment_params(.header = &header, .http_method = method, .url_path = path));
#else
    xray_segment_params params = {};
    params.size = sizeof(params);
    params.header = &header;
    params.http_method = method;
    params.url_path = path;
    xray_segment *request XRAY_AUTO_END = xray_start_segment(xray_recorder_default(), &params);
#endif

    xray_attach(request);
    (void)decode(path);
#ifndef __cplusplus
    xray_set_http(request, xray_http(.method = method, .url = path, .status = 200));
#else
    xray_http http = {};
    http.size = sizeof(http);
    http.method = method;
    http.url = path;
    http.status = 200;
    xray_set_http(request, &http);
#endif
}

/* Another thread gets the trace as a value. */
struct job {
    xray_trace_header trace;
};

static void submit(struct job *job)
{
    xray_get_header(xray_current(), &job->trace);
}

static void run(const struct job *job)
{
    xray_segment *work = xray_resume(xray_recorder_default(), &job->trace, "encode");

    xray_attach(work);
    xray_end(work);
}

/* An event loop keeps the segment with the request. */
struct fetch {
    xray_segment *segment;
};

static void on_start(struct fetch *fetch, xray_segment *parent)
{
    fetch->segment = xray_start_subsegment(parent, "fetch");
}

static void on_done(struct fetch *fetch, int status)
{
    xray_annotate(fetch->segment, "status", status);
    xray_end(fetch->segment);
}

/* Lambda. */
static void handle(const char *trace_header)
{
    xray_segment *invocation = xray_lambda_begin(xray_recorder_default(), trace_header);

    (void)decode("x");
    (void)xray_lambda_end(invocation, 100);
}

/* libcurl, and AWS. */
static CURLcode get(CURL *easy, xray_segment *parent)
{
    xray_curl_transfer transfer;

    curl_easy_setopt(easy, CURLOPT_URL, "http://127.0.0.1/");
    xray_curl_begin(&transfer, parent, easy, XRAY_CURL_NO_HEADERS);
    xray_curl_end(&transfer, curl_easy_perform(easy));
    return xray_curl_perform(easy, NULL);
}

static int list_buckets(xray_aws_client *s3)
{
    xray_aws_request request;
    xray_aws_reply reply;

    memset(&request, 0, sizeof(request));
    request.size = sizeof(request);
    request.operation = "ListBuckets";
    reply.size = sizeof(reply);
    return xray_aws_call(s3, &request, &reply) < 0 ? reply.status : 0;
}

/* An emitter and a recorder of one's own. */
static int keep(void *data, const xray_document *document)
{
    FILE *log = (FILE *)data;

    return fwrite(document->json, 1, document->length, log) == document->length ? 0 : -5;
}

static int record(FILE *log)
{
    xray_recorder *recorder = NULL;
    xray_stats stats;
    int r;
#ifndef __cplusplus
    r = xray_recorder_new(
        &recorder,
        xray_recorder_params(.service = "media-pipeline",
                             .emitter = &(xray_emitter){
                                 .size = sizeof(xray_emitter), .data = log, .emit = keep }));
#else
    xray_emitter emitter = {};
    emitter.size = sizeof(emitter);
    emitter.data = log;
    emitter.emit = keep;
    xray_recorder_params params = {};
    params.size = sizeof(params);
    params.service = "media-pipeline";
    params.emitter = &emitter;
    r = xray_recorder_new(&recorder, &params);
#endif
    if (r < 0)
        return r;
    xray_recorder_set_default(recorder);
    stats.size = sizeof(stats);
    xray_recorder_get_stats(recorder, &stats);
    return xray_recorder_flush(recorder, 100);
}

int use(CURL *easy, xray_aws_client *s3);
int use(CURL *easy, xray_aws_client *s3)
{
    struct job job;
    struct fetch fetch;

    if (record(stdout) < 0)
        return 1;
    serve("", "GET", "/");
    submit(&job);
    run(&job);
    on_start(&fetch, NULL);
    on_done(&fetch, 1);
    handle("");
    return get(easy, NULL) == CURLE_OK ? list_buckets(s3) : 1;
}
