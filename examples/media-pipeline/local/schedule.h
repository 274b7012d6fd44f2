/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEDIA_LOCAL_SCHEDULE_H
#define MEDIA_LOCAL_SCHEDULE_H

#include "lambda.h"

/* EventBridge's part: a rule that sends a function a scheduled event again and again. */
struct schedule;

struct schedule_params {
    struct lambda *lambda;
    const char *function;
    const char *region;
    const char *account;
    int period_s; /* 0: never */
};

/* 0 or -errno, with the reason on stderr. The first event comes after one period. */
int schedule_start(struct schedule **ret, const struct schedule_params *params);

/* NULL is allowed. */
void schedule_free(struct schedule *schedule);

#endif /* MEDIA_LOCAL_SCHEDULE_H */
