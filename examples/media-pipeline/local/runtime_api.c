/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Lambda Runtime API, version 2018-06-01, of one environment: next,
 * response, error and init/error, with the states in which Lambda takes them.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "environment.h"

#define BASE "/2018-06-01/runtime/"

static void refuse(struct http_reply *reply, int status, const char *type, const char *message)
{
    cJSON *body = json_object(NULL, NULL);

    json_text(body, "errorType", type);
    json_text(body, "errorMessage", message);
    char *text = json_print(body);
    http_reply_text(reply, status, "application/json", text);
    free(text);
    cJSON_Delete(body);
}

static void acknowledge(struct http_reply *reply)
{
    http_reply_text(reply, 202, "application/json", "{\"status\":\"OK\"}");
}

/* ---- next ----------------------------------------------------------------------------- */

/* Lambda takes the environment away from the runtime until there is work. */
static void become_idle(struct environment *environment)
{
    if (environment->state == ENVIRONMENT_DEAD)
        return;
    if (!environment->invocation && !environment->reserved) {
        environment->state = ENVIRONMENT_IDLE;
        environment->idle_since_ms = now_ms();
        environment_freeze(environment);
    }
    pthread_cond_broadcast(&environment->lambda->changed);
}

static void deliver(struct environment *environment, struct http_reply *reply)
{
    struct invocation *invocation = environment->invocation;
    const struct function *function = environment->function;
    int64_t now = now_ms();
    char deadline[24];

    environment->state = ENVIRONMENT_BUSY;
    environment->deadline_ms = now + function->timeout_s * INT64_C(1000);
    invocation->delivered = true;
    invocation->delivered_ns = now_ns();
    invocation->initialized_ns = environment->initialized_ns;
    snprintf(deadline, sizeof(deadline), "%lld", (long long)environment->deadline_ms);

    reply->status = 200;
    reply->body = text_copy_length(invocation->payload, invocation->payload_length);
    reply->body_length = invocation->payload_length;
    http_reply_header(reply, "Content-Type", "application/json");
    http_reply_header(reply, "Lambda-Runtime-Aws-Request-Id", invocation->request_id);
    http_reply_header(reply, "Lambda-Runtime-Deadline-Ms", deadline);
    http_reply_header(reply, "Lambda-Runtime-Invoked-Function-Arn", function->arn);
    if (invocation->trace_header[0])
        http_reply_header(reply, "Lambda-Runtime-Trace-Id", invocation->trace_header);
    http_reply_header(reply, "Lambda-Runtime-Client-Context", invocation->client_context);
    /* The waiting thread has another deadline from now on. */
    pthread_cond_broadcast(&environment->lambda->changed);
}

static void next(struct environment *environment, struct http_reply *reply)
{
    struct lambda *lambda = environment->lambda;

    if (environment->state == ENVIRONMENT_BUSY && !environment->answered) {
        refuse(reply, 403, "InvalidStateTransition",
               "the invocation has to be answered before the next one");
        return;
    }
    if (!environment->initialized_ns)
        environment->initialized_ns = now_ns();
    become_idle(environment);
    while (!environment->invocation && environment->state != ENVIRONMENT_DEAD && !lambda->stopping)
        lambda_wait(lambda, now_ms() + 60000);
    if (environment->invocation && !lambda->stopping)
        deliver(environment, reply);
    /* Else no status: the connection is closed, and the environment with it. */
}

/* ---- response and error ----------------------------------------------------------- */

static bool is_current(struct environment *environment, const char *id, size_t id_length,
                       struct http_reply *reply)
{
    if (strlen(environment->request_id) != id_length ||
        strncmp(environment->request_id, id, id_length) != 0) {
        refuse(reply, 400, "InvalidRequestID", "not the invocation that was given out last");
        return false;
    }
    if (environment->answered || !environment->invocation || !environment->invocation->delivered) {
        refuse(reply, 403, "InvalidStateTransition", "the invocation is over");
        return false;
    }
    return true;
}

static void finish(struct environment *environment, const struct http_request *request,
                   bool is_error)
{
    struct invocation *invocation = environment->invocation;
    const char *cause = http_request_header(request, "Lambda-Runtime-Function-XRay-Error-Cause");

    if (!is_error && request->body_length > LAMBDA_ANSWER_LIMIT) {
        invocation_fail(invocation, "Function.ResponseSizeTooLarge",
                        "the answer is larger than 6 MiB");
    } else {
        invocation->answer = text_copy_length(request->body, request->body_length);
        invocation->answer_length = request->body_length;
        invocation->failed = is_error;
        invocation->done = true;
        invocation->done_ns = now_ns();
        if (is_error && cause && strlen(cause) <= LAMBDA_CAUSE_LIMIT)
            invocation->cause = text_copy(cause);
    }
    environment->answered = true;
    environment->invocation = NULL;
    pthread_cond_broadcast(&environment->lambda->changed);
}

static void answer(struct environment *environment, const struct http_request *request,
                   const char *id, struct http_reply *reply)
{
    const char *verb = strchr(id, '/');
    const char *mode = http_request_header(request, "Lambda-Runtime-Function-Response-Mode");

    if (!verb || (strcmp(verb, "/response") != 0 && strcmp(verb, "/error") != 0)) {
        refuse(reply, 404, "NotFound", "no such call");
        return;
    }
    if (!is_current(environment, id, (size_t)(verb - id), reply))
        return;
    bool is_error = strcmp(verb, "/error") == 0;
    if (mode && !is_error) {
        refuse(reply, 400, "Runtime.InvalidResponseModeHeader",
               "answers are buffered here; streaming needs a function URL");
        return;
    }
    bool too_large = !is_error && request->body_length > LAMBDA_ANSWER_LIMIT;
    finish(environment, request, is_error);
    if (too_large)
        refuse(reply, 413, "RequestEntityTooLarge", "the answer is larger than 6 MiB");
    else
        acknowledge(reply);
}

static void init_error(struct environment *environment, const struct http_request *request,
                       struct http_reply *reply)
{
    if (environment->state != ENVIRONMENT_STARTING) {
        refuse(reply, 403, "InvalidStateTransition", "initialization is over");
        return;
    }
    if (!environment->init_error)
        environment->init_error = text_copy_length(request->body, request->body_length);
    acknowledge(reply);
}

void runtime_api(void *data, const struct http_request *request, struct http_reply *reply)
{
    struct environment *environment = data;
    const char *path = request->path;
    bool is_get = strcmp(request->method, "GET") == 0;
    bool is_post = strcmp(request->method, "POST") == 0;

    pthread_mutex_lock(&environment->lambda->lock);
    if (is_get && strcmp(path, BASE "invocation/next") == 0)
        next(environment, reply);
    else if (is_post && strcmp(path, BASE "init/error") == 0)
        init_error(environment, request, reply);
    else if (is_post && strncmp(path, BASE "invocation/", strlen(BASE "invocation/")) == 0)
        answer(environment, request, path + strlen(BASE "invocation/"), reply);
    else
        refuse(reply, 404, "NotFound", "no such call");
    pthread_mutex_unlock(&environment->lambda->lock);
}
