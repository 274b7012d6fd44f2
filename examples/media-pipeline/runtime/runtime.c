/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/runtime.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/api_client.h"
#include "runtime/cleanup.h"
#include "runtime/clock.h"
#include "runtime/log.h"
#include "runtime/stop.h"
#include "runtime/text.h"

/* Lambda's limit for an answer. */
#define MAX_ANSWER_BYTES ((size_t)6 * 1024 * 1024)

/* Lambda's longest timeout, for an engine that tells none. */
#define DEFAULT_DEADLINE_MS ((int64_t)15 * 60 * 1000)

/* Documents leave as they end; this is for an emitter that has a queue. */
#define FLUSH_TIMEOUT_MS 1000

#define MAX_CONNECT_TRIES 5

/* Lambda's limit for initialization. Who is called later than that did not wait for it. */
#define MAX_INIT_AGE_NS ((int64_t)10 * 1000 * 1000 * 1000)

/* Enough to tell users apart, and too little to be looked up by. */
#define USER_HASH_LENGTH 16

int64_t invocation_time_left(const struct invocation *invocation, int64_t reserve_ms)
{
    int64_t left = invocation->deadline_ms - clock_now_ms() - reserve_ms;
    return left > 0 ? left : 0;
}

void invocation_annotate(struct invocation *invocation, const char *key, const char *value)
{
    if (value && *value)
        xray_annotate(invocation->segment, key, value);
}

void invocation_annotate_user(struct invocation *invocation, const char *user_id)
{
    char hash[TEXT_HASH_SIZE];
    if (!user_id || !*user_id || !text_hash(user_id, strlen(user_id), hash))
        return;
    hash[USER_HASH_LENGTH] = '\0';
    xray_annotate(invocation->segment, "user_id", hash);
}

/* OS-only runtimes get no variable from Lambda; what is called here may look for it. */
static void publish_trace(const char *trace_id)
{
    if (*trace_id)
        setenv("_X_AMZN_TRACE_ID", trace_id, 1);
    else
        unsetenv("_X_AMZN_TRACE_ID");
}

static void log_trace(const char *request_id, const char *trace_id)
{
    xray_trace_header header = { 0 };
    char root[XRAY_TRACE_ID_SIZE] = "";
    static const xray_trace_id none = { 0 };
    if (xray_trace_header_parse(&header, trace_id) == 0 &&
        memcmp(&header.trace_id, &none, sizeof(none)) != 0)
        xray_trace_id_format(header.trace_id, root, sizeof(root));
    log_set_request(request_id, root);
}

/* The handler's answer as text, or NULL with the failure set. */
static char *call_handler(const struct runtime_params *params, struct invocation *invocation,
                          const struct text *body)
{
    AUTO_JSON cJSON *event = cJSON_ParseWithLength(body->data ? body->data : "", body->length);
    if (!event) {
        failure_set(&invocation->failure, 0, "Runtime.InvalidEvent", "the event is not JSON");
        return NULL;
    }
    AUTO_JSON cJSON *answer = params->handler(params->data, invocation, event);
    if (!answer) {
        if (!invocation->failure.type[0])
            failure_set(&invocation->failure, 0, "Runtime.NoAnswer",
                        "the handler gave neither an answer nor a failure");
        return NULL;
    }
    char *text = cJSON_PrintUnformatted(answer);
    if (!text) {
        failure_set(&invocation->failure, 0, "Runtime.OutOfMemory", "out of memory for the answer");
        return NULL;
    }
    size_t length = strlen(text);
    if (length > MAX_ANSWER_BYTES) {
        failure_set(&invocation->failure, 0, "Function.ResponseSizeTooLarge",
                    "the answer has %zu bytes, and Lambda takes %zu", length, MAX_ANSWER_BYTES);
        free(text);
        return NULL;
    }
    return text;
}

/*
 * What this process did before it asked for work, beside Lambda's Initialization:
 * there was no trace yet. An environment that was started ahead kept nobody waiting.
 */
static void record_init(xray_segment *facade, int64_t started_ns, int64_t initialized_ns)
{
    if (started_ns <= 0 || clock_now_ns() - initialized_ns > MAX_INIT_AGE_NS)
        return;
    xray_segment *init = xray_start_subsegment_with(
        facade, xray_subsegment_params(.name = "bootstrap", .start_ns = started_ns));
    xray_end_at(init, initialized_ns);
}

/* Everything that belongs to the trace, which is out when this returns. */
static char *handle(const struct runtime_params *params, struct invocation *invocation,
                    const struct api_event *event, int64_t initialized_ns)
{
    xray_segment *facade = xray_lambda_begin(params->recorder,
                                             *event->trace_id ? event->trace_id : NULL);
    if (invocation->cold_start)
        record_init(facade, params->started_ns, initialized_ns);
    invocation->segment = xray_begin_subsegment(params->function);
    xray_annotate(invocation->segment, "coldstart", xray_bool(invocation->cold_start));

    char *answer = call_handler(params, invocation, &event->body);
    if (!answer)
        failure_record(&invocation->failure, invocation->segment);
    xray_end(invocation->segment);
    invocation->segment = NULL;

    /* An answer in time is worth more than the last segment. */
    int64_t left = invocation_time_left(invocation, 0) / 4;
    if (xray_lambda_end(facade, left < FLUSH_TIMEOUT_MS ? (int)left : FLUSH_TIMEOUT_MS) < 0)
        log_write(LOG_WARNING, NULL, "the trace was not sent in time");
    return answer;
}

static int post_answer(struct api_client *client, const struct invocation *invocation,
                       const char *answer)
{
    struct failure refused = { 0 };
    int result;
    if (answer) {
        result = api_client_respond(client, invocation->request_id, answer, strlen(answer),
                                    &refused);
        if (result == -EMSGSIZE) {
            struct failure too_large = { 0 };
            failure_set(&too_large, 0, "Function.ResponseSizeTooLarge",
                        "the answer of %zu bytes was refused", strlen(answer));
            result = api_client_fail(client, invocation->request_id, &too_large, &refused);
        }
    } else {
        result = api_client_fail(client, invocation->request_id, &invocation->failure, &refused);
    }
    if (result < 0)
        log_write(result == -ESTALE ? LOG_WARNING : LOG_ERROR, NULL, "answer not taken: %s",
                  refused.message);
    return result == -ESTALE || result == -EMSGSIZE ? 0 : result;
}

static int serve(const struct runtime_params *params, struct api_client *client,
                 struct api_event *event, bool cold_start, int64_t initialized_ns)
{
    struct invocation invocation = {
        .function = params->function,
        .request_id = event->request_id,
        .function_arn = event->function_arn,
        .deadline_ms = event->deadline_ms > 0 ? event->deadline_ms
                                              : clock_now_ms() + DEFAULT_DEADLINE_MS,
        .cold_start = cold_start,
    };
    publish_trace(event->trace_id);
    log_trace(event->request_id, event->trace_id);

    AUTO_FREE char *answer = handle(params, &invocation, event, initialized_ns);
    if (!answer) {
        cJSON *fields = cJSON_CreateObject();
        cJSON_AddStringToObject(fields, "errorType", invocation.failure.type);
        log_write(invocation.failure.caller ? LOG_INFO : LOG_ERROR, fields, "%s",
                  invocation.failure.message);
    }
    int result = post_answer(client, &invocation, answer);
    log_set_request(NULL, NULL);
    return result;
}

int runtime_run(const struct runtime_params *params)
{
    AUTO_API_CLIENT struct api_client *client = NULL;
    struct api_event event = { 0 };
    struct failure failure = { 0 };
    int result = api_client_new(&client, params->api);
    if (result < 0) {
        log_write(LOG_ERROR, NULL,
                  "AWS_LAMBDA_RUNTIME_API is \"%s\": it should be host:port, and Lambda sets it",
                  params->api ? params->api : "");
        return result;
    }

    bool cold_start = true;
    int64_t initialized_ns = clock_now_ns();
    for (int tries = 0; !stop_requested();) {
        stop_set_idle(true);
        result = api_client_next(client, &event, &failure);
        stop_set_idle(false);
        if (result == -ECONNREFUSED && ++tries < MAX_CONNECT_TRIES) {
            clock_sleep_ms((int64_t)50 << tries);
            continue;
        }
        if (result < 0) {
            log_write(LOG_ERROR, NULL, "%s", failure.message);
            break;
        }
        tries = 0;
        result = serve(params, client, &event, cold_start, initialized_ns);
        cold_start = false;
        if (result < 0)
            break;
    }
    text_release(&event.body);
    return result;
}

void runtime_fail_init(const char *api, const struct failure *failure)
{
    AUTO_API_CLIENT struct api_client *client = NULL;
    struct failure refused = { 0 };
    log_write(LOG_ERROR, NULL, "initialization failed: %s", failure->message);
    if (api_client_new(&client, api) < 0)
        return;
    if (api_client_fail_init(client, failure, &refused) < 0)
        log_write(LOG_ERROR, NULL, "%s", refused.message);
}
