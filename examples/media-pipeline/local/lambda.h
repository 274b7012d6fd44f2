/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEDIA_LOCAL_LAMBDA_H
#define MEDIA_LOCAL_LAMBDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xraytrace/trace.h>

#include "util.h"

/*
 * Lambda's part: execution environments that run the functions' bootstrap
 * behind a Runtime API each, calls that wait, events in a queue with retries,
 * and the segments that Lambda itself sends.
 */
struct lambda;
struct segments;
struct faults;

#define LAMBDA_EVENT_RETRIES 2

struct lambda_params {
    const char *region;
    const char *bootstrap;      /* the program of every function */
    const char *log_directory;  /* a file for each environment */
    const char *work_directory; /* a directory for the temporary files of each environment */
    struct segments *segments;
    int64_t event_age_ms;                   /* after which an event is dropped */
    int64_t idle_ms;                        /* after which a warm environment is stopped */
    int64_t retry_ms[LAMBDA_EVENT_RETRIES]; /* before the first and second retry of an event */
};

struct lambda_function_params {
    const char *name;
    int timeout_s;
    int memory_mib;
    int concurrency;       /* environments at most */
    uint16_t moto_port;    /* where its calls of AWS go */
    uint16_t control_port; /* where those of SNS and Lambda go */
    struct faults *faults;
    bool is_traced;                 /* Active; else PassThrough */
    const char *const *environment; /* "NAME=value", ended by NULL; copied */
};

int lambda_new(struct lambda **ret, const struct lambda_params *params);
void lambda_add_function(struct lambda *lambda, const struct lambda_function_params *params);

/* Wakes everybody who waits, with an error; no new environments from here on. */
void lambda_stop(struct lambda *lambda);

/* After lambda_stop(): stops the environments, waits for the threads. NULL is allowed. */
void lambda_free(struct lambda *lambda);

struct lambda_call {
    const char *function;
    const char *payload;
    size_t payload_length;
    const xray_trace_header *trace; /* of the caller; NULL: none */
    const char *client_context;     /* base64 as it came, or NULL */
};

struct lambda_result {
    int status; /* of the Invoke API: 200, 202, 204, 404, 413, 429, 500 */
    bool function_error;
    char request_id[UUID_SIZE];
    const char *error_type; /* of a status above 299: "TooManyRequestsException"… */
    char *payload;          /* malloc()ed: the function's answer or error, or the message */
    size_t payload_length;
};

/* RequestResponse: waits for the answer. */
void lambda_invoke(struct lambda *lambda, const struct lambda_call *call,
                   struct lambda_result *ret);

/* Event: takes it into the queue. */
void lambda_enqueue(struct lambda *lambda, const struct lambda_call *call,
                    struct lambda_result *ret);

/* DryRun: whether it could be called. */
void lambda_dry_run(struct lambda *lambda, const struct lambda_call *call,
                    struct lambda_result *ret);

void lambda_result_free(struct lambda_result *result);

/* The environments, for the control port: a new JSON array. */
cJSON *lambda_describe(struct lambda *lambda);

#endif /* MEDIA_LOCAL_LAMBDA_H */
