/* SPDX-License-Identifier: Apache-2.0 */
/* API tokens: where they stand in a request, what is stored of them, and whom they let in. */
#ifndef PIPELINE_FUNCTIONS_TOKEN_H
#define PIPELINE_FUNCTIONS_TOKEN_H

#include <stdint.h>

#include <cjson/cJSON.h>

#include "runtime/text.h"

#define TOKEN_SIZE 513 /* with its NUL */

/*
 * The token of a request to an authorizer: "Authorization: Bearer …", else the
 * parameter ApiKey, for callers that cannot set headers. False without a usable one.
 */
bool token_read(const cJSON *event, char ret[TOKEN_SIZE]);

enum token_verdict {
    TOKEN_UNKNOWN, /* or expired */
    TOKEN_DISABLED,
    TOKEN_GOOD,
};

/* item is what the table has under the hash, or NULL. */
enum token_verdict token_check(const cJSON *item, const char *hash, int64_t now_ms);

/* API Gateway's answer: who it is, and whether the method may be called. */
cJSON *token_policy(const char *principal_id, bool is_allowed, const char *method_arn);

#endif /* PIPELINE_FUNCTIONS_TOKEN_H */
