/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEDIA_LOCAL_PERMISSION_H
#define MEDIA_LOCAL_PERMISSION_H

#include "cloud.h"

/*
 * Whether who holds an access key may do an action on a resource, by the policy that IAM has now:
 * whoever changes it there changes what happens here. 0; -EACCES with IAM's words in *ret_refusal;
 * -ENOKEY for a key that nobody here holds; or another -errno when IAM does not answer.
 */
int permission_check(const struct cloud *cloud, const char *access_key_id, const char *action,
                     const char *resource, char **ret_refusal);

#endif /* MEDIA_LOCAL_PERMISSION_H */
