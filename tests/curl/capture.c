/* SPDX-License-Identifier: Apache-2.0 */
/* A recorder that keeps what it emits. */
#include "capture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../documents/rules.h"

static void begin(struct capture *capture, const char *decision, const xray_capture *kept)
{
    xray_emitter emitter = { .size = sizeof(emitter) };
    xray_trace_header header;

    *capture = (struct capture){ 0 };
    capture->stream = open_memstream(&capture->text, &capture->length);
    cr_assert_not_null(capture->stream);
    cr_assert_eq(xray_emitter_stream(&emitter, capture->stream), 0);
    cr_assert_eq(xray_recorder_new(&capture->recorder,
                                   xray_recorder_params(.flags = XRAY_RECORDER_NO_ENVIRONMENT,
                                                        .emitter = &emitter, .capture = kept)),
                 0);
    cr_assert_eq(xray_trace_header_parse(&header, decision), 0);
    capture->segment = xray_start_segment(capture->recorder,
                                          xray_segment_params(.name = "test", .header = &header));
    cr_assert_not_null(capture->segment);
    xray_attach(capture->segment);
}

void capture_begin(struct capture *capture, bool sampled)
{
    begin(capture, sampled ? "Sampled=1" : "Sampled=0", NULL);
}

void capture_begin_unsampled(struct capture *capture, uint32_t flags)
{
    begin(capture, "Sampled=0", &(xray_capture){ .size = sizeof(xray_capture), .flags = flags });
}

static void check_lines(const char *text)
{
    struct documents documents = { 0 };
    struct violation violation;

    for (const char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1)
        cr_assert(document_check(line, (size_t)(end - line), 0, &documents, &violation), "%s\n%.*s",
                  violation.text, (int)(end - line), line);
    cr_assert(documents_end(&documents, &violation), "%s", violation.text);
}

void capture_end(struct capture *capture)
{
    xray_end(capture->segment);
    xray_recorder_free(capture->recorder);
    fclose(capture->stream);
    check_lines(capture->text);
    capture->document = cJSON_Parse(capture->text);
}

void capture_free(struct capture *capture)
{
    cJSON_Delete(capture->document);
    free(capture->text);
}

const cJSON *capture_subsegment(const struct capture *capture)
{
    const cJSON *list = json_at(capture->document, "subsegments");

    cr_assert_eq(cJSON_GetArraySize(list), 1, "emitted: %s", capture->text);
    return cJSON_GetArrayItem(list, 0);
}

const cJSON *json_at(const cJSON *object, const char *path)
{
    char name[64];

    while (object && *path) {
        size_t length = strcspn(path, ".");

        snprintf(name, sizeof(name), "%.*s", (int)length, path);
        object = cJSON_IsArray(object) ? cJSON_GetArrayItem(object, atoi(name))
                                       : cJSON_GetObjectItemCaseSensitive(object, name);
        path += length + (path[length] == '.');
    }
    return object;
}

const char *json_text_at(const cJSON *object, const char *path)
{
    const char *text = cJSON_GetStringValue(json_at(object, path));

    return text ? text : "";
}

double json_number_at(const cJSON *object, const char *path)
{
    const cJSON *item = json_at(object, path);

    return cJSON_IsNumber(item) ? item->valuedouble : -1;
}
