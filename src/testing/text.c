/* SPDX-License-Identifier: Apache-2.0 */
/* A recording as text, for the message of a test that fails. */
#include <stdio.h>
#include <stdlib.h>

#include "recording.h"

static const char *string_at(const struct xray_recorded *recorded, const char *path)
{
    const char *text = cJSON_GetStringValue(xr_testing_member(recorded, path));
    return text ? text : "";
}

static double number_at(const struct xray_recorded *recorded, const char *path)
{
    const cJSON *json = xr_testing_member(recorded, path);
    return cJSON_IsNumber(json) ? json->valuedouble : 0;
}

static void write_marks(FILE *stream, const struct xray_recorded *recorded)
{
    static const char *const marks[] = { "in_progress", "fault", "error", "throttle" };
    for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
        if (cJSON_IsTrue(xr_testing_member(recorded, marks[i])))
            fprintf(stream, " %s", marks[i]);
}

static void write_annotations(FILE *stream, const struct xray_recorded *recorded)
{
    const cJSON *one;
    cJSON_ArrayForEach(one, xr_testing_member(recorded, "annotations"))
    {
        char *value = cJSON_PrintUnformatted(one);
        fprintf(stream, " %s=%s", one->string, value ? value : "?");
        cJSON_free(value);
    }
}

static void write_exceptions(FILE *stream, const struct xray_recorded *recorded, int depth)
{
    const cJSON *one;
    cJSON_ArrayForEach(one, xr_testing_member(recorded, "cause.exceptions"))
    {
        const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(one, "type"));
        const char *message = cJSON_GetStringValue(
            cJSON_GetObjectItemCaseSensitive(one, "message"));
        fprintf(stream, "%*s%s: %s\n", 2 * depth, "", type ? type : "", message ? message : "");
    }
}

static void write_one(FILE *stream, const struct xray_recorded *recorded, int depth)
{
    fprintf(stream, "%*s%s", 2 * depth, "", string_at(recorded, "name"));
    if (xr_testing_member(recorded, "end_time"))
        fprintf(stream, " %.3f ms",
                1000 * (number_at(recorded, "end_time") - number_at(recorded, "start_time")));
    write_marks(stream, recorded);
    write_annotations(stream, recorded);
    fputc('\n', stream);
    write_exceptions(stream, recorded, depth + 1);
}

static void write_below(FILE *stream, const xray_recording *recording,
                        const struct xray_recorded *parent, int depth)
{
    for (const struct xray_recorded *one = recording->first; one; one = one->next)
        if (one->parent == parent) {
            write_one(stream, one, depth);
            write_below(stream, recording, one, depth + 1);
        }
}

const char *xray_recording_text(xray_recording *recording)
{
    char *text = NULL;
    size_t length = 0;
    FILE *stream = recording ? open_memstream(&text, &length) : NULL;
    if (!stream)
        return "";
    pthread_mutex_lock(&recording->lock);
    for (struct xray_recorded *one = recording->first; one; one = one->next)
        one->parent = xr_testing_parent(one);
    write_below(stream, recording, NULL, 0);
    if (!recording->first)
        fputs("nothing was recorded\n", stream);
    int result = fclose(stream);
    free(recording->text);
    recording->text = result == 0 ? text : NULL;
    if (result != 0)
        free(text);
    text = recording->text;
    pthread_mutex_unlock(&recording->lock);
    return text ? text : "";
}
