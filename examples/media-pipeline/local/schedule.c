/* SPDX-License-Identifier: Apache-2.0 */
/* A timer that invokes a function with EventBridge's scheduled event. */

#include "schedule.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct schedule {
    struct schedule_params params;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* on CLOCK_MONOTONIC */
    bool stopping;
};

static char *scheduled_event(const struct schedule *schedule)
{
    const struct schedule_params *params = &schedule->params;
    cJSON *event = json_object(NULL, NULL);
    char *rule = text_format("arn:aws:events:%s:%s:rule/%s", params->region, params->account,
                             params->function);
    char id[UUID_SIZE], when[32];
    time_t now = time(NULL);
    struct tm utc;

    random_uuid(id);
    gmtime_r(&now, &utc);
    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &utc);
    json_text(event, "version", "0");
    json_text(event, "id", id);
    json_text(event, "detail-type", "Scheduled Event");
    json_text(event, "source", "aws.events");
    json_text(event, "account", params->account);
    json_text(event, "time", when);
    json_text(event, "region", params->region);
    cJSON *resources = cJSON_AddArrayToObject(event, "resources");
    cJSON_AddItemToArray(resources, cJSON_CreateString(rule));
    json_object(event, "detail");
    char *text = json_print(event);
    cJSON_Delete(event);
    free(rule);
    return text;
}

/* Rules have no trace of their own: the function begins one. */
static void fire(struct schedule *schedule)
{
    char *event = scheduled_event(schedule);
    struct lambda_result result;

    log_line("the schedule invokes %s", schedule->params.function);
    lambda_enqueue(schedule->params.lambda,
                   &(struct lambda_call){ .function = schedule->params.function,
                                          .payload = event,
                                          .payload_length = strlen(event) },
                   &result);
    if (result.status != 202)
        log_error("the schedule could not invoke %s: %s", schedule->params.function,
                  result.payload);
    lambda_result_free(&result);
    free(event);
}

static void *run(void *data)
{
    struct schedule *schedule = data;
    struct timespec next;

    clock_gettime(CLOCK_MONOTONIC, &next);
    pthread_mutex_lock(&schedule->lock);
    while (!schedule->stopping) {
        int error = 0;
        next.tv_sec += schedule->params.period_s;
        while (!schedule->stopping && error != ETIMEDOUT)
            error = pthread_cond_timedwait(&schedule->changed, &schedule->lock, &next);
        if (!schedule->stopping)
            fire(schedule);
    }
    pthread_mutex_unlock(&schedule->lock);
    return NULL;
}

int schedule_start(struct schedule **ret, const struct schedule_params *params)
{
    struct schedule *schedule = memory_new(sizeof(*schedule));
    pthread_condattr_t monotonic;

    schedule->params = *params;
    pthread_mutex_init(&schedule->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&schedule->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    int error = params->period_s ? -pthread_create(&schedule->thread, NULL, run, schedule) : 0;
    if (error) {
        log_error("cannot start a thread: %s", strerror(-error));
        free(schedule);
        return error;
    }
    *ret = schedule;
    return 0;
}

void schedule_free(struct schedule *schedule)
{
    if (!schedule)
        return;
    if (schedule->params.period_s) {
        pthread_mutex_lock(&schedule->lock);
        schedule->stopping = true;
        pthread_cond_broadcast(&schedule->changed);
        pthread_mutex_unlock(&schedule->lock);
        pthread_join(schedule->thread, NULL);
    }
    pthread_cond_destroy(&schedule->changed);
    pthread_mutex_destroy(&schedule->lock);
    free(schedule);
}
