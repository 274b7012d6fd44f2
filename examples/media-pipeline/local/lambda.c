/* SPDX-License-Identifier: Apache-2.0 */
/* Functions, calls that wait, and events: a thread each, from acceptance to the last attempt. */

#include "lambda.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <xraytrace/xraytrace.h>

#include "environment.h"
#include "segments.h"
#include "tracing.h"

#define EVENT_LIMIT      4096
#define EVENT_STACK_SIZE (256 << 10)

/* ---- Set up --------------------------------------------------------------------------- */

int lambda_new(struct lambda **ret, const struct lambda_params *params)
{
    struct lambda *lambda = memory_new(sizeof(*lambda));
    pthread_condattr_t monotonic;

    lambda->params = *params;
    pthread_mutex_init(&lambda->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&lambda->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    int error = -pthread_create(&lambda->janitor, NULL, environment_janitor, lambda);
    if (error) {
        log_error("cannot start a thread: %s", strerror(-error));
        lambda_free(lambda);
        return error;
    }
    lambda->janitor_runs = true;
    *ret = lambda;
    return 0;
}

void lambda_add_function(struct lambda *lambda, const struct lambda_function_params *params)
{
    struct function *function = memory_new(sizeof(*function));
    size_t count = 0;

    while (params->environment[count])
        count++;
    function->lambda = lambda;
    function->name = text_copy(params->name);
    function->arn = text_format("arn:aws:lambda:%s:123456789012:function:%s", lambda->params.region,
                                params->name);
    function->environment = memory_new((count + 1) * sizeof(*function->environment));
    for (size_t i = 0; i < count; i++)
        function->environment[i] = text_copy(params->environment[i]);
    function->timeout_s = params->timeout_s;
    function->memory_mib = params->memory_mib;
    function->concurrency = params->concurrency;
    function->is_traced = params->is_traced;
    function->moto_port = params->moto_port;
    function->control_port = params->control_port;
    function->faults = params->faults;
    function->next = lambda->functions;
    lambda->functions = function;
}

void lambda_stop(struct lambda *lambda)
{
    pthread_mutex_lock(&lambda->lock);
    lambda->stopping = true;
    pthread_cond_broadcast(&lambda->changed);
    pthread_mutex_unlock(&lambda->lock);
}

void lambda_free(struct lambda *lambda)
{
    if (!lambda)
        return;
    lambda_stop(lambda);
    pthread_mutex_lock(&lambda->lock);
    while (lambda->events)
        pthread_cond_wait(&lambda->changed, &lambda->lock);
    pthread_mutex_unlock(&lambda->lock);
    if (lambda->janitor_runs)
        pthread_join(lambda->janitor, NULL);

    while (lambda->functions) {
        struct function *function = lambda->functions;
        lambda->functions = function->next;
        for (char **variable = function->environment; *variable; variable++)
            free(*variable);
        free(function->environment);
        free(function->name);
        free(function->arn);
        free(function);
    }
    pthread_cond_destroy(&lambda->changed);
    pthread_mutex_destroy(&lambda->lock);
    free(lambda);
}

bool lambda_wait(struct lambda *lambda, int64_t until_ms)
{
    int64_t left = (until_ms - now_ms()) * NS_PER_MS;
    struct timespec until;

    if (left <= 0)
        return false;
    clock_gettime(CLOCK_MONOTONIC, &until);
    left += until.tv_nsec;
    until.tv_sec += left / NS_PER_SECOND;
    until.tv_nsec = left % NS_PER_SECOND;
    return pthread_cond_timedwait(&lambda->changed, &lambda->lock, &until) == 0;
}

struct function *lambda_find(struct lambda *lambda, const char *name)
{
    for (struct function *function = lambda->functions; function; function = function->next)
        if (strcmp(function->name, name) == 0)
            return function;
    return NULL;
}

/* ---- One attempt ---------------------------------------------------------------------- */

static void report(const struct function *function, const struct invocation *invocation, bool cold)
{
    char lasted[32];

    duration_text(invocation->delivered_ns ? invocation->done_ns - invocation->delivered_ns : 0,
                  lasted);
    log_line("%-18s %s  %s%s%.300s", function->name, lasted, cold ? "cold" : "warm",
             invocation->failed ? "  failed: " : "", invocation->failed ? invocation->answer : "");
}

/* The segment of Lambda itself, when it traces the function. */
static xray_segment *begin_service(const struct function *function, const xray_trace_header *caller,
                                   const char *request_id)
{
    return function->is_traced ? segments_service_begin(function->lambda->params.segments,
                                                        function->name, caller, request_id)
                               : NULL;
}

/* Runs the invocation in an environment that was acquired, and tells X-Ray. With the lock. */
static void run(struct function *function, struct environment *environment, bool cold,
                struct invocation *invocation, xray_segment *service, bool is_event)
{
    struct lambda *lambda = function->lambda;
    int64_t started_ns = cold ? environment->started_ns : 0;
    xray_segment *segment = NULL;
    xray_trace_header header;

    pthread_mutex_unlock(&lambda->lock);
    if (function->is_traced) {
        segment = segments_function_begin(lambda->params.segments, function->name, service,
                                          invocation->request_id, started_ns, is_event);
        xray_get_header(segment, &header);
    } else {
        tracing_pass_through(invocation->caller, &header);
    }
    xray_trace_header_format(&header, invocation->trace_header, sizeof(invocation->trace_header));

    pthread_mutex_lock(&lambda->lock);
    environment_run(environment, invocation);
    pthread_mutex_unlock(&lambda->lock);

    segments_function_end(segment,
                          &(struct function_times){ started_ns, invocation->initialized_ns,
                                                    invocation->delivered_ns, invocation->done_ns },
                          invocation->failed ? invocation->answer : NULL, invocation->cause);
    report(function, invocation, cold);
    free(invocation->cause);
    pthread_mutex_lock(&lambda->lock);
}

/* ---- Refusals -------------------------------------------------------------------------- */

static void refuse(struct lambda_result *ret, int status, const char *type, const char *format, ...)
    __attribute__((__format__(__printf__, 4, 5)));

static void refuse(struct lambda_result *ret, int status, const char *type, const char *format, ...)
{
    char message[512];
    va_list arguments;
    cJSON *body = json_object(NULL, NULL);

    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    json_text(body, "Type", "User");
    json_text(body, "message", message);
    ret->status = status;
    ret->error_type = type;
    ret->payload = json_print(body);
    ret->payload_length = strlen(ret->payload);
    cJSON_Delete(body);
}

/* The function, or NULL with the refusal. */
static struct function *check(struct lambda *lambda, const struct lambda_call *call, size_t limit,
                              struct lambda_result *ret)
{
    struct function *function = lambda_find(lambda, call->function);

    *ret = (struct lambda_result){ 0 };
    random_uuid(ret->request_id);
    if (!function) {
        refuse(ret, 404, "ResourceNotFoundException",
               "Function not found: arn:aws:lambda:%s:123456789012:function:%.140s",
               lambda->params.region, call->function);
        return NULL;
    }
    if (call->payload_length > limit) {
        refuse(ret, 413, "RequestTooLargeException",
               "%zu byte payload is too large for the invocation type (limit %zu bytes)",
               call->payload_length, limit);
        return NULL;
    }
    if (call->payload_length) {
        cJSON *json = cJSON_ParseWithLength(call->payload, call->payload_length);
        if (!json || !is_text(call->payload, call->payload_length)) {
            cJSON_Delete(json);
            refuse(ret, 400, "InvalidRequestContentException",
                   "Could not parse request body into json");
            return NULL;
        }
        cJSON_Delete(json);
    }
    return function;
}

void lambda_result_free(struct lambda_result *result)
{
    free(result->payload);
    *result = (struct lambda_result){ 0 };
}

/* ---- The three kinds of calls ------------------------------------------------------- */

static void fill_invocation(struct invocation *invocation, const struct lambda_call *call,
                            const char *request_id)
{
    *invocation = (struct invocation){
        .request_id = request_id,
        .payload = call->payload_length ? call->payload : "{}",
        .payload_length = call->payload_length ? call->payload_length : 2,
        .client_context = call->client_context,
        .caller = call->trace,
    };
}

void lambda_invoke(struct lambda *lambda, const struct lambda_call *call, struct lambda_result *ret)
{
    struct function *function = check(lambda, call, LAMBDA_SYNC_PAYLOAD_LIMIT, ret);
    struct environment *environment = NULL;
    struct invocation invocation;
    bool cold = false;

    if (!function)
        return;
    xray_segment *service = begin_service(function, call->trace, ret->request_id);
    fill_invocation(&invocation, call, ret->request_id);
    pthread_mutex_lock(&lambda->lock);
    int error = environment_acquire(function, &environment, &cold);
    if (!error)
        run(function, environment, cold, &invocation, service, false);
    pthread_mutex_unlock(&lambda->lock);

    if (error == -EAGAIN) {
        refuse(ret, 429, "TooManyRequestsException", "Rate Exceeded.");
    } else if (error) {
        refuse(ret, 500, "ServiceException", "no environment could be started: %s",
               strerror(-error));
    } else {
        ret->status = 200;
        ret->function_error = invocation.failed;
        ret->payload = invocation.answer;
        ret->payload_length = invocation.answer_length;
    }
    segments_service_end(service, ret);
}

void lambda_dry_run(struct lambda *lambda, const struct lambda_call *call,
                    struct lambda_result *ret)
{
    if (check(lambda, call, LAMBDA_SYNC_PAYLOAD_LIMIT, ret))
        ret->status = 204;
}

/* ---- Events ------------------------------------------------------------------------- */

struct event {
    struct function *function;
    char request_id[UUID_SIZE];
    char *payload;
    size_t payload_length;
    char *client_context;
    xray_trace_header caller;
    xray_segment *service;
    int64_t accepted_ns;
};

static bool is_too_old(const struct event *event)
{
    const struct lambda_params *params = &event->function->lambda->params;

    return now_ns() - event->accepted_ns > params->event_age_ms * NS_PER_MS;
}

/* Waits for a free environment, unless the event gets too old: -ETIMEDOUT. With the lock. */
static int acquire_patiently(const struct event *event, struct environment **ret, bool *ret_cold)
{
    int error;

    while (!is_too_old(event)) {
        error = environment_acquire(event->function, ret, ret_cold);
        if (error != -EAGAIN)
            return error;
        lambda_wait(event->function->lambda, now_ms() + 1000);
    }
    log_line("%s: event %s is dropped, since it waited too long", event->function->name,
             event->request_id);
    return -ETIMEDOUT;
}

/* Sleeps before a retry; false when stopping. With the lock. */
static bool pause_before_retry(struct lambda *lambda, int retry)
{
    int64_t until = now_ms() + lambda->params.retry_ms[retry];

    while (!lambda->stopping && now_ms() < until)
        lambda_wait(lambda, until);
    return !lambda->stopping;
}

/* Attempts until one succeeds; *ret has the last one's outcome. With the lock. */
static void attempt_event(struct event *event, struct lambda_result *ret)
{
    struct lambda *lambda = event->function->lambda;
    const struct lambda_call call = { .payload = event->payload,
                                      .payload_length = event->payload_length,
                                      .client_context = event->client_context,
                                      .trace = &event->caller };

    for (int attempt = 0; attempt <= LAMBDA_EVENT_RETRIES; attempt++) {
        struct environment *environment = NULL;
        struct invocation invocation;
        bool cold = false;

        if (attempt && !pause_before_retry(lambda, attempt - 1))
            return;
        free(ret->payload);
        ret->payload = NULL;
        fill_invocation(&invocation, &call, event->request_id);
        if (acquire_patiently(event, &environment, &cold) != 0)
            return;
        if (attempt == 0)
            segments_dwell(event->service, event->accepted_ns);
        run(event->function, environment, cold, &invocation, event->service, true);
        ret->payload = invocation.answer;
        ret->payload_length = invocation.answer_length;
        ret->function_error = invocation.failed;
        if (!invocation.failed)
            return;
    }
    log_line("%s: gave up on event %s after %d attempts", event->function->name, event->request_id,
             LAMBDA_EVENT_RETRIES + 1);
}

static void *run_event(void *data)
{
    struct event *event = data;
    struct lambda *lambda = event->function->lambda;
    struct lambda_result result = { .status = 202 };

    pthread_mutex_lock(&lambda->lock);
    attempt_event(event, &result);
    pthread_mutex_unlock(&lambda->lock);
    segments_service_end(event->service, &result);
    lambda_result_free(&result);
    free(event->payload);
    free(event->client_context);
    free(event);

    pthread_mutex_lock(&lambda->lock);
    lambda->events--;
    pthread_cond_broadcast(&lambda->changed);
    pthread_mutex_unlock(&lambda->lock);
    return NULL;
}

static int start_event_thread(struct event *event)
{
    pthread_attr_t attributes;
    pthread_t thread;

    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, EVENT_STACK_SIZE);
    int error = pthread_create(&thread, &attributes, run_event, event);
    pthread_attr_destroy(&attributes);
    return -error;
}

/* Counts the event in, unless there are too many already. */
static bool enter_queue(struct lambda *lambda)
{
    pthread_mutex_lock(&lambda->lock);
    bool entered = !lambda->stopping && lambda->events < EVENT_LIMIT;
    if (entered)
        lambda->events++;
    pthread_mutex_unlock(&lambda->lock);
    return entered;
}

void lambda_enqueue(struct lambda *lambda, const struct lambda_call *call,
                    struct lambda_result *ret)
{
    struct function *function = check(lambda, call, LAMBDA_EVENT_PAYLOAD_LIMIT, ret);

    if (!function)
        return;
    if (!enter_queue(lambda)) {
        refuse(ret, 429, "TooManyRequestsException", "Rate Exceeded.");
        return;
    }
    struct event *event = memory_new(sizeof(*event));
    event->function = function;
    memcpy(event->request_id, ret->request_id, sizeof(event->request_id));
    event->payload = text_copy_length(call->payload, call->payload_length);
    event->payload_length = call->payload_length;
    event->client_context = call->client_context ? text_copy(call->client_context) : NULL;
    event->accepted_ns = now_ns();
    if (call->trace)
        event->caller = *call->trace;
    event->service = begin_service(function, call->trace, ret->request_id);
    segments_service_accepted(event->service);
    ret->status = 202;

    if (start_event_thread(event) != 0) {
        pthread_mutex_lock(&lambda->lock);
        lambda->events--;
        pthread_mutex_unlock(&lambda->lock);
        refuse(ret, 500, "ServiceException", "no thread for the event");
        segments_service_end(event->service, ret);
        free(event->payload);
        free(event->client_context);
        free(event);
    }
}

/* ---- For the control port ----------------------------------------------------------- */

cJSON *lambda_describe(struct lambda *lambda)
{
    static const char *const states[] = { "starting", "idle", "busy", "dead" };
    cJSON *list = cJSON_CreateArray();

    pthread_mutex_lock(&lambda->lock);
    for (struct environment *environment = lambda->environments; environment;
         environment = environment->next) {
        cJSON *entry = json_object(NULL, NULL);
        json_text(entry, "function", environment->function->name);
        json_number(entry, "environment", environment->number);
        json_number(entry, "pid", process_id(environment->process));
        json_text(entry, "state", states[environment->state]);
        json_text(entry, "requestId", environment->request_id);
        json_text(entry, "log", environment->log_path);
        cJSON_AddBoolToObject(entry, "frozen", environment->frozen);
        cJSON_AddItemToArray(list, entry);
    }
    pthread_mutex_unlock(&lambda->lock);
    return list;
}
