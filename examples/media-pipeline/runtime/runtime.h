/* SPDX-License-Identifier: Apache-2.0 */
/* The loop of a Lambda custom runtime: takes an event, calls the handler, posts its answer.
 * Each invocation is traced, and what it recorded is sent before the answer. */
#ifndef PIPELINE_RUNTIME_RUNTIME_H
#define PIPELINE_RUNTIME_RUNTIME_H

#include <stdint.h>

#include <cjson/cJSON.h>
#include <xraytrace/xraytrace.h>

#include "runtime/failure.h"

struct invocation {
    const char *function; /* its name */
    const char *request_id;
    const char *function_arn;
    int64_t deadline_ms;   /* Unix time; always set */
    bool cold_start;       /* the first one of this process */
    xray_segment *segment; /* the function's own subsegment, to describe */
    struct failure failure;
};

/* Milliseconds until the deadline, less what is kept for other things; never negative. */
int64_t invocation_time_left(const struct invocation *invocation, int64_t reserve_ms);

/* What the handler's subsegment says for every function. NULL and "" are left out. */
void invocation_annotate(struct invocation *invocation, const char *key, const char *value);

/* user_id: the first 16 hex digits of the id's SHA-256, so that traces name nobody. */
void invocation_annotate_user(struct invocation *invocation, const char *user_id);

/*
 * Answers an event: JSON, or NULL with invocation->failure set (failure_set()),
 * which makes the invocation fail.
 */
typedef cJSON *(*invocation_handler)(void *data, struct invocation *invocation, const cJSON *event);

struct runtime_params {
    const char *api; /* AWS_LAMBDA_RUNTIME_API */
    const char *function;
    xray_recorder *recorder; /* NULL records nothing */
    int64_t started_ns;      /* Unix time of the process's start; 0 leaves it out of the trace */
    invocation_handler handler;
    void *data;
};

/* Until told to stop: 0. -errno when the Runtime API is gone or refuses; that was logged. */
int runtime_run(const struct runtime_params *params);

/* Tells Lambda that initialization failed, and logs it. */
void runtime_fail_init(const char *api, const struct failure *failure);

#endif /* PIPELINE_RUNTIME_RUNTIME_H */
