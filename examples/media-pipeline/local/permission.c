/* SPDX-License-Identifier: Apache-2.0 */
/* What IAM's policies say about the services that moto does not play. */

#include "permission.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h"
#include "util.h"

static const struct principal *find(const struct cloud *cloud, const char *access_key_id)
{
    for (size_t i = 0; i < cloud->principal_count; i++)
        if (strcmp(cloud->principals[i].access_key_id, access_key_id) == 0)
            return &cloud->principals[i];
    return NULL;
}

/* The principal's only policy, or NULL. */
static int read_policy(const struct cloud *cloud, const struct principal *principal, cJSON **ret)
{
    char *form = text_format("Action=Get%sPolicy&Version=2010-05-08&%sName=%s&PolicyName=inline",
                             principal->is_role ? "Role" : "User",
                             principal->is_role ? "Role" : "User", principal->name);
    char *body = NULL;
    int error = cloud_query(cloud, "iam", form, &body);
    char *encoded = error ? NULL : xml_text(body, "PolicyDocument");

    *ret = NULL;
    if (encoded) {
        char *field = text_format("document=%s", encoded);
        char *document = form_field(field, "document");
        *ret = cJSON_Parse(document);
        free(document);
        free(field);
    }
    free(encoded);
    free(body);
    free(form);
    /* What IAM refuses to show, such as a policy that was taken away, allows nothing. */
    return error == -EREMOTEIO ? 0 : error;
}

static char *refusal_text(const struct principal *principal, const char *action,
                          const char *resource, enum policy_decision decision)
{
    char *who = principal->is_role ? text_format("sts::" CLOUD_ACCOUNT ":assumed-role/%s/%s",
                                                 principal->name, principal->name)
                                   : text_format("iam::" CLOUD_ACCOUNT ":user/%s", principal->name);
    char *why = decision == POLICY_DENY
                    ? text_copy("with an explicit deny in an identity-based policy")
                    : text_format("because no identity-based policy allows the %s action", action);
    char *text = text_format("User: arn:aws:%s is not authorized to perform: %s on resource: %s %s",
                             who, action, resource, why);

    free(who);
    free(why);
    return text;
}

int permission_check(const struct cloud *cloud, const char *access_key_id, const char *action,
                     const char *resource, char **ret_refusal)
{
    const struct principal *principal = find(cloud, access_key_id);
    cJSON *policy = NULL;

    if (!principal)
        return -ENOKEY;
    int error = read_policy(cloud, principal, &policy);
    if (error)
        return error;
    enum policy_decision decision = policy_decide(policy, action, resource);
    cJSON_Delete(policy);
    if (decision == POLICY_ALLOW)
        return 0;
    *ret_refusal = refusal_text(principal, action, resource, decision);
    return -EACCES;
}
