/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEDIA_LOCAL_POLICY_H
#define MEDIA_LOCAL_POLICY_H

#include <cjson/cJSON.h>

enum policy_decision {
    POLICY_INVALID, /* not an authorizer's answer at all */
    POLICY_ALLOW,
    POLICY_DENY,          /* by a statement */
    POLICY_DENY_IMPLICIT, /* because no statement allows it */
};

/* What an authorizer's answer says about calling the method with this ARN. */
enum policy_decision policy_evaluate(const cJSON *answer, const char *method_arn);

/* What an IAM policy, "Version" and "Statement", says about an action on a resource. */
enum policy_decision policy_decide(const cJSON *document, const char *action, const char *resource);

#endif /* MEDIA_LOCAL_POLICY_H */
