/* SPDX-License-Identifier: Apache-2.0 */
/* The authorizer: an answer "Unauthorized" becomes 401, a policy that denies 403. Tokens are not
 * stored, only their hashes; neither is ever logged or recorded. */
#include <string.h>

#include <openssl/crypto.h>

#include "functions/functions.h"
#include "functions/token.h"
#include "runtime/cleanup.h"
#include "runtime/clock.h"

/* API Gateway knows exactly this text. */
static cJSON *unauthorized(struct invocation *invocation, const char *reason)
{
    failure_set(&invocation->failure, 0, "Error", "Unauthorized");
    invocation->failure.caller = true;
    invocation_annotate(invocation, "token_verdict", reason);
    return NULL;
}

static bool read_hash(const cJSON *event, char ret[TEXT_HASH_SIZE])
{
    char token[TOKEN_SIZE];
    if (!token_read(event, token))
        return false;
    bool is_hashed = text_hash(token, strlen(token), ret);
    OPENSSL_cleanse(token, sizeof(token));
    return is_hashed;
}

cJSON *authorizer_api_token(void *data, struct invocation *invocation, const cJSON *event)
{
    struct pipeline *pipeline = data;
    char hash[TEXT_HASH_SIZE];
    const char *method_arn = cJSON_GetStringValue(
        cJSON_GetObjectItemCaseSensitive(event, "methodArn"));
    if (!method_arn) {
        failure_set(&invocation->failure, 0, "BadEvent", "methodArn is missing");
        return NULL;
    }
    if (!read_hash(event, hash))
        return unauthorized(invocation, "missing");

    AUTO_JSON cJSON *item = NULL;
    if (dynamodb_get(&pipeline->aws, pipeline->config.api_tokens_table,
                     attribute_key("tokenHash", hash), &item, &invocation->failure) < 0)
        return NULL;
    switch (token_check(item, hash, clock_now_ms())) {
    case TOKEN_GOOD:
        invocation_annotate(invocation, "token_verdict", "good");
        invocation_annotate_user(invocation, attribute_get_string(item, "userId"));
        return token_policy(attribute_get_string(item, "userId"), true, method_arn);
    case TOKEN_DISABLED:
        invocation_annotate(invocation, "token_verdict", "disabled");
        invocation_annotate_user(invocation, attribute_get_string(item, "userId"));
        return token_policy(attribute_get_string(item, "userId"), false, method_arn);
    case TOKEN_UNKNOWN:
    default:
        return unauthorized(invocation, item ? "expired" : "unknown");
    }
}
