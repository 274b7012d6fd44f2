/* SPDX-License-Identifier: Apache-2.0 */
/* The four requests of the Lambda Runtime API. They are never traced: a subsegment around the
 * wait for work would last as long as the process is idle. */
#ifndef PIPELINE_RUNTIME_API_CLIENT_H
#define PIPELINE_RUNTIME_API_CLIENT_H

#include <stdint.h>

#include "runtime/failure.h"
#include "runtime/text.h"

struct api_client;

/* api is AWS_LAMBDA_RUNTIME_API, "host:port". 0, -EINVAL or -ENOMEM. */
int api_client_new(struct api_client **ret, const char *api);
void api_client_free(struct api_client *client);

#define AUTO_API_CLIENT __attribute__((__cleanup__(api_client_cleanup)))
static inline void api_client_cleanup(struct api_client **client)
{
    api_client_free(*client);
}

/* An invocation as it came; headers that did not come are "". */
struct api_event {
    char request_id[128];
    char function_arn[256];
    char trace_id[512];
    int64_t deadline_ms; /* Unix time; 0 when it did not come */
    struct text body;
};

/*
 * Waits, without a time limit, for the next event; *event is reused from call
 * to call. Returns 0, -ECONNREFUSED when the API cannot be reached, or -EPROTO
 * for an answer after which the process should end.
 */
int api_client_next(struct api_client *client, struct api_event *event, struct failure *failure);

/*
 * Posts the answer. Returns 0, -EMSGSIZE when it is too large, -ESTALE when
 * the invocation is no longer waiting (it timed out), -EPROTO when the process
 * should end, or -ECONNREFUSED.
 */
int api_client_respond(struct api_client *client, const char *request_id, const char *body,
                       size_t length, struct failure *failure);

/* Posts a failure, with its cause for the trace. Returns as api_client_respond() does. */
int api_client_fail(struct api_client *client, const char *request_id,
                    const struct failure *reported, struct failure *failure);

/* Tells that initialization failed; the process should end then. */
int api_client_fail_init(struct api_client *client, const struct failure *reported,
                         struct failure *failure);

#endif /* PIPELINE_RUNTIME_API_CLIENT_H */
