/* SPDX-License-Identifier: Apache-2.0 */
/* IAM policies, as far as API Gateway's authorizers and roles here use them. */

#include "policy.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "util.h"

#define ACTION "execute-api:Invoke"

/* "*" and "?"; goes back to the latest star, so time is at most pattern by text. */
static bool matches(const char *pattern, const char *text, bool ignore_case)
{
    const char *star = NULL, *resume = NULL;

    while (*text) {
        bool same = ignore_case ? tolower((unsigned char)*pattern) == tolower((unsigned char)*text)
                                : *pattern == *text;
        if (*pattern == '*') {
            star = pattern++;
            resume = text;
        } else if (*pattern && (same || *pattern == '?')) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++resume;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

/* A member that is one pattern or a list of them. */
static bool any_matches(const cJSON *patterns, const char *text, bool ignore_case)
{
    const cJSON *pattern;

    if (cJSON_IsString(patterns))
        return matches(patterns->valuestring, text, ignore_case);
    cJSON_ArrayForEach(pattern, patterns)
    {
        if (cJSON_IsString(pattern) && matches(pattern->valuestring, text, ignore_case))
            return true;
    }
    return false;
}

static bool is_pattern_list(const cJSON *patterns)
{
    return cJSON_IsString(patterns) ||
           (cJSON_IsArray(patterns) && cJSON_GetArraySize(patterns) > 0);
}

static enum policy_decision evaluate_statement(const cJSON *statement, const char *wanted_action,
                                               const char *wanted_resource)
{
    const char *effect = json_get_text(statement, "Effect");
    const cJSON *action = cJSON_GetObjectItemCaseSensitive(statement, "Action");
    const cJSON *resource = cJSON_GetObjectItemCaseSensitive(statement, "Resource");

    if (!effect || (strcmp(effect, "Allow") != 0 && strcmp(effect, "Deny") != 0) ||
        !is_pattern_list(action) || !is_pattern_list(resource))
        return POLICY_INVALID;
    if (!any_matches(action, wanted_action, true) || !any_matches(resource, wanted_resource, false))
        return POLICY_DENY_IMPLICIT;
    return strcmp(effect, "Allow") == 0 ? POLICY_ALLOW : POLICY_DENY;
}

enum policy_decision policy_decide(const cJSON *document, const char *action, const char *resource)
{
    const cJSON *statements = cJSON_GetObjectItemCaseSensitive(document, "Statement");
    enum policy_decision decision = POLICY_DENY_IMPLICIT;
    const cJSON *statement;

    if (!json_get_text(document, "Version"))
        return POLICY_INVALID;
    if (cJSON_IsObject(statements))
        return evaluate_statement(statements, action, resource);
    if (!cJSON_IsArray(statements))
        return POLICY_INVALID;
    cJSON_ArrayForEach(statement, statements)
    {
        enum policy_decision one = evaluate_statement(statement, action, resource);
        if (one == POLICY_INVALID || one == POLICY_DENY)
            return one;
        if (one == POLICY_ALLOW)
            decision = one;
    }
    return decision;
}

enum policy_decision policy_evaluate(const cJSON *answer, const char *method_arn)
{
    if (!json_get_text(answer, "principalId"))
        return POLICY_INVALID;
    return policy_decide(cJSON_GetObjectItemCaseSensitive(answer, "policyDocument"), ACTION,
                         method_arn);
}
