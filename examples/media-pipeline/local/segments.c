/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What API Gateway and Lambda send in AWS, through libxraytrace: a recorder for
 * each service name and origin, which samples whatever nobody decided before.
 */

#include "segments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xraytrace/xraytrace.h>

#define STAGE "MediaDownloader/prod"

struct pair {
    struct pair *next;
    char *name;
    xray_recorder *service;  /* AWS::Lambda */
    xray_recorder *function; /* AWS::Lambda::Function */
};

struct segments {
    char *region;
    char *account;
    xray_recorder *stage; /* NULL when it is not traced */
    struct pair *functions;
};

static int new_recorder(xray_recorder **ret, const char *name, const char *origin,
                        const char *daemon_address)
{
    xray_sampler always = { .size = sizeof(always) };

    int error = xray_sampler_rate(&always, 0, 1);
    if (!error) {
        /* The environment speaks to the functions: what AWS sends does not depend on it. */
        error = xray_recorder_new(ret, xray_recorder_params(.flags = XRAY_RECORDER_NO_ENVIRONMENT,
                                                            .service = name, .origin = origin,
                                                            .daemon_address = daemon_address,
                                                            .sampler = &always));
        if (error && always.destroy)
            always.destroy(always.data);
    }
    if (error)
        log_error("cannot record segments of %s to %s: %s", name, daemon_address, strerror(-error));
    return error;
}

int segments_new(struct segments **ret, const struct segments_params *params)
{
    struct segments *segments = memory_new(sizeof(*segments));

    segments->region = text_copy(params->region);
    segments->account = text_copy(params->account);
    int error = params->has_no_stage
                    ? 0
                    : new_recorder(&segments->stage, STAGE, "AWS::ApiGateway::Stage",
                                   params->daemon_address);
    for (const char *const *name = params->functions; *name && !error; name++) {
        struct pair *pair = memory_new(sizeof(*pair));
        pair->name = text_copy(*name);
        pair->next = segments->functions;
        segments->functions = pair;
        error = new_recorder(&pair->service, *name, "AWS::Lambda", params->daemon_address);
        if (!error)
            error = new_recorder(&pair->function, *name, "AWS::Lambda::Function",
                                 params->daemon_address);
    }
    if (error) {
        segments_free(segments);
        return error;
    }
    *ret = segments;
    return 0;
}

void segments_free(struct segments *segments)
{
    if (!segments)
        return;
    while (segments->functions) {
        struct pair *pair = segments->functions;
        segments->functions = pair->next;
        xray_recorder_free(pair->service);
        xray_recorder_free(pair->function);
        free(pair->name);
        free(pair);
    }
    xray_recorder_free(segments->stage);
    free(segments->region);
    free(segments->account);
    free(segments);
}

static const struct pair *find(const struct segments *segments, const char *name)
{
    static const struct pair none;

    for (const struct pair *pair = segments->functions; pair; pair = pair->next)
        if (strcmp(pair->name, name) == 0)
            return pair;
    return &none;
}

/* ---- Causes ------------------------------------------------------------------------- */

#define FRAME_LIMIT 32

/* One entry of an X-Ray error cause. */
static void add_exception(xray_segment *segment, const cJSON *exception)
{
    const cJSON *stack = cJSON_GetObjectItemCaseSensitive(exception, "stack");
    const cJSON *entry;
    xray_frame frames[FRAME_LIMIT] = { 0 };
    size_t count = 0;

    cJSON_ArrayForEach(entry, stack)
    {
        const cJSON *line = cJSON_GetObjectItemCaseSensitive(entry, "line");
        if (count == FRAME_LIMIT)
            break;
        frames[count].path = json_get_text(entry, "path");
        frames[count].label = json_get_text(entry, "label");
        frames[count++].line = cJSON_IsNumber(line) ? line->valueint : 0;
    }
    const char *type = json_get_text(exception, "type");
    xray_add_exception_with(segment, &(xray_exception){
                                         .size = sizeof(xray_exception),
                                         .type = type ? type : "Unknown",
                                         .message = json_get_text(exception, "message"),
                                         .frames = frames,
                                         .frame_count = count,
                                     });
}

/* What the runtime sent for X-Ray if it is good for something, else the error itself. */
static void add_cause(xray_segment *segment, const char *error, const char *cause)
{
    cJSON *json = cause ? cJSON_Parse(cause) : NULL;
    const cJSON *exceptions = cJSON_GetObjectItemCaseSensitive(json, "exceptions");
    const cJSON *exception;

    if (cJSON_IsArray(exceptions) && cJSON_GetArraySize(exceptions) > 0) {
        cJSON_ArrayForEach(exception, exceptions) add_exception(segment, exception);
    } else {
        cJSON_Delete(json);
        json = cJSON_Parse(error);
        const char *type = json_get_text(json, "errorType");
        const char *message = json_get_text(json, "errorMessage");
        xray_add_exception_with(segment, &(xray_exception){
                                             .size = sizeof(xray_exception),
                                             .type = type ? type : "Unknown",
                                             .message = message ? message : "",
                                         });
    }
    cJSON_Delete(json);
}

/* ---- API Gateway ---------------------------------------------------------------------- */

xray_segment *segments_stage_begin(struct segments *segments, const struct stage_request *request)
{
    if (!segments->stage)
        return NULL;
    xray_segment *stage = xray_start_segment(segments->stage,
                                             xray_segment_params(.header = request->caller,
                                                                 .http_method = request->method,
                                                                 .url_path = request->path));

    xray_set_http(stage,
                  xray_http(.method = request->method, .url = request->url,
                            .user_agent = request->user_agent, .client_ip = request->client_ip));
    xray_set_aws(stage, xray_aws(.account_id = segments->account, .region = segments->region,
                                 .request_id = request->request_id));
    return stage;
}

void segments_stage_end(xray_segment *stage, int status, size_t content_length)
{
    xray_set_http(stage, xray_http(.status = status, .content_length = (int64_t)content_length));
    xray_end(stage);
}

xray_segment *segments_call_begin(struct segments *segments, xray_segment *stage, const char *name,
                                  const char *function)
{
    xray_segment *call = xray_start_subsegment_with(
        stage, xray_subsegment_params(.name = name, .name_space = "remote", .traced = 1));
    char *url = text_format("https://lambda.%s.amazonaws.com/2015-03-31/functions/"
                            "arn:aws:lambda:%s:%s:function:%s/invocations",
                            segments->region, segments->region, segments->account, function);

    xray_set_http(call, xray_http(.method = "POST", .url = url));
    free(url);
    return call;
}

void segments_call_end(xray_segment *call, const struct lambda_result *result)
{
    if (result) {
        xray_set_http(call, xray_http(.status = result->status,
                                      .content_length = (int64_t)result->payload_length));
        if (result->function_error)
            add_cause(call, result->payload, NULL);
    } else {
        xray_add_exception(call, "Timeout", "the function took longer than the API waits");
    }
    xray_end(call);
}

/* ---- Lambda ---------------------------------------------------------------------------- */

xray_segment *segments_service_begin(struct segments *segments, const char *function,
                                     const xray_trace_header *caller, const char *request_id)
{
    xray_segment *service = xray_start_segment(find(segments, function)->service,
                                               xray_segment_params(.header = caller));
    char *arn = text_format("arn:aws:lambda:%s:%s:function:%s", segments->region, segments->account,
                            function);

    xray_set_aws(service, xray_aws(.request_id = request_id));
    xray_set_aws_field(service, "function_arn", xray_string(arn));
    free(arn);
    return service;
}

void segments_service_accepted(xray_segment *service)
{
    xray_set_http(service, xray_http(.status = 202));
    xray_send_in_progress(service);
}

void segments_service_end(xray_segment *service, const struct lambda_result *result)
{
    if (result->status != 202)
        xray_set_http(service, xray_http(.status = result->status,
                                         .content_length = (int64_t)result->payload_length));
    if (result->function_error)
        add_cause(service, result->payload, NULL);
    xray_end(service);
}

void segments_dwell(xray_segment *service, int64_t accepted_ns)
{
    xray_end(xray_start_subsegment_with(
        service, xray_subsegment_params(.name = "Dwell Time", .start_ns = accepted_ns)));
}

xray_segment *segments_function_begin(struct segments *segments, const char *function,
                                      xray_segment *service, const char *request_id,
                                      int64_t start_ns, bool is_event)
{
    xray_trace_header header;
    char *arn = text_format("arn:aws:lambda:%s:%s:function:%s", segments->region, segments->account,
                            function);

    xray_get_header(service, &header);
    xray_segment *segment = xray_start_segment(
        find(segments, function)->function,
        xray_segment_params(.header = &header, .start_ns = start_ns));
    xray_set_aws(segment, xray_aws(.account_id = segments->account, .request_id = request_id));
    xray_set_aws_field(segment, "function_arn", xray_string(arn));
    free(arn);
    if (is_event)
        xray_send_in_progress(segment);
    return segment;
}

static void add_phase(xray_segment *function, const char *name, int64_t start_ns, int64_t end_ns)
{
    xray_end_at(xray_start_subsegment_with(
                    function, xray_subsegment_params(.name = name, .start_ns = start_ns)),
                end_ns);
}

void segments_function_end(xray_segment *function, const struct function_times *times,
                           const char *error, const char *cause)
{
    if (times->started_ns)
        add_phase(function, "Initialization", times->started_ns,
                  times->initialized_ns ? times->initialized_ns : times->done_ns);
    if (times->delivered_ns)
        add_phase(function, "Invocation", times->delivered_ns, times->done_ns);
    if (error)
        add_cause(function, error, cause);
    xray_end(function);
}
