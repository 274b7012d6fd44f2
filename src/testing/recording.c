/* SPDX-License-Identifier: Apache-2.0 */
/* Takes documents apart, and keeps them. */
#include "recording.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- One segment or subsegment --------------------------------------------------- */

static const char *text_of(const cJSON *json, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, key));
    return text ? text : "";
}

static void copy_text(char *ret, size_t size, const char *text)
{
    size_t length = strnlen(text, size - 1);
    memcpy(ret, text, length);
    ret[length] = '\0';
}

static struct xray_recorded *find_id(const xray_recording *recording, const char *trace_id,
                                     const char *id)
{
    for (struct xray_recorded *one = recording->first; one; one = one->next)
        if (strcmp(one->id, id) == 0 && strcmp(one->trace_id, trace_id) == 0)
            return one;
    return NULL;
}

struct xray_recorded *xr_testing_parent(const struct xray_recorded *recorded)
{
    return recorded->parent_id[0]
               ? find_id(recorded->recording, recorded->trace_id, recorded->parent_id)
               : NULL;
}

/* The next part of a path, up to a dot; NULL at its end. */
static const char *next_part(const char *path, char *ret, size_t size)
{
    size_t length = strcspn(path, ".");
    if (length >= size)
        return NULL;
    memcpy(ret, path, length);
    ret[length] = '\0';
    return path[length] ? path + length + 1 : path + length;
}

static const cJSON *item_of(const cJSON *json, const char *part)
{
    if (!cJSON_IsArray(json))
        return cJSON_GetObjectItemCaseSensitive(json, part);
    size_t digits = strspn(part, "0123456789");
    return digits > 0 && digits < 6 && !part[digits] ? cJSON_GetArrayItem(json, atoi(part)) : NULL;
}

const cJSON *xr_testing_member(const struct xray_recorded *recorded, const char *path)
{
    const cJSON *json = recorded->json;
    char part[512]; /* keys have 500 bytes at most */
    while (json && path && *path) {
        path = next_part(path, part, sizeof(part));
        if (!path)
            return NULL;
        json = item_of(json, part);
    }
    return json;
}

static void forget(struct xray_recorded *recorded)
{
    cJSON_Delete(recorded->json);
    free(recorded);
}

/* ---- What comes -------------------------------------------------------------------- */

/*
 * Takes over json. Only what was in progress comes twice, and then the second document, which is
 * the whole one, takes its place.
 */
static int keep(xray_recording *recording, cJSON *json, const char *trace_id, const char *parent_id)
{
    struct xray_recorded *known = recording->in_progress
                                      ? find_id(recording, trace_id, text_of(json, "id"))
                                      : NULL;
    if (known) {
        recording->in_progress--;
        cJSON_Delete(known->json);
        known->json = json;
        return 0;
    }
    struct xray_recorded *recorded = calloc(1, sizeof(*recorded));
    if (!recorded) {
        cJSON_Delete(json);
        return -ENOMEM;
    }
    recording->in_progress += cJSON_HasObjectItem(json, "in_progress");
    recorded->recording = recording;
    recorded->json = json;
    copy_text(recorded->trace_id, sizeof(recorded->trace_id), trace_id);
    copy_text(recorded->id, sizeof(recorded->id), text_of(json, "id"));
    copy_text(recorded->parent_id, sizeof(recorded->parent_id), parent_id);
    *recording->end = recorded;
    recording->end = &recorded->next;
    return 0;
}

/*
 * Each with its own subsegments after it. Those are at most as deep as a document's 63 KiB allow,
 * and cJSON reads no deeper than 1000.
 */
static int keep_all(xray_recording *recording, cJSON *json, const char *trace_id,
                    const char *parent_id)
{
    char id[17];
    cJSON *parts = cJSON_DetachItemFromObjectCaseSensitive(json, "subsegments");
    copy_text(id, sizeof(id), text_of(json, "id"));
    int result = keep(recording, json, trace_id, parent_id);
    while (parts && parts->child) {
        cJSON *part = cJSON_DetachItemViaPointer(parts, parts->child);
        int kept = keep_all(recording, part, trace_id, id);
        result = result < 0 ? result : kept;
    }
    cJSON_Delete(parts);
    return result;
}

static int emit(void *data, const xray_document *document)
{
    xray_recording *recording = data;
    char trace_id[XRAY_TRACE_ID_SIZE], parent_id[17];
    cJSON *json = cJSON_ParseWithLength(document->json, document->length);
    if (!json)
        return -ENOMEM; /* documents are JSON */
    copy_text(trace_id, sizeof(trace_id), text_of(json, "trace_id"));
    copy_text(parent_id, sizeof(parent_id), text_of(json, "parent_id"));
    int result = 0;
    pthread_mutex_lock(&recording->lock);
    if (recording->freed)
        cJSON_Delete(json);
    else
        result = keep_all(recording, json, trace_id, parent_id);
    pthread_mutex_unlock(&recording->lock);
    return result;
}

/* A forked child may have been made while another thread held the lock. */
static void after_fork(void *data)
{
    xray_recording *recording = data;
    pthread_mutex_init(&recording->lock, NULL);
}

/* ---- Life ---------------------------------------------------------------------------- */

static void clear(xray_recording *recording)
{
    struct xray_recorded *one = recording->first;
    while (one) {
        struct xray_recorded *next = one->next;
        forget(one);
        one = next;
    }
    recording->first = NULL;
    recording->end = &recording->first;
    recording->in_progress = 0;
    free(recording->text);
    recording->text = NULL;
}

static void release(xray_recording *recording, bool by_caller)
{
    pthread_mutex_lock(&recording->lock);
    if (by_caller) {
        recording->freed = true;
        clear(recording);
    }
    bool is_last = --recording->references == 0;
    pthread_mutex_unlock(&recording->lock);
    if (!is_last)
        return;
    pthread_mutex_destroy(&recording->lock);
    free(recording);
}

static void destroy(void *data)
{
    release(data, false);
}

int xray_recording_new(xray_recording **ret)
{
    xray_recording *recording = calloc(1, sizeof(*recording));
    if (!recording)
        return -ENOMEM;
    pthread_mutex_init(&recording->lock, NULL);
    recording->references = 1;
    recording->end = &recording->first;
    *ret = recording;
    return 0;
}

void xray_recording_free(xray_recording *recording)
{
    if (recording)
        release(recording, true);
}

void xray_recording_clear(xray_recording *recording)
{
    if (!recording)
        return;
    pthread_mutex_lock(&recording->lock);
    clear(recording);
    pthread_mutex_unlock(&recording->lock);
}

int xray_emitter_recording(xray_emitter *ret, xray_recording *recording)
{
    if (!ret || !recording || ret->size < offsetof(xray_emitter, get_losses))
        return -EINVAL;
    size_t size = ret->size < sizeof(*ret) ? ret->size : sizeof(*ret);
    xray_emitter emitter = {
        .size = ret->size,
        .data = recording,
        .emit = emit,
        .after_fork = after_fork,
        .destroy = destroy,
    };
    memcpy(ret, &emitter, size);
    pthread_mutex_lock(&recording->lock);
    recording->references++;
    pthread_mutex_unlock(&recording->lock);
    return 0;
}

int xray_recording_new_recorder(xray_recording *recording, const char *service, xray_recorder **ret)
{
    xray_emitter emitter = { .size = sizeof(emitter) };
    xray_sampler sampler = { .size = sizeof(sampler) };
    int result = xray_sampler_rate(&sampler, 0, 1);
    if (result < 0)
        return result;
    result = xray_emitter_recording(&emitter, recording);
    if (result == 0) {
        result = xray_recorder_new(
            ret, xray_recorder_params(.flags = XRAY_RECORDER_NO_ENVIRONMENT, .service = service,
                                      .emitter = &emitter, .sampler = &sampler));
        if (result < 0)
            destroy(recording);
    }
    if (result < 0 && sampler.destroy)
        sampler.destroy(sampler.data);
    return result;
}
