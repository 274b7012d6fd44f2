/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/cleanup.h"
#include "runtime/clock.h"
#include "runtime/text.h"

#define METRIC_NAMESPACE "MediaDownloader"

static char function_name[128];
static char current_request[128];
static char current_trace[64];

void log_set_function(const char *function)
{
    snprintf(function_name, sizeof(function_name), "%s", function ? function : "");
}

void log_set_request(const char *request_id, const char *trace_id)
{
    snprintf(current_request, sizeof(current_request), "%s", request_id ? request_id : "");
    snprintf(current_trace, sizeof(current_trace), "%s", trace_id ? trace_id : "");
}

/* One write for a line, so that lines of several processes do not mix. */
static void write_line(cJSON *line)
{
    AUTO_FREE char *text = cJSON_PrintUnformatted(line);
    if (!text)
        return;
    AUTO_TEXT struct text whole = { 0 };
    text_add(&whole, text);
    text_add(&whole, "\n");
    if (whole.failed)
        return;

    fflush(stdout);
    for (size_t done = 0; done < whole.length;) {
        ssize_t count = write(STDOUT_FILENO, whole.data + done, whole.length - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return;
        done += (size_t)count;
    }
}

static void add_text(cJSON *line, const char *name, const char *value)
{
    if (*value)
        cJSON_AddStringToObject(line, name, value);
}

static void log_message(enum log_level level, cJSON *fields, const char *message)
{
    static const char *const names[] = { "DEBUG", "INFO", "WARN", "ERROR" };
    AUTO_JSON cJSON *line = cJSON_CreateObject();
    AUTO_JSON cJSON *taken = fields;
    char now[CLOCK_ISO_SIZE];
    clock_format_iso(clock_now_ms(), now);

    cJSON_AddStringToObject(line, "timestamp", now);
    cJSON_AddStringToObject(line, "level", names[level]);
    cJSON_AddStringToObject(line, "message", message);
    add_text(line, "function", function_name);
    add_text(line, "requestId", current_request);
    add_text(line, "traceId", current_trace);
    while (taken && taken->child) {
        cJSON *field = cJSON_DetachItemViaPointer(taken, taken->child);
        cJSON_AddItemToObject(line, field->string, field);
    }
    write_line(line);
}

void log_write(enum log_level level, cJSON *fields, const char *format, ...)
{
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    text_clean_utf8(message);
    log_message(level, fields, message);
}

void log_metric(const char *name, const char *unit, double value)
{
    AUTO_JSON cJSON *line = cJSON_CreateObject();
    cJSON *embedded = cJSON_AddObjectToObject(line, "_aws");
    cJSON_AddNumberToObject(embedded, "Timestamp", (double)clock_now_ms());

    cJSON *directive = cJSON_CreateObject();
    cJSON_AddItemToArray(cJSON_AddArrayToObject(embedded, "CloudWatchMetrics"), directive);
    cJSON_AddStringToObject(directive, "Namespace", METRIC_NAMESPACE);
    cJSON *dimensions = cJSON_CreateArray();
    cJSON_AddItemToArray(dimensions, cJSON_CreateString("function"));
    cJSON_AddItemToArray(cJSON_AddArrayToObject(directive, "Dimensions"), dimensions);
    cJSON *metric = cJSON_CreateObject();
    cJSON_AddItemToArray(cJSON_AddArrayToObject(directive, "Metrics"), metric);
    cJSON_AddStringToObject(metric, "Name", name);
    cJSON_AddStringToObject(metric, "Unit", unit);

    cJSON_AddStringToObject(line, "function", function_name);
    add_text(line, "requestId", current_request);
    cJSON_AddNumberToObject(line, name, value);
    write_line(line);
}

static void library_message(void *data, int level, const char *message)
{
    (void)data;
    log_message(level >= XRAY_LOG_ERROR     ? LOG_ERROR
                : level >= XRAY_LOG_WARNING ? LOG_WARNING
                : level >= XRAY_LOG_INFO    ? LOG_INFO
                                            : LOG_DEBUG,
                NULL, message);
}

const xray_logger *log_for_library(void)
{
    static const xray_logger logger = { .size = sizeof(logger), .log = library_message };
    return &logger;
}
