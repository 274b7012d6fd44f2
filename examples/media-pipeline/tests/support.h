/* SPDX-License-Identifier: Apache-2.0 */
/* A peer that stands for all of AWS, and a pipeline that is configured for it. */
#ifndef PIPELINE_TESTS_SUPPORT_H
#define PIPELINE_TESTS_SUPPORT_H

#include <criterion/criterion.h>
#include <criterion/redirect.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "functions/functions.h"
#include "peer.h"
#include "runtime/clock.h"

#define REPLIES(...)                            \
    (const struct peer_reply[]){ __VA_ARGS__ }, \
        sizeof((const struct peer_reply[]){ __VA_ARGS__ }) / sizeof(struct peer_reply)

extern struct peer *peer;
extern struct pipeline pipeline;
extern struct invocation invocation;
extern struct failure failure;
extern char directory[64]; /* for this test; it must be empty in the end */
extern char program[128];  /* what is called yt-dlp; the test writes it */

/* For .init and .fini of a suite. */
void support_begin(void);
void support_end(void);

/* What the peer will answer; the endpoints of all services point to it. */
void start(const struct peer_reply *replies, size_t count);

/* Whether a request has this text, and how many do. */
bool has(size_t index, const char *text);
int count_of(const char *text);
bool contains(const char *text, const char *part);

/* The handler's answer as text, "" when it failed; good until the next call. */
const char *call(invocation_handler handler, const char *event);

/* ---- Items of the Files table ------------------------------------------------- */

#define ID   "dQw4w9WgXcQ"
#define USER "\"requestContext\":{\"authorizer\":{\"principalId\":\"u1\"}}"
#define ITEM(status, more)                                                                         \
    "{\"fileId\":{\"S\":\"" ID "\"},\"status\":{\"S\":\"" status                                   \
    "\"},\"correlationId\":{\"S\":\"c-0\"},\"sourceUrl\":{\"S\":\"https://youtu.be/" ID "\"}" more \
    "}"
#define LEASED ",\"leaseUntil\":{\"N\":\"9000000000000\"}"

/* Replies. */
#define FINE         \
    {                \
        .body = "{}" \
    }
#define FOUND(status, more)                         \
    {                                               \
        .body = "{\"Item\":" ITEM(status, more) "}" \
    }
#define UPDATED(status, more)                             \
    {                                                     \
        .body = "{\"Attributes\":" ITEM(status, more) "}" \
    }
#define CONDITION_FAILED                                                                        \
    {                                                                                           \
        .status = 400,                                                                          \
        .body =                                                                                 \
            "{\"__type\":\"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException\"," \
            "\"message\":\"The conditional request failed\"}"                                   \
    }

#endif /* PIPELINE_TESTS_SUPPORT_H */
