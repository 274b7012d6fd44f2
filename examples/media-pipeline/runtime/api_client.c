/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/api_client.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <curl/curl.h>

#include "runtime/cleanup.h"

/* Lambda's events have at most 6 MB; this leaves room for a local engine that is generous. */
#define MAX_EVENT_BYTES ((size_t)8 * 1024 * 1024)
#define MAX_REPLY_BYTES ((size_t)64 * 1024)
#define POST_TIMEOUT_MS 30000L

struct api_client {
    CURL *easy;
    char base[320];
    struct api_event *event; /* where the headers of the running request go, or NULL */
    struct text *body;
    size_t body_limit;
    struct text reply;
};

int api_client_new(struct api_client **ret, const char *api)
{
    if (!api || !*api || strlen(api) > 256 || strpbrk(api, " /?#@\r\n\t"))
        return -EINVAL;
    struct api_client *client = calloc(1, sizeof(*client));
    if (!client)
        return -ENOMEM;
    client->easy = curl_easy_init();
    if (!client->easy) {
        free(client);
        return -ENOMEM;
    }
    snprintf(client->base, sizeof(client->base), "http://%s/2018-06-01/runtime", api);
    *ret = client;
    return 0;
}

void api_client_free(struct api_client *client)
{
    if (!client)
        return;
    curl_easy_cleanup(client->easy);
    text_release(&client->reply);
    free(client);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *data)
{
    struct api_client *client = data;
    if (client->body->length + size * count > client->body_limit)
        return 0;
    text_add_bytes(client->body, bytes, size * count);
    return client->body->failed ? 0 : size * count;
}

/* Copies the value of "Name: value\r\n" when it has this name; a value that does not fit is cut. */
static bool take_header(const char *line, size_t length, const char *name, char *ret, size_t size)
{
    size_t name_length = strlen(name);
    if (length <= name_length || strncasecmp(line, name, name_length) != 0 ||
        line[name_length] != ':')
        return false;
    const char *value = line + name_length + 1;
    const char *end = line + length;
    while (value < end && isspace((unsigned char)*value))
        value++;
    while (end > value && isspace((unsigned char)end[-1]))
        end--;
    snprintf(ret, size, "%.*s", (int)(end - value), value);
    return true;
}

static size_t on_header(char *line, size_t size, size_t count, void *data)
{
    struct api_client *client = data;
    struct api_event *event = client->event;
    size_t length = size * count;
    char deadline[32];
    if (!event)
        return length;
    take_header(line, length, "Lambda-Runtime-Aws-Request-Id", event->request_id,
                sizeof(event->request_id));
    take_header(line, length, "Lambda-Runtime-Invoked-Function-Arn", event->function_arn,
                sizeof(event->function_arn));
    take_header(line, length, "Lambda-Runtime-Trace-Id", event->trace_id, sizeof(event->trace_id));
    if (take_header(line, length, "Lambda-Runtime-Deadline-Ms", deadline, sizeof(deadline)))
        event->deadline_ms = strtoll(deadline, NULL, 10);
    return length;
}

/* Options of every request; curl_easy_reset() keeps the connection. */
static void prepare(struct api_client *client, const char *url, struct text *body, size_t limit)
{
    CURL *easy = client->easy;
    curl_easy_reset(easy);
    text_clear(body);
    client->body = body;
    client->body_limit = limit;
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, 5000L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, client);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, client);
}

int api_client_next(struct api_client *client, struct api_event *event, struct failure *failure)
{
    char url[sizeof(client->base) + 32];
    snprintf(url, sizeof(url), "%s/invocation/next", client->base);
    prepare(client, url, &event->body, MAX_EVENT_BYTES);
    event->request_id[0] = event->function_arn[0] = event->trace_id[0] = '\0';
    event->deadline_ms = 0;
    client->event = event;
    /* The process may be frozen in here for hours. */
    curl_easy_setopt(client->easy, CURLOPT_TIMEOUT_MS, 0L);
    curl_easy_setopt(client->easy, CURLOPT_TCP_KEEPALIVE, 1L);

    CURLcode code = curl_easy_perform(client->easy);
    client->event = NULL;
    if (code == CURLE_WRITE_ERROR)
        return failure_set(failure, -EPROTO, "Runtime.EventTooLarge",
                           "the event has more than %zu bytes", MAX_EVENT_BYTES);
    if (code != CURLE_OK)
        return failure_set(failure, -ECONNREFUSED, "Runtime.ApiUnreachable", "GET %s: %s", url,
                           curl_easy_strerror(code));

    long status = 0;
    curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200)
        return failure_set(failure, -EPROTO, "Runtime.ApiRefused", "GET %s: status %ld", url,
                           status);
    if (!event->request_id[0])
        return failure_set(failure, -EPROTO, "Runtime.ApiRefused",
                           "GET %s: no Lambda-Runtime-Aws-Request-Id", url);
    return 0;
}

static int post(struct api_client *client, const char *url, struct curl_slist *headers,
                const char *body, size_t length, struct failure *failure)
{
    CURL *easy = client->easy;
    prepare(client, url, &client->reply, MAX_REPLY_BYTES);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, POST_TIMEOUT_MS);

    CURLcode code = curl_easy_perform(easy);
    if (code != CURLE_OK)
        return failure_set(failure, -ECONNREFUSED, "Runtime.ApiUnreachable", "POST %s: %s", url,
                           curl_easy_strerror(code));
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status < 300)
        return 0;
    int result = status == 413 ? -EMSGSIZE : status >= 400 && status < 500 ? -ESTALE : -EPROTO;
    return failure_set(failure, result, "Runtime.ApiRefused", "POST %s: status %ld", url, status);
}

int api_client_respond(struct api_client *client, const char *request_id, const char *body,
                       size_t length, struct failure *failure)
{
    char url[sizeof(client->base) + 160];
    snprintf(url, sizeof(url), "%s/invocation/%s/response", client->base, request_id);
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    struct curl_slist *all = curl_slist_append(headers, "Expect:");
    int result = all ? post(client, url, all, body, length, failure)
                     : failure_set(failure, -ENOMEM, "Runtime.OutOfMemory", "out of memory");
    curl_slist_free_all(headers);
    return result;
}

static cJSON *stack_of(const struct failure *reported)
{
    cJSON *stack = cJSON_CreateArray();
    if (reported->file) {
        cJSON *frame = cJSON_CreateObject();
        cJSON_AddStringToObject(frame, "path", reported->file);
        cJSON_AddNumberToObject(frame, "line", reported->line);
        cJSON_AddStringToObject(frame, "label", reported->function);
        cJSON_AddItemToArray(stack, frame);
    }
    return stack;
}

/* What Lambda puts into its own segment as the cause; escaped, so that it fits a header. */
static void add_cause_header(struct text *header, const struct failure *reported)
{
    AUTO_JSON cJSON *cause = cJSON_CreateObject();
    char directory[512];
    if (!getcwd(directory, sizeof(directory)))
        snprintf(directory, sizeof(directory), "/");
    text_clean_utf8(directory);
    cJSON_AddStringToObject(cause, "working_directory", directory);
    cJSON *exception = cJSON_CreateObject();
    cJSON_AddItemToArray(cJSON_AddArrayToObject(cause, "exceptions"), exception);
    cJSON_AddStringToObject(exception, "type", reported->type);
    cJSON_AddStringToObject(exception, "message", reported->message);
    cJSON_AddItemToObject(exception, "stack", stack_of(reported));
    cJSON *paths = cJSON_AddArrayToObject(cause, "paths");
    if (reported->file)
        cJSON_AddItemToArray(paths, cJSON_CreateString(reported->file));

    AUTO_FREE char *json = cJSON_PrintUnformatted(cause);
    text_add(header, "Lambda-Runtime-Function-XRay-Error-Cause: ");
    text_add_ascii_json(header, json ? json : "{\"working_directory\":\"/\"}");
}

/* {"errorMessage","errorType","stackTrace"}: stackTrace is text, as other runtimes have it. */
static char *error_body(const struct failure *reported)
{
    AUTO_JSON cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "errorMessage", reported->message);
    cJSON_AddStringToObject(body, "errorType", reported->type);
    cJSON *trace = cJSON_AddArrayToObject(body, "stackTrace");
    if (reported->file) {
        char line[256];
        snprintf(line, sizeof(line), "%s:%d in %s", reported->file, reported->line,
                 reported->function);
        cJSON_AddItemToArray(trace, cJSON_CreateString(line));
    }
    return cJSON_PrintUnformatted(body);
}

static int post_error(struct api_client *client, const char *url, const struct failure *reported,
                      struct failure *failure)
{
    AUTO_TEXT struct text type = { 0 };
    AUTO_TEXT struct text cause = { 0 };
    AUTO_FREE char *body = error_body(reported);
    text_add(&type, "Lambda-Runtime-Function-Error-Type: ");
    text_add(&type, strchr(reported->type, '.') ? "" : "Function.");
    text_add_encoded(&type, reported->type, false);
    add_cause_header(&cause, reported);
    if (!body || type.failed || cause.failed)
        return failure_set(failure, -ENOMEM, "Runtime.OutOfMemory", "out of memory");

    const char *lines[] = { "Content-Type: application/json", "Expect:", type.data, cause.data };
    struct curl_slist *headers = NULL;
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
        struct curl_slist *longer = curl_slist_append(headers, lines[i]);
        if (!longer) {
            curl_slist_free_all(headers);
            return failure_set(failure, -ENOMEM, "Runtime.OutOfMemory", "out of memory");
        }
        headers = longer;
    }
    int result = post(client, url, headers, body, strlen(body), failure);
    curl_slist_free_all(headers);
    return result;
}

int api_client_fail(struct api_client *client, const char *request_id,
                    const struct failure *reported, struct failure *failure)
{
    char url[sizeof(client->base) + 160];
    snprintf(url, sizeof(url), "%s/invocation/%s/error", client->base, request_id);
    return post_error(client, url, reported, failure);
}

int api_client_fail_init(struct api_client *client, const struct failure *reported,
                         struct failure *failure)
{
    char url[sizeof(client->base) + 32];
    snprintf(url, sizeof(url), "%s/init/error", client->base);
    return post_error(client, url, reported, failure);
}
