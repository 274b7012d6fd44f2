/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <xraytrace/describe.h>

#include "base/env.h"
#include "base/hook.h"

#define STREAM_BYTES_DEFAULT (32 * 1024)
#define STREAM_BYTES_MAX     (60 * 1024)
#define CAPTURE_MOST         1e9 /* traces, and bytes, a second */

struct word {
    const char *text;
    int value;
};

static const struct word strategies[] = {
    /* From the environment nothing aborts: it may be meant for another program. */
    { "RUNTIME_ERROR", XRAY_CONTEXT_MISSING_LOG },
    { "LOG_ERROR", XRAY_CONTEXT_MISSING_LOG },
    { "IGNORE_ERROR", XRAY_CONTEXT_MISSING_IGNORE },
};

static const struct word levels[] = {
    { "debug", XR_LOG_DEBUG }, { "info", XR_LOG_INFO },     { "warn", XR_LOG_WARNING },
    { "error", XR_LOG_ERROR }, { "silent", XR_LOG_SILENT },
};

static void complain(const struct xr_settings *settings, enum xr_env variable, const char *wanted)
{
    xr_log(&settings->logger, XR_LOG_WARNING, "%s is ignored: it should be %s",
           xr_env_name(variable), wanted);
}

static void read_word(struct xr_settings *settings, enum xr_env variable, const struct word *words,
                      size_t count, const char *wanted, int *value)
{
    const char *text = xr_env_get(variable);

    if (!text)
        return;
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(text, words[i].text) == 0) {
            *value = words[i].value;
            return;
        }
    complain(settings, variable, wanted);
}

static void read_truth(struct xr_settings *settings, enum xr_env variable, bool *value)
{
    const char *text = xr_env_get(variable);

    if (text && !xr_env_truth(text, value))
        complain(settings, variable, "true or false");
}

static void read_log_level(struct xr_settings *settings)
{
    bool debug = false;

    read_word(settings, XR_ENV_LOG_LEVEL, levels, sizeof(levels) / sizeof(*levels),
              "debug, info, warn, error or silent", &settings->logger.level);
    read_truth(settings, XR_ENV_DEBUG_MODE, &debug);
    if (debug)
        settings->logger.level = XR_LOG_DEBUG;
}

static void read_sampling_rate(struct xr_settings *settings)
{
    enum xr_env variable = XR_ENV_SAMPLING_RATE;
    const char *text = xr_env_get(variable);
    double fraction = 0, scale = 1;
    const char *c;

    if (!text) {
        variable = XR_ENV_SAMPLING_RATE_ALIAS;
        text = xr_env_get(variable);
    }
    if (!text)
        return;
    /* Not strtod(), which would want the locale's decimal point. */
    for (c = text; *c >= '0' && *c <= '9' && c - text < 9; c++)
        fraction = 10 * fraction + (*c - '0');
    if (*c == '.')
        for (c++; *c >= '0' && *c <= '9'; c++)
            fraction += (*c - '0') * (scale /= 10);
    if (*c || !strpbrk(text, "0123456789") || fraction > 1)
        complain(settings, variable, "a number from 0 to 1");
    else
        settings->sampling_fraction = fraction;
}

static void read_log_groups(struct xr_settings *settings)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-/.#";
    const char *text = xr_env_get(XR_ENV_LOG_GROUP), *group = text;
    size_t count = 0;

    if (!text)
        return;
    while (*(group += strspn(group, ", "))) {
        size_t length = strspn(group, letters);

        if (length == 0 || length > XR_LOG_GROUP_LENGTH || ++count > XR_LOG_GROUPS_MAX)
            break;
        group += length;
    }
    if (*group || count == 0)
        complain(settings, XR_ENV_LOG_GROUP, "names of log groups, with commas between");
    else
        settings->log_groups = text;
}

static void read_environment(struct xr_settings *settings)
{
    bool enabled = true;
    const char *name = xr_env_get(XR_ENV_TRACING_NAME);

    if (name)
        settings->service = name;
    settings->environment_address = xr_env_get(XR_ENV_DAEMON_ADDRESS);
    settings->in_lambda = xr_env_get(XR_ENV_LAMBDA_TASK_ROOT) != NULL;
    read_word(
        settings, XR_ENV_CONTEXT_MISSING, strategies, sizeof(strategies) / sizeof(*strategies),
        "LOG_ERROR, IGNORE_ERROR or RUNTIME_ERROR (which logs, too)", &settings->context_missing);
    read_truth(settings, XR_ENV_SDK_ENABLED, &enabled);
    read_truth(settings, XR_ENV_SDK_DISABLED, &settings->disabled);
    settings->disabled = settings->disabled || !enabled;
    settings->sampling_rules = xr_env_get(XR_ENV_SAMPLING_RULES);
    read_sampling_rate(settings);
    settings->adaptive_config = xr_env_get(XR_ENV_ADAPTIVE_SAMPLING);
    read_truth(settings, XR_ENV_PROPAGATE_RULE, &settings->passes_rule);
    read_truth(settings, XR_ENV_NOOP_ID, &settings->makes_no_ids);
    read_truth(settings, XR_ENV_COLLECT_SQL_QUERIES, &settings->collects_queries);
    read_log_groups(settings);
}

static int read_capture(struct xr_settings *settings, const xray_capture *given)
{
    static const uint32_t marks = XRAY_FAULT | XRAY_ERROR | XRAY_THROTTLE;
    xray_capture capture;
    int r;

    if (!given)
        return 0;
    r = xr_hook_copy(&capture, given, sizeof(capture));
    if (r < 0)
        return r;
    /* Written so that NaN is out of range too. */
    if ((capture.flags & ~(marks | XRAY_CAPTURE_ACROSS | XRAY_CAPTURE_IN_LAMBDA)) ||
        capture.slower_than_ns < 0 ||
        !(capture.traces_per_second >= 0 && capture.traces_per_second <= CAPTURE_MOST) ||
        !(capture.bytes_per_second >= 0 && capture.bytes_per_second <= CAPTURE_MOST))
        return -EINVAL;
    settings->captures = !settings->in_lambda || (capture.flags & XRAY_CAPTURE_IN_LAMBDA);
    settings->capture_across = capture.flags & XRAY_CAPTURE_ACROSS;
    settings->capture_marks = capture.flags & marks ? capture.flags & marks : XRAY_FAULT;
    settings->capture_slower_than_ns = capture.slower_than_ns;
    settings->capture_traces_per_second = capture.traces_per_second > 0 ? capture.traces_per_second
                                                                        : 1;
    settings->capture_bytes_per_second = capture.bytes_per_second;
    return 0;
}

int xr_settings_read(struct xr_settings *ret, const xray_recorder_params *params)
{
    bool environment = !(params->flags & XRAY_RECORDER_NO_ENVIRONMENT);

    if ((params->flags & ~(XRAY_RECORDER_NO_ENVIRONMENT | XRAY_RECORDER_PROPAGATE_RULE)) ||
        params->context_missing < 0 || params->context_missing > XRAY_CONTEXT_MISSING_ABORT ||
        params->stream_bytes > STREAM_BYTES_MAX)
        return -EINVAL;
    *ret = (struct xr_settings){
        .context_missing = params->context_missing ? params->context_missing
                                                   : XRAY_CONTEXT_MISSING_LOG,
        .stream_bytes = params->stream_bytes ? params->stream_bytes : STREAM_BYTES_DEFAULT,
        .service = params->service && *params->service ? params->service
                                                       : program_invocation_short_name,
        .service_version = params->service_version,
        .origin = params->origin,
        .resource_arn = params->resource_arn,
        .collects_queries = true,
        .daemon_address = params->daemon_address,
        .passes_rule = params->flags & XRAY_RECORDER_PROPAGATE_RULE,
        .sampling_fraction = -1,
        .logger = xr_log_stderr,
    };
    if (params->logger)
        ret->logger = (struct xr_logger){
            .data = params->logger->data,
            .level = params->logger->level ? params->logger->level : XR_LOG_WARNING,
            .log = params->logger->log,
        };
    else if (environment)
        read_log_level(ret);
    if (environment)
        read_environment(ret);
    return read_capture(ret, params->capture);
}
