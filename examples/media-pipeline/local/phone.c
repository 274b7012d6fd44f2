/* SPDX-License-Identifier: Apache-2.0 */
/* SNS calls on their way to moto, and the notifications among them. */

#include "phone.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http_client.h"

#define NOTIFICATION_LIMIT 1000
#define HEADER_LIMIT       64
#define ATTRIBUTE_LIMIT    10

struct phone {
    pthread_mutex_t lock;
    cJSON *notifications;
    char *url;
};

struct phone *phone_new(const char *sns_url)
{
    struct phone *phone = memory_new(sizeof(*phone));

    pthread_mutex_init(&phone->lock, NULL);
    phone->notifications = cJSON_CreateArray();
    phone->url = text_copy(sns_url);
    return phone;
}

void phone_free(struct phone *phone)
{
    if (!phone)
        return;
    cJSON_Delete(phone->notifications);
    pthread_mutex_destroy(&phone->lock);
    free(phone->url);
    free(phone);
}

cJSON *phone_notifications(struct phone *phone)
{
    pthread_mutex_lock(&phone->lock);
    cJSON *copy = cJSON_Duplicate(phone->notifications, true);
    pthread_mutex_unlock(&phone->lock);
    return copy;
}

/* ---- What was published -------------------------------------------------------------- */

static void add_field(cJSON *notification, const char *name, const char *form, const char *field)
{
    char *value = form_field(form, field);

    if (value)
        json_text(notification, name, value);
    free(value);
}

/* The message, and with structure "json" also what each platform is sent. */
static void add_message(cJSON *notification, const char *form)
{
    char *message = form_field(form, "Message");
    char *structure = form_field(form, "MessageStructure");
    cJSON *json = message && structure && strcmp(structure, "json") == 0 ? cJSON_Parse(message)
                                                                         : NULL;

    if (json) {
        const char *payload_text = json_get_text(json, "APNS_SANDBOX");
        cJSON *payload = payload_text ? cJSON_Parse(payload_text) : NULL;
        cJSON_AddItemToObject(notification, "message", json);
        if (payload)
            cJSON_AddItemToObject(notification, "payload", payload);
    } else {
        json_text(notification, "message", message);
    }
    free(message);
    free(structure);
}

static void add_attributes(cJSON *notification, const char *form)
{
    cJSON *attributes = json_object(notification, "attributes");

    for (int i = 1; i <= ATTRIBUTE_LIMIT; i++) {
        char *name_field = text_format("MessageAttributes.entry.%d.Name", i);
        char *value_field = text_format("MessageAttributes.entry.%d.Value.StringValue", i);
        char *name = form_field(form, name_field);
        if (name)
            add_field(attributes, name, form, value_field);
        free(name_field);
        free(value_field);
        free(name);
    }
}

static void keep(struct phone *phone, const struct http_request *request, const char *answer)
{
    cJSON *notification = json_object(NULL, NULL);
    char *message_id = xml_text(answer, "MessageId");

    json_text(notification, "messageId", message_id);
    json_number(notification, "receivedAt", (double)now_ms());
    add_field(notification, "targetArn", request->body, "TargetArn");
    add_field(notification, "topicArn", request->body, "TopicArn");
    add_message(notification, request->body);
    add_attributes(notification, request->body);
    json_text(notification, "traceHeader", http_request_header(request, "X-Amzn-Trace-Id"));
    free(message_id);

    pthread_mutex_lock(&phone->lock);
    if (cJSON_GetArraySize(phone->notifications) >= NOTIFICATION_LIMIT)
        cJSON_DeleteItemFromArray(phone->notifications, 0);
    cJSON_AddItemToArray(phone->notifications, notification);
    pthread_mutex_unlock(&phone->lock);
    log_line("the phone was notified");
}

/* ---- Passing on ------------------------------------------------------------------------ */

/* Headers that belong to one connection, or that libcurl and libmicrohttpd write. */
static bool stays_here(const char *name, size_t length)
{
    static const char *const names[] = { "Connection",        "Keep-Alive",
                                         "Transfer-Encoding", "Expect",
                                         "Content-Length",    "Date",
                                         "Upgrade",           "TE" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strlen(names[i]) == length && strncasecmp(names[i], name, length) == 0)
            return true;
    return false;
}

struct header_list {
    const char *lines[HEADER_LIMIT + 1];
    size_t count;
};

static enum MHD_Result add_header(void *data, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    struct header_list *list = data;

    (void)kind;
    if (!stays_here(name, strlen(name)) && list->count < HEADER_LIMIT)
        list->lines[list->count++] = text_format("%s: %s", name, value ? value : "");
    return MHD_YES;
}

static void on_answer_header(void *data, const char *line, size_t length)
{
    struct http_reply *reply = data;
    const char *colon = memchr(line, ':', length);

    if (!colon || stays_here(line, (size_t)(colon - line)))
        return;
    char *name = text_copy_length(line, (size_t)(colon - line));
    const char *value = colon + 1;
    while (value < line + length && *value == ' ')
        value++;
    char *value_text = text_copy_length(value, length - (size_t)(value - line));
    http_reply_header(reply, name, value_text);
    free(name);
    free(value_text);
}

/*
 * For the token of a disabled endpoint moto refuses CreatePlatformEndpoint, since the attributes
 * differ. SNS compares CustomUserData only: it gives the endpoint back as it is, disabled.
 */
static void give_existing_endpoint(struct http_answer *answer)
{
    static const char before[] = "Token Reason: Endpoint ", after[] = " already exists";
    const char *arn = answer->status == 400 ? strstr(answer->body, before) : NULL;
    const char *end = arn ? strstr(arn, after) : NULL;

    if (!end)
        return;
    arn += strlen(before);
    char request_id[UUID_SIZE];
    random_uuid(request_id);
    char *body = text_format(
        "<CreatePlatformEndpointResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">"
        "<CreatePlatformEndpointResult><EndpointArn>%.*s</EndpointArn>"
        "</CreatePlatformEndpointResult><ResponseMetadata><RequestId>%s</RequestId>"
        "</ResponseMetadata></CreatePlatformEndpointResponse>",
        (int)(end - arn), arn, request_id);
    free(answer->body);
    answer->status = 200;
    answer->body = body;
    answer->body_length = strlen(body);
}

void phone_forward(struct phone *phone, const struct http_request *request,
                   struct http_reply *reply)
{
    struct header_list headers = { 0 };
    struct http_answer answer;
    char *url = text_format("%s%s%s%s", phone->url, request->path, *request->query ? "?" : "",
                            request->query);
    char *action = form_field(request->body, "Action");

    /* Host too: the client signed the name under which it knows us. */
    MHD_get_connection_values(request->connection, MHD_HEADER_KIND, add_header, &headers);
    int error = http_call(&answer, &(struct http_call){ .method = request->method,
                                                        .url = url,
                                                        .headers = headers.lines,
                                                        .body = request->body,
                                                        .body_length = request->body_length,
                                                        .header = on_answer_header,
                                                        .data = reply });
    if (error) {
        log_error("SNS does not answer: %s", answer.error);
        http_reply_text(reply, 503, "text/plain", "SNS does not answer\n");
    } else {
        if (answer.status == 200 && action && strcmp(action, "Publish") == 0)
            keep(phone, request, answer.body);
        if (action && strcmp(action, "CreatePlatformEndpoint") == 0)
            give_existing_endpoint(&answer);
        reply->status = answer.status;
        reply->body = answer.body;
        reply->body_length = answer.body_length;
        answer.body = NULL;
    }
    http_answer_free(&answer);
    for (size_t i = 0; i < headers.count; i++)
        free((char *)headers.lines[i]);
    free(url);
    free(action);
}
