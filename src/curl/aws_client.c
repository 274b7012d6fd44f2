/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client of one AWS service: its settings, and a call from beginning to end.
 * One subsegment covers all tries of a call; each try is signed anew.
 */
#include "aws_client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "aws_retry.h"
#include "log.h"
#include "params.h"

enum {
    DEFAULT_CONNECT_TIMEOUT_MS = 3000,
    DEFAULT_TIMEOUT_MS = 30000,
};

/* ---- Settings ---------------------------------------------------------------------------- */

static const char *find_region(const char *given)
{
    static const char *const VARIABLES[] = { "AWS_REGION", "AWS_DEFAULT_REGION" };

    for (size_t i = 0; !(given && given[0]) && i < sizeof(VARIABLES) / sizeof(*VARIABLES); i++)
        given = getenv(VARIABLES[i]);
    return given && given[0] ? given : NULL;
}

static int set_region(xray_aws_client *client, const char *given)
{
    const char *region = find_region(given);

    if (!region) {
        xr_curl_log_error("no AWS region for a client of \"%s\": set AWS_REGION, or region in "
                          "xray_aws_client_params",
                          client->service.host);
        return -EINVAL;
    }
    if (!xr_aws_region_is_valid(region)) {
        xr_curl_log_error("\"%.64s\" is not an AWS region, such as \"us-east-1\"", region);
        return -EINVAL;
    }
    xr_aws_copy_text(client->region, sizeof(client->region), region);
    return 0;
}

/* The URL itself may hold a password: it is not shown. */
static int set_endpoint(xray_aws_client *client, const char *given)
{
    char source[XR_AWS_SOURCE_SIZE];
    int r = xr_aws_endpoint_find(&client->endpoint, &client->service, client->region,
                                 given && given[0] ? given : NULL, source);

    if (r == -EINVAL)
        xr_curl_log_error("%s is not a URL like \"http://localhost:5000\": it needs http or https "
                          "and a host, and has no user, query or fragment",
                          source);
    return r;
}

static int configure(xray_aws_client *client, const char *service,
                     const xray_aws_client_params *params)
{
    const char *name;
    int r = xr_aws_service_find(&client->service, service);

    if (r < 0) {
        xr_curl_log_error("a client needs a service as it is in the service's host, such as "
                          "\"dynamodb\"");
        return r;
    }
    r = set_region(client, params->region);
    if (r == 0)
        r = set_endpoint(client, params->endpoint_url);
    if (r < 0)
        return r;
    client->max_attempts = xr_aws_max_attempts(params->max_attempts);
    client->connect_timeout_ms = params->connect_timeout_ms > 0 ? params->connect_timeout_ms
                                                                : DEFAULT_CONNECT_TIMEOUT_MS;
    client->timeout_ms = params->timeout_ms > 0 ? params->timeout_ms : DEFAULT_TIMEOUT_MS;
    name = params->name && params->name[0] ? params->name : client->service.id;
    client->name = strdup(name);
    return client->name ? 0 : -ENOMEM;
}

int xray_aws_client_new(xray_aws_client **ret, const char *service,
                        const xray_aws_client_params *params)
{
    xray_aws_client_params known = { .size = sizeof(known) };
    xray_aws_client *client;
    int r = ret ? 0 : -EINVAL;

    if (r == 0 && params)
        r = xr_curl_params_read(&known, sizeof(known), params);
    if (r == -E2BIG)
        xr_curl_log_error("xray_aws_client_params has members that this version of the library "
                          "does not know: update the library, or leave them zero");
    if (r < 0)
        return r;
    client = calloc(1, sizeof(*client));
    if (!client)
        return -ENOMEM;
    xr_curl_connection_init(&client->connection);
    r = configure(client, service, &known);
    if (r < 0) {
        xray_aws_client_free(client);
        return r;
    }
    *ret = client;
    return 0;
}

void xray_aws_client_free(xray_aws_client *client)
{
    if (!client)
        return;
    xr_curl_connection_close(&client->connection);
    free(client->name);
    free(client);
}

/* ---- One try ------------------------------------------------------------------------------- */

static const char *header_of(const void *data, const char *name)
{
    return xr_curl_connection_header(data, name);
}

/* S3 begins to answer these before it knows how they end. */
static bool may_fail_late(const xray_aws_client *client, const char *operation)
{
    return xr_aws_service_is_s3(&client->service) &&
           (strcmp(operation, "CompleteMultipartUpload") == 0 ||
            strcmp(operation, "CopyObject") == 0 || strcmp(operation, "UploadPartCopy") == 0);
}

static void read_reply(xray_aws_client *client, const xray_aws_request *request,
                       struct xr_aws_outcome *outcome)
{
    struct xr_aws_raw_reply raw = {
        .status = outcome->status,
        .header = header_of,
        .data = &client->connection,
        .body = xr_curl_buffer_text(&client->connection.body),
        .body_length = client->connection.body.length,
        .body_may_be_error = may_fail_late(client, request->operation),
        .body_is_data = xr_aws_service_is_s3(&client->service),
        .secret = getenv("AWS_SESSION_TOKEN"),
    };

    outcome->failed = xr_aws_answer_read(&client->answer, &raw);
    if (outcome->content_length < 0)
        outcome->content_length = (int64_t)raw.body_length;
}

static void explain_failure(xray_aws_client *client, const struct xr_aws_outcome *outcome)
{
    char *message = client->answer.error_message;
    size_t size = sizeof(client->answer.error_message);

    if (outcome->error == -EMSGSIZE)
        snprintf(message, size,
                 "the reply of %s is larger than this library reads: 16 MiB, and 64 KiB of headers",
                 client->endpoint.base);
    else if (outcome->result != CURLE_OK)
        snprintf(message, size, "%s: %s", client->endpoint.base,
                 curl_easy_strerror(outcome->result));
    else if (!message[0])
        snprintf(message, size, "%s", strerror(-outcome->error));
}

/* Returns true if another try may help. */
static bool try_once(xray_aws_client *client, const xray_aws_request *request,
                     struct xr_aws_message *message, struct xr_aws_outcome *outcome)
{
    struct xr_curl_call call = {
        .method = message->method,
        .url = xr_curl_buffer_text(&message->url),
        .headers = message->lines,
        .body = message->body,
        .body_length = message->body_length,
        .connect_timeout_ms = client->connect_timeout_ms,
        .timeout_ms = client->timeout_ms,
    };
    enum xr_aws_verdict verdict;

    client->answer = (struct xr_aws_answer){ 0 };
    *outcome = (struct xr_aws_outcome){ .retries = outcome->retries };
    outcome->error = xr_aws_message_sign(message, client, time(NULL));
    if (outcome->error == 0) {
        outcome->error = xr_curl_connection_call(&client->connection, &call);
        outcome->result = call.result;
    }
    if (outcome->error < 0) {
        explain_failure(client, outcome);
        return xr_aws_is_broken_connection(outcome->result);
    }
    outcome->status = call.status;
    outcome->content_length = call.content_length;
    read_reply(client, request, outcome);
    verdict = xr_aws_judge(call.status, client->answer.error_code);
    outcome->throttled = outcome->failed && verdict == XR_AWS_THROTTLED;
    /* A failure under a status of success is the service's own: it asks for another try. */
    return outcome->failed && verdict != XR_AWS_CLIENT_ERROR;
}

/* ---- A call ---------------------------------------------------------------------------------- */

static void fill_reply(const xray_aws_client *client, const struct xr_aws_outcome *outcome,
                       xray_aws_reply *ret)
{
    bool answered = outcome->status > 0;
    xray_aws_reply reply = {
        .status = outcome->status,
        .retries = outcome->retries,
        .body = answered ? xr_curl_buffer_text(&client->connection.body) : "",
        .body_length = answered ? client->connection.body.length : 0,
        .request_id = client->answer.request_id,
        .error_code = client->answer.error_code,
        .error_message = client->answer.error_message,
    };

    if (ret)
        xr_curl_params_write(ret, &reply, sizeof(reply));
}

static void call_with_retries(xray_aws_client *client, const xray_aws_request *request,
                              struct xr_aws_message *message, struct xr_aws_outcome *outcome)
{
    while (try_once(client, request, message, outcome) &&
           outcome->retries < client->max_attempts - 1) {
        xr_aws_retry_wait(outcome->retries, outcome->throttled);
        outcome->retries++;
    }
}

int xray_aws_call(xray_aws_client *client, const xray_aws_request *request, xray_aws_reply *ret)
{
    xray_aws_request known;
    struct xr_aws_message message = { 0 };
    struct xr_aws_outcome outcome = { 0 };
    xray_segment *segment;

    if (!client || !request || (ret && ret->size == 0))
        return -EINVAL;
    if (xr_curl_params_read(&known, sizeof(known), request) == -EINVAL)
        return -EINVAL;
    client->answer = (struct xr_aws_answer){ 0 };
    xr_curl_connection_reset(&client->connection);
    if (!known.operation || !known.operation[0]) {
        snprintf(client->answer.error_message, sizeof(client->answer.error_message),
                 "xray_aws_request needs an operation, such as \"GetItem\"");
        fill_reply(client, &outcome, ret);
        return -EINVAL;
    }
    segment = xr_aws_record_begin(client, &known);
    outcome.error = xr_aws_message_make(&message, client, &known, segment);
    if (outcome.error == 0)
        call_with_retries(client, &known, &message, &outcome);
    else
        explain_failure(client, &outcome);
    xr_aws_message_free(&message);
    xr_aws_record_end(segment, client, &outcome);
    fill_reply(client, &outcome, ret);
    if (outcome.error < 0)
        return outcome.error;
    return outcome.failed ? -EREMOTEIO : 0;
}

const char *xray_aws_reply_header(const xray_aws_client *client, const char *name)
{
    return client && name ? xr_curl_connection_header(&client->connection, name) : NULL;
}
