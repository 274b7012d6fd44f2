/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEDIA_LOCAL_FUNCTIONS_H
#define MEDIA_LOCAL_FUNCTIONS_H

#include "cloud.h"
#include "lambda.h"
#include "options.h"

/* The six functions, as Terraform would configure them: limits, roles, variables. */

extern const char *const function_names[]; /* ended by NULL */

/* Whether there is a function of that name, whose length is given. */
bool functions_has(const char *name, size_t length);

/* All names with commas between, for messages; malloc()ed. */
char *functions_list(void);

struct functions_params {
    const struct options *options;
    struct cloud *cloud;
    uint16_t control_port;
    uint16_t media_port;
    uint16_t delivery_port;
};

/* Before cloud_lock(): creates the roles too. 0 or -errno, with the reason on stderr. */
int functions_add(struct lambda *lambda, const struct functions_params *params);

#endif /* MEDIA_LOCAL_FUNCTIONS_H */
