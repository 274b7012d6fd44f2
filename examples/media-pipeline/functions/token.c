/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/token.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>

#include "aws/attribute.h"
#include "functions/api.h"

static bool take(const char *text, char ret[TOKEN_SIZE])
{
    size_t length = strnlen(text, TOKEN_SIZE);
    if (length == 0 || length >= TOKEN_SIZE)
        return false;
    for (size_t i = 0; i < length; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    memcpy(ret, text, length + 1);
    return true;
}

bool token_read(const cJSON *event, char ret[TOKEN_SIZE])
{
    static const char scheme[] = "Bearer ";
    const char *header = api_header(event, "Authorization");
    if (header && strncasecmp(header, scheme, strlen(scheme)) == 0) {
        const char *token = header + strlen(scheme);
        return take(token + strspn(token, " "), ret);
    }
    const char *parameter = api_query(event, "ApiKey");
    return parameter && take(parameter, ret);
}

enum token_verdict token_check(const cJSON *item, const char *hash, int64_t now_ms)
{
    const char *stored = attribute_get_string(item, "tokenHash");
    const char *user_id = attribute_get_string(item, "userId");
    int64_t expires_at = attribute_get_number(item, "expiresAt", 0);
    if (!stored || strlen(stored) != TEXT_HASH_SIZE - 1 ||
        CRYPTO_memcmp(stored, hash, TEXT_HASH_SIZE - 1) != 0)
        return TOKEN_UNKNOWN;
    if (!user_id || !*user_id || (expires_at > 0 && expires_at <= now_ms))
        return TOKEN_UNKNOWN;
    return attribute_get_bool(item, "enabled") ? TOKEN_GOOD : TOKEN_DISABLED;
}

cJSON *token_policy(const char *principal_id, bool is_allowed, const char *method_arn)
{
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddStringToObject(answer, "principalId", principal_id);
    cJSON *policy = cJSON_AddObjectToObject(answer, "policyDocument");
    cJSON_AddStringToObject(policy, "Version", "2012-10-17");
    cJSON *statement = cJSON_CreateObject();
    cJSON_AddItemToArray(cJSON_AddArrayToObject(policy, "Statement"), statement);
    cJSON_AddStringToObject(statement, "Action", "execute-api:Invoke");
    cJSON_AddStringToObject(statement, "Effect", is_allowed ? "Allow" : "Deny");
    cJSON_AddStringToObject(statement, "Resource", method_arn);
    cJSON_AddObjectToObject(answer, "context");
    return answer;
}
