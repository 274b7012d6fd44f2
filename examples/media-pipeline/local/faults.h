/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEDIA_LOCAL_FAULTS_H
#define MEDIA_LOCAL_FAULTS_H

#include "aws_call.h"

/*
 * What is to go wrong on purpose: environments that are killed at a call of
 * AWS, and answers that are held back.
 */
struct faults;

struct faults *faults_new(void);

/* NULL is allowed. */
void faults_free(struct faults *faults);

/*
 * "FUNCTION:SERVICE.OPERATION:before" or ":after", and perhaps ":N". The calls
 * that count are those from here on; with match, a text, only those of
 * invocations that have it in their payload. 0, or -EINVAL with *ret_reason,
 * malloc()ed.
 */
int faults_add_kill(struct faults *faults, const char *text, const char *match, char **ret_reason);

/* "SERVICE.OPERATION=MS". The same. */
int faults_add_delay(struct faults *faults, const char *text, char **ret_reason);

struct fault {
    bool kill_before; /* instead of passing the call on */
    bool kill_after;  /* instead of passing the answer on */
    int64_t delay_ms; /* of the answer */
};

/* Counts a call, and tells what becomes of it. payload may be NULL. */
struct fault faults_of(struct faults *faults, const char *function, const struct aws_call *call,
                       const char *payload);

/* The kills, for the control port: a new JSON array. */
cJSON *faults_describe(struct faults *faults);

#endif /* MEDIA_LOCAL_FAULTS_H */
