/* SPDX-License-Identifier: Apache-2.0 */
/* Kills and delays: read, counted, and found for a call. */

#include "faults.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "functions.h"

#define MAX_DELAY_MS 900000
#define MAX_NUMBER   1000000
#define MAX_KILLS    1000

struct kill {
    struct kill *next;
    char *text;
    char *match; /* NULL: any invocation */
    size_t function_length;
    struct aws_call call;
    bool is_after;
    long number;
    long seen;
};

struct delay {
    struct delay *next;
    struct aws_call call;
    int64_t delay_ms;
};

struct faults {
    pthread_mutex_t lock;
    struct kill *kills;
    struct delay *delays;
    unsigned count;
};

struct faults *faults_new(void)
{
    struct faults *faults = memory_new(sizeof(*faults));

    pthread_mutex_init(&faults->lock, NULL);
    return faults;
}

static void free_kill(struct kill *kill)
{
    free(kill->text);
    free(kill->match);
    free(kill);
}

void faults_free(struct faults *faults)
{
    if (!faults)
        return;
    while (faults->kills) {
        struct kill *kill = faults->kills;
        faults->kills = kill->next;
        free_kill(kill);
    }
    while (faults->delays) {
        struct delay *delay = faults->delays;
        faults->delays = delay->next;
        free(delay);
    }
    pthread_mutex_destroy(&faults->lock);
    free(faults);
}

/* ---- Reading ------------------------------------------------------------------------ */

static int unknown_call(const char *text, size_t length, char **ret_reason)
{
    struct buffer list = { 0 };

    aws_call_list(&list);
    *ret_reason = text_format("there is no call \"%.*s\"; there are %s", (int)length, text,
                              list.data);
    buffer_free(&list);
    return -EINVAL;
}

static int unknown_function(const char *text, size_t length, char **ret_reason)
{
    char *list = functions_list();

    *ret_reason = text_format("there is no function \"%.*s\"; there are %s", (int)length, text,
                              list);
    free(list);
    return -EINVAL;
}

static bool read_number(const char *text, long least, long most, long *ret)
{
    char *end;

    errno = 0;
    *ret = strtol(text, &end, 10);
    return !errno && end != text && !*end && *ret >= least && *ret <= most;
}

/* "before" or "after", and perhaps ":N". */
static bool read_moment(struct kill *kill, const char *text)
{
    size_t length = strcspn(text, ":");

    kill->is_after = length == 5 && strncmp(text, "after", 5) == 0;
    if (!kill->is_after && (length != 6 || strncmp(text, "before", 6) != 0))
        return false;
    kill->number = 1;
    return !text[length] || read_number(text + length + 1, 1, MAX_NUMBER, &kill->number);
}

static int read_kill(struct kill *kill, const char *text, char **ret_reason)
{
    const char *call = strchr(text, ':');
    const char *moment = call ? strchr(call + 1, ':') : NULL;

    if (!moment) {
        *ret_reason = text_format(
            "\"%s\" is not FUNCTION:SERVICE.OPERATION:before or :after, as in "
            "StartFileUpload:S3.UploadPart:after",
            text);
        return -EINVAL;
    }
    kill->function_length = (size_t)(call - text);
    if (!functions_has(text, kill->function_length))
        return unknown_function(text, kill->function_length, ret_reason);
    call++;
    if (!aws_call_parse(&kill->call, call, (size_t)(moment - call)))
        return unknown_call(call, (size_t)(moment - call), ret_reason);
    if (!read_moment(kill, moment + 1)) {
        *ret_reason = text_format("\"%s\" is neither before nor after, with :N from 1 to %d at "
                                  "most behind it",
                                  moment + 1, MAX_NUMBER);
        return -EINVAL;
    }
    return 0;
}

int faults_add_kill(struct faults *faults, const char *text, const char *match, char **ret_reason)
{
    struct kill *kill = memory_new(sizeof(*kill));
    int error = read_kill(kill, text, ret_reason);

    kill->text = text_copy(text);
    kill->match = match ? text_copy(match) : NULL;
    pthread_mutex_lock(&faults->lock);
    if (!error && faults->count == MAX_KILLS) {
        *ret_reason = text_format("there are %d kills already", MAX_KILLS);
        error = -EINVAL;
    }
    if (!error) {
        struct kill **link = &faults->kills;
        while (*link)
            link = &(*link)->next;
        *link = kill;
        faults->count++;
    }
    pthread_mutex_unlock(&faults->lock);
    if (error)
        free_kill(kill);
    return error;
}

int faults_add_delay(struct faults *faults, const char *text, char **ret_reason)
{
    size_t length = strcspn(text, "=");
    struct aws_call call;
    long delay_ms;

    if (!aws_call_parse(&call, text, length))
        return unknown_call(text, length, ret_reason);
    if (!text[length] || !read_number(text + length + 1, 0, MAX_DELAY_MS, &delay_ms)) {
        *ret_reason = text_format("\"%s\" is not SERVICE.OPERATION=MS, with MS from 0 to %d", text,
                                  MAX_DELAY_MS);
        return -EINVAL;
    }
    struct delay *delay = memory_new(sizeof(*delay));
    delay->call = call;
    delay->delay_ms = delay_ms;
    pthread_mutex_lock(&faults->lock);
    delay->next = faults->delays; /* the later one of the same call counts */
    faults->delays = delay;
    pthread_mutex_unlock(&faults->lock);
    return 0;
}

/* ---- Finding ------------------------------------------------------------------------- */

static bool is_call(const struct aws_call *one, const struct aws_call *other)
{
    return strcmp(one->service, other->service) == 0 &&
           strcmp(one->operation, other->operation) == 0;
}

static bool is_about(const struct kill *kill, const char *function, const struct aws_call *call,
                     const char *payload)
{
    return is_call(&kill->call, call) && strlen(function) == kill->function_length &&
           strncmp(function, kill->text, kill->function_length) == 0 &&
           (!kill->match || (payload && strstr(payload, kill->match)));
}

struct fault faults_of(struct faults *faults, const char *function, const struct aws_call *call,
                       const char *payload)
{
    struct fault fault = { 0 };

    if (!call->operation)
        return fault;
    pthread_mutex_lock(&faults->lock);
    for (struct kill *kill = faults->kills; kill; kill = kill->next) {
        if (!is_about(kill, function, call, payload) || ++kill->seen != kill->number)
            continue;
        fault.kill_before |= !kill->is_after;
        fault.kill_after |= kill->is_after;
    }
    const struct delay *delay = faults->delays;
    while (delay && !is_call(&delay->call, call))
        delay = delay->next;
    fault.delay_ms = delay ? delay->delay_ms : 0;
    pthread_mutex_unlock(&faults->lock);
    return fault;
}

cJSON *faults_describe(struct faults *faults)
{
    cJSON *list = cJSON_CreateArray();

    pthread_mutex_lock(&faults->lock);
    for (const struct kill *kill = faults->kills; kill; kill = kill->next) {
        cJSON *entry = json_object(NULL, NULL);
        json_text(entry, "kill", kill->text);
        json_text(entry, "match", kill->match);
        json_number(entry, "seen", (double)kill->seen);
        cJSON_AddBoolToObject(entry, "done", kill->seen >= kill->number);
        cJSON_AddItemToArray(list, entry);
    }
    pthread_mutex_unlock(&faults->lock);
    return list;
}
