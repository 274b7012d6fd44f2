/* SPDX-License-Identifier: Apache-2.0 */
#include "base/env.h"

#include <stddef.h>
#include <stdlib.h>
#include <strings.h>

static const char *const names[XR_ENV_COUNT] = {
    [XR_ENV_DAEMON_ADDRESS] = "AWS_XRAY_DAEMON_ADDRESS",
    [XR_ENV_CONTEXT_MISSING] = "AWS_XRAY_CONTEXT_MISSING",
    [XR_ENV_TRACING_NAME] = "AWS_XRAY_TRACING_NAME",
    [XR_ENV_SDK_ENABLED] = "AWS_XRAY_SDK_ENABLED",
    [XR_ENV_SDK_DISABLED] = "AWS_XRAY_SDK_DISABLED",
    [XR_ENV_DEBUG_MODE] = "AWS_XRAY_DEBUG_MODE",
    [XR_ENV_LOG_LEVEL] = "AWS_XRAY_LOG_LEVEL",
    [XR_ENV_SAMPLING_RULES] = "XRAYTRACE_SAMPLING_RULES",
    [XR_ENV_SAMPLING_RATE] = "XRAYTRACE_SAMPLING_RATE",
    [XR_ENV_SAMPLING_RATE_ALIAS] = "XRAY_SAMPLING_RATE",
    [XR_ENV_TRACE_HEADER] = "_X_AMZN_TRACE_ID",
    [XR_ENV_LAMBDA_TASK_ROOT] = "LAMBDA_TASK_ROOT",
    [XR_ENV_NOOP_ID] = "AWS_XRAY_NOOP_ID",
    [XR_ENV_PROPAGATE_RULE] = "XRAYTRACE_PROPAGATE_RULE",
    [XR_ENV_COLLECT_SQL_QUERIES] = "AWS_XRAY_COLLECT_SQL_QUERIES",
    [XR_ENV_LOG_GROUP] = "AWS_XRAY_LOG_GROUP",
    [XR_ENV_ADAPTIVE_SAMPLING] = "AWS_XRAY_ADAPTIVE_SAMPLING_CONFIG",
};

const char *xr_env_name(enum xr_env variable)
{
    return names[variable];
}

const char *xr_env_get(enum xr_env variable)
{
    const char *value = secure_getenv(names[variable]);

    return value && *value ? value : NULL;
}

bool xr_env_truth(const char *text, bool *ret)
{
    static const char *const words[][2] = {
        { "false", "true" }, { "0", "1" }, { "no", "yes" },
        { "off", "on" },     { "f", "t" }, { "n", "y" },
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        for (int truth = 0; truth < 2; truth++)
            if (strcasecmp(text, words[i][truth]) == 0) {
                *ret = truth;
                return true;
            }
    return false;
}
