/* SPDX-License-Identifier: Apache-2.0 */
/* Routes, the authorizer, time limits, and the gateway's own errors. */

#include "gateway.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <xraytrace/xraytrace.h>

#include "policy.h"
#include "port.h"
#include "proxy.h"
#include "segments.h"
#include "tracing.h"

#define AUTHORIZER             "AuthorizerAPIToken"
#define AUTHORIZER_TIMEOUT_MS  10000
#define INTEGRATION_TIMEOUT_MS 29000
#define BODY_LIMIT             (10u << 20)

static const struct route {
    const char *method;
    const char *path;
    const char *function;
} routes[] = {
    { "POST", "/webhook", "WebhookFeedly" },
    { "POST", "/registerDevice", "RegisterDevice" },
    { "GET", "/files", "ListFiles" },
};

struct gateway {
    struct gateway_params params;
    struct http_server *server;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* on CLOCK_MONOTONIC */
    unsigned calls;         /* of functions, that are not over */
};

/* ---- Calls with a time limit ----------------------------------------------------------- */

/* A call of a function, shared by who waits for it and the thread that makes it. */
struct call {
    struct gateway *gateway;
    const char *function;
    char *payload;
    xray_trace_header trace;
    struct lambda_result result;
    bool done;
    bool abandoned;
};

static void free_call(struct call *call)
{
    free(call->payload);
    lambda_result_free(&call->result);
    free(call);
}

static void *run_call(void *data)
{
    struct call *call = data;
    struct gateway *gateway = call->gateway;

    lambda_invoke(gateway->params.lambda,
                  &(struct lambda_call){ .function = call->function,
                                         .payload = call->payload,
                                         .payload_length = strlen(call->payload),
                                         .trace = &call->trace },
                  &call->result);
    pthread_mutex_lock(&gateway->lock);
    call->done = true;
    if (call->abandoned)
        free_call(call);
    gateway->calls--;
    pthread_cond_broadcast(&gateway->changed);
    pthread_mutex_unlock(&gateway->lock);
    return NULL;
}

static bool wait_for_call(struct call *call, int timeout_ms)
{
    struct gateway *gateway = call->gateway;
    struct timespec until;
    int error = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    pthread_mutex_lock(&gateway->lock);
    while (!call->done && !error)
        error = pthread_cond_timedwait(&gateway->changed, &gateway->lock, &until);
    bool done = call->done;
    call->abandoned = !done;
    pthread_mutex_unlock(&gateway->lock);
    return done;
}

/*
 * Calls a function as a subsegment of the stage. NULL when it takes longer than
 * the gateway waits; the function goes on. Takes the payload over.
 */
static struct call *call_function(struct gateway *gateway, const struct proxy_request *request,
                                  const char *name, const char *function, char *payload,
                                  int timeout_ms)
{
    struct call *call = memory_new(sizeof(*call));
    xray_segment *segment = request->stage ? segments_call_begin(gateway->params.segments,
                                                                 request->stage, name, function)
                                           : NULL;
    pthread_t thread;

    call->gateway = gateway;
    call->function = function;
    call->payload = payload;
    call->trace = *request->trace;
    if (segment)
        xray_get_header(segment, &call->trace);
    pthread_mutex_lock(&gateway->lock);
    gateway->calls++;
    pthread_mutex_unlock(&gateway->lock);

    bool done;
    if (pthread_create(&thread, NULL, run_call, call) == 0) {
        pthread_detach(thread);
        done = wait_for_call(call, timeout_ms);
    } else {
        run_call(call);
        done = true;
    }
    segments_call_end(segment, done ? &call->result : NULL);
    return done ? call : NULL;
}

/* ---- The gateway's own errors ------------------------------------------------------- */

static void fail(struct http_reply *reply, const char *request_id, int status, const char *type,
                 const char *message)
{
    cJSON *body = json_object(NULL, NULL);
    cJSON *error = json_object(body, "error");

    json_text(error, "code", status < 500 ? "custom-4XX-generic" : "custom-5XX-generic");
    json_text(error, "message", message);
    json_text(body, "requestId", request_id);
    char *text = json_print(body);
    http_reply_text(reply, status, "application/json", text);
    http_reply_header(reply, "x-amzn-ErrorType", type);
    free(text);
    cJSON_Delete(body);
}

/* ---- Requests ----------------------------------------------------------------------- */

/* The route, or NULL with *ret_path_known telling whether another method would do. */
static const struct route *find_route(const struct http_request *request, bool *ret_path_known)
{
    const char *path = request->path;

    *ret_path_known = false;
    if (strncmp(path, "/" API_STAGE "/", strlen("/" API_STAGE "/")) == 0)
        path += strlen("/" API_STAGE);
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        if (strcmp(routes[i].path, path) != 0)
            continue;
        if (strcmp(routes[i].method, request->method) == 0)
            return &routes[i];
        *ret_path_known = true;
    }
    return NULL;
}

/* The authorizer's answer when it allows the request, else NULL with the reply. */
static cJSON *authorize(struct gateway *gateway, const struct proxy_request *request,
                        struct http_reply *reply)
{
    struct call *call = call_function(gateway, request, "Lambda authorizer", AUTHORIZER,
                                      proxy_authorizer_event(request), AUTHORIZER_TIMEOUT_MS);
    cJSON *answer = call ? cJSON_Parse(call->result.payload) : NULL;
    const char *message = json_get_text(answer, "errorMessage");
    enum policy_decision decision = POLICY_INVALID;

    if (call && call->result.status == 200 && !call->result.function_error) {
        char *arn = proxy_method_arn(request);
        decision = policy_evaluate(answer, arn);
        free(arn);
    }
    if (call && call->result.function_error && message && strcmp(message, "Unauthorized") == 0)
        fail(reply, request->request_id, 401, "UnauthorizedException", "Unauthorized");
    else if (decision == POLICY_DENY)
        fail(reply, request->request_id, 403, "AccessDeniedException",
             "User is not authorized to access this resource with an explicit deny");
    else if (decision == POLICY_DENY_IMPLICIT)
        fail(reply, request->request_id, 403, "AccessDeniedException",
             "User is not authorized to access this resource");
    else if (decision == POLICY_INVALID)
        fail(reply, request->request_id, 500, "AuthorizerConfigurationException",
             "Internal server error");
    if (call)
        free_call(call);
    if (decision == POLICY_ALLOW)
        return answer;
    cJSON_Delete(answer);
    return NULL;
}

static void integrate(struct gateway *gateway, const struct proxy_request *request,
                      const struct route *route, const cJSON *authorizer_answer,
                      struct http_reply *reply)
{
    struct call *call = call_function(gateway, request, "Lambda", route->function,
                                      proxy_event(request, authorizer_answer),
                                      INTEGRATION_TIMEOUT_MS);

    if (!call)
        fail(reply, request->request_id, 504, "InternalServerErrorException",
             "Endpoint request timed out");
    else if (call->result.status == 413)
        fail(reply, request->request_id, 413, "RequestTooLargeException", "Request Too Long");
    else if (call->result.status != 200)
        fail(reply, request->request_id, 500, "InternalServerErrorException",
             "Internal server error");
    else if (call->result.function_error || !proxy_result(call->result.payload, reply))
        fail(reply, request->request_id, 502, "InternalServerErrorException",
             "Internal server error");
    if (call)
        free_call(call);
}

/* The stage, or NULL when it is not traced; *ret is what goes on from it. */
static xray_segment *begin_stage(struct gateway *gateway, const struct http_request *request,
                                 const struct route *route, const char *request_id,
                                 xray_trace_header *ret)
{
    const char *trace_text = http_request_header(request, XRAY_TRACE_HEADER_NAME);
    xray_trace_header caller = { 0 };
    char *url = text_format("https://" API_ID ".execute-api.%s.amazonaws.com/" API_STAGE "%s",
                            gateway->params.region, route->path);

    if (trace_text)
        xray_trace_header_parse(&caller, trace_text);
    xray_segment *stage = segments_stage_begin(
        gateway->params.segments,
        &(struct stage_request){ .caller = &caller,
                                 .method = request->method,
                                 .url = url,
                                 .path = route->path,
                                 .user_agent = http_request_header(request, "User-Agent"),
                                 .client_ip = "127.0.0.1",
                                 .request_id = request_id });
    free(url);
    if (stage)
        xray_get_header(stage, ret);
    else
        tracing_pass_through(&caller, ret);
    return stage;
}

static void serve(struct gateway *gateway, const struct http_request *request,
                  const struct route *route, const char *request_id, struct http_reply *reply)
{
    xray_trace_header header;
    xray_segment *stage = begin_stage(gateway, request, route, request_id, &header);
    char header_text[XRAY_TRACE_HEADER_SIZE];

    struct proxy_request proxy = { .http = request,
                                   .region = gateway->params.region,
                                   .account = gateway->params.account,
                                   .resource = route->path,
                                   .request_id = request_id,
                                   .stage = stage,
                                   .trace = &header,
                                   .received_ms = now_ms() };
    cJSON *answer = authorize(gateway, &proxy, reply);
    if (answer)
        integrate(gateway, &proxy, route, answer, reply);
    cJSON_Delete(answer);
    segments_stage_end(stage, reply->status, reply->body_length);
    xray_trace_header_format(&header, header_text, sizeof(header_text));
    http_reply_header(reply, XRAY_TRACE_HEADER_NAME, header_text);
}

static void handle(void *data, const struct http_request *request, struct http_reply *reply)
{
    struct gateway *gateway = data;
    int64_t began_ns = now_ns();
    char request_id[UUID_SIZE], lasted[32];
    bool path_known;
    const struct route *route = find_route(request, &path_known);

    random_uuid(request_id);
    if (route) {
        serve(gateway, request, route, request_id, reply);
    } else {
        const char *path = is_text(request->path, strlen(request->path)) ? request->path : "this";
        char *message = text_format("No route for %s %s", request->method, path);
        fail(reply, request_id, path_known ? 405 : 404, "NotFoundException", message);
        free(message);
    }
    http_reply_header(reply, "x-amzn-RequestId", request_id);
    log_line("%s %s → %d, %s", request->method, request->path, reply->status,
             duration_text(now_ns() - began_ns, lasted));
}

/* No function hears of it, nor does the authorizer. */
static void refuse_large(void *data, const struct http_request *request, struct http_reply *reply)
{
    char request_id[UUID_SIZE];

    (void)data;
    random_uuid(request_id);
    fail(reply, request_id, 413, "RequestTooLargeException", "Request Too Long");
    http_reply_header(reply, "x-amzn-RequestId", request_id);
    log_line("%s %s → 413", request->method, request->path);
}

/* ---- Set up ------------------------------------------------------------------------- */

int gateway_start(struct gateway **ret, const struct gateway_params *params)
{
    struct gateway *gateway = memory_new(sizeof(*gateway));
    pthread_condattr_t monotonic;

    gateway->params = *params;
    pthread_mutex_init(&gateway->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&gateway->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    int error = http_server_start(
        &gateway->server,
        &(struct http_server_params){ .port = port_choose(params->port, "the front door"),
                                      .body_limit = BODY_LIMIT,
                                      .handle = handle,
                                      .refuse = refuse_large,
                                      .data = gateway });
    if (error) {
        log_error("the front door cannot listen: %s", strerror(-error));
        gateway_free(gateway);
        return error;
    }
    *ret = gateway;
    return 0;
}

uint16_t gateway_port(const struct gateway *gateway)
{
    return http_server_port(gateway->server);
}

void gateway_free(struct gateway *gateway)
{
    if (!gateway)
        return;
    http_server_free(gateway->server);
    pthread_mutex_lock(&gateway->lock);
    while (gateway->calls)
        pthread_cond_wait(&gateway->changed, &gateway->lock);
    pthread_mutex_unlock(&gateway->lock);
    pthread_cond_destroy(&gateway->changed);
    pthread_mutex_destroy(&gateway->lock);
    free(gateway);
}
