/* SPDX-License-Identifier: Apache-2.0 */
/* Every environment variable that the library reads; docs/environment.md says what each does. */
#ifndef XR_BASE_ENV_H
#define XR_BASE_ENV_H

#include <stdbool.h>

enum xr_env {
    XR_ENV_DAEMON_ADDRESS,
    XR_ENV_CONTEXT_MISSING,
    XR_ENV_TRACING_NAME,
    XR_ENV_SDK_ENABLED,
    XR_ENV_SDK_DISABLED,
    XR_ENV_DEBUG_MODE,
    XR_ENV_LOG_LEVEL,
    XR_ENV_SAMPLING_RULES,
    XR_ENV_SAMPLING_RATE,
    XR_ENV_SAMPLING_RATE_ALIAS,
    XR_ENV_TRACE_HEADER,
    XR_ENV_LAMBDA_TASK_ROOT,
    XR_ENV_NOOP_ID,
    XR_ENV_PROPAGATE_RULE,
    XR_ENV_COLLECT_SQL_QUERIES,
    XR_ENV_LOG_GROUP,
    XR_ENV_ADAPTIVE_SAMPLING,
    XR_ENV_COUNT,
};

const char *xr_env_name(enum xr_env variable);

/* NULL when it is not set, is empty, or must not be trusted (setuid programs). */
const char *xr_env_get(enum xr_env variable);

/* Reads true, 1, yes, on and their opposites, in any case; false when it is none of these. */
bool xr_env_truth(const char *text, bool *ret);

#endif /* XR_BASE_ENV_H */
