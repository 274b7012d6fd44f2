/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEDIA_LOCAL_ENVIRONMENT_H
#define MEDIA_LOCAL_ENVIRONMENT_H

#include <pthread.h>

#include <xraytrace/trace.h>

#include "http_server.h"
#include "lambda.h"
#include "process.h"
#include "relay.h"

/*
 * Inside Lambda: functions, their environments, and invocations. One lock and
 * one condition guard all of it; there are few threads and fewer changes.
 */

#define LAMBDA_INIT_TIMEOUT_MS     10000
#define LAMBDA_SYNC_PAYLOAD_LIMIT  (6u << 20)
#define LAMBDA_EVENT_PAYLOAD_LIMIT (1u << 20)
#define LAMBDA_ANSWER_LIMIT        ((6u << 20) + 100)
#define LAMBDA_CAUSE_LIMIT         (64u << 10)
#define LAMBDA_BODY_LIMIT          (64u << 20) /* more than that is not even read */

enum environment_state {
    ENVIRONMENT_STARTING, /* its bootstrap has not asked for work yet */
    ENVIRONMENT_IDLE,     /* asks for work, and is frozen */
    ENVIRONMENT_BUSY,     /* has work, or may still be busy after its answer */
    ENVIRONMENT_DEAD,     /* to be taken away */
};

struct function {
    struct function *next;
    struct lambda *lambda;
    char *name;
    char *arn;
    char **environment; /* ended by NULL */
    int timeout_s;
    int memory_mib;
    int concurrency;
    uint16_t moto_port;
    uint16_t control_port;
    struct faults *faults;
    bool is_traced;   /* Active; else PassThrough */
    int environments; /* that are not dead */
    unsigned started; /* ever */
};

/* One attempt of a function at an event. Belongs to the thread that waits for it. */
struct invocation {
    const char *request_id;
    const char *payload;
    size_t payload_length;
    const char *client_context;
    const xray_trace_header *caller; /* as it called; NULL: nobody said */
    char trace_header[XRAY_TRACE_HEADER_SIZE];

    /* The outcome. */
    bool delivered;
    bool done;
    bool failed;
    char *answer; /* or the error's body */
    size_t answer_length;
    char *cause;            /* the X-Ray error cause which the runtime sent, or NULL */
    int64_t initialized_ns; /* when the bootstrap asked for work for the first time */
    int64_t delivered_ns;
    int64_t done_ns;
};

struct environment {
    struct environment *next;
    struct lambda *lambda;
    struct function *function;
    unsigned number;
    enum environment_state state;
    bool reserved; /* somebody is about to give it an invocation */
    bool frozen;
    struct invocation *invocation;
    char request_id[UUID_SIZE]; /* of the latest invocation */
    bool answered;              /* that one */
    int64_t deadline_ms;        /* of that one */
    int64_t started_ns;
    int64_t initialized_ns; /* 0: not yet */
    int64_t idle_since_ms;
    char *init_error; /* body of the runtime's report */
    struct process *process;
    struct http_server *api;
    struct relay *relay;
    char *directory;
    char *log_path;
};

struct lambda {
    struct lambda_params params;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* on CLOCK_MONOTONIC */
    struct function *functions;
    struct environment *environments;
    bool stopping;
    bool janitor_runs;
    pthread_t janitor;
    unsigned events; /* in the queue: each has a thread */
};

struct function *lambda_find(struct lambda *lambda, const char *name);

/* Waits for a change; false when until_ms (Unix time) has passed. With the lock. */
bool lambda_wait(struct lambda *lambda, int64_t until_ms);

/*
 * A free environment or a new one, reserved for the caller; *ret_cold tells
 * which. 0, -EAGAIN at the limit, -ECANCELED when stopping, or another -errno,
 * with a line on stderr, when none can be started. With the lock.
 */
int environment_acquire(struct function *function, struct environment **ret, bool *ret_cold);

/* Gives it the invocation and waits for the end of that. With the lock. */
void environment_run(struct environment *environment, struct invocation *invocation);

/* Takes away dead and idle ones until lambda->stopping and none is left. */
void *environment_janitor(void *data);

/* Ends an invocation with an error of Lambda's own. With the lock. */
void invocation_fail(struct invocation *invocation, const char *type, const char *message);

/* The Runtime API of one environment: an http_handler. */
void runtime_api(void *data, const struct http_request *request, struct http_reply *reply);

/* SIGSTOP and SIGCONT. With the lock. */
void environment_freeze(struct environment *environment);
void environment_thaw(struct environment *environment);

/* It can't go on: ends its invocation, if it has one, and leaves it to the janitor. */
void environment_fail(struct environment *environment, const char *type, const char *message);

#endif /* MEDIA_LOCAL_ENVIRONMENT_H */
