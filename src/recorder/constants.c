/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/constants.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "recorder/version.h"

#define STRING_MAX 250 /* characters */

#if defined(__clang__)
#define COMPILER         "clang"
#define COMPILER_VERSION __clang_version__
#else
#define COMPILER         "gcc"
#define COMPILER_VERSION __VERSION__
#endif

static const char sdk[80] = "\"sdk\":\"X-Ray for C\",\"sdk_version\":\"" XR_VERSION_TEXT "\"";

static char *write_limited(char *p, const char *text)
{
    size_t length = strnlen(text, 4 * STRING_MAX + 1);

    return xr_json_string(p, text, xr_utf8_prefix(text, length, STRING_MAX), NULL);
}

static char *write_segment(char *p, const struct xr_settings *settings)
{
    if (settings->origin) {
        p = XR_JSON_LITERAL(p, ",\"origin\":");
        p = write_limited(p, settings->origin);
    }
    if (settings->resource_arn && *settings->resource_arn) {
        p = XR_JSON_LITERAL(p, ",\"resource_arn\":");
        p = write_limited(p, settings->resource_arn);
    }
    p = XR_JSON_LITERAL(p, ",\"service\":{");
    if (settings->service_version) {
        p = XR_JSON_LITERAL(p, "\"version\":");
        p = write_limited(p, settings->service_version);
        *p++ = ',';
    }
    p = XR_JSON_LITERAL(p, "\"compiler\":\"" COMPILER "\",\"compiler_version\":");
    p = write_limited(p, COMPILER_VERSION);
    *p++ = '}';
    return p;
}

/* Their names need no escapes: the settings have been looked at. */
static char *write_logs(char *p, const char *groups)
{
    static const char separators[] = ", ";

    p = XR_JSON_LITERAL(p, "\"cloudwatch_logs\":[");
    for (groups += strspn(groups, separators); *groups;) {
        size_t length = strcspn(groups, separators);

        if (p[-1] != '[')
            *p++ = ',';
        p = XR_JSON_LITERAL(p, "{\"log_group\":\"");
        p = xr_json_bytes(p, groups, length);
        p = XR_JSON_LITERAL(p, "\"}");
        groups += length;
        groups += strspn(groups, separators);
    }
    *p++ = ']';
    return p;
}

/* For the sampler, which may ask. */
static size_t bytes_to_keep(const char *text)
{
    return text ? strnlen(text, STRING_MAX) + 1 : 0;
}

static const char *keep(char **p, const char *text)
{
    size_t bytes = bytes_to_keep(text);
    char *copy = *p;

    if (bytes == 0)
        return NULL;
    memcpy(copy, text, bytes - 1);
    copy[bytes - 1] = '\0';
    *p += bytes;
    return copy;
}

int xr_constants_write(xray_recorder *recorder, const struct xr_settings *settings)
{
    char text[4 * XR_JSON_STRING_MAX(4 * STRING_MAX) + 256 +
              XR_LOG_GROUPS_MAX * (XR_LOG_GROUP_LENGTH + 24)];
    size_t kept = bytes_to_keep(settings->origin) + bytes_to_keep(settings->resource_arn);
    const char *logs = write_segment(text, settings);
    const char *end = settings->log_groups ? write_logs(text + (logs - text), settings->log_groups)
                                           : logs;
    size_t length = (size_t)(end - text);
    char *p;

    recorder->text_bytes = length + kept + XR_SIXTEEN_OVER;
    recorder->text = xr_alloc(recorder->text_bytes);
    if (!recorder->text)
        return -ENOMEM;
    memcpy(recorder->text, text, length);
    recorder->constants.segment = recorder->text;
    recorder->constants.segment_length = (size_t)(logs - text);
    recorder->constants.logs = recorder->text + (logs - text);
    recorder->constants.logs_length = (size_t)(end - logs);
    recorder->constants.xray = sdk;
    recorder->constants.xray_length = strlen(sdk);
    p = recorder->text + length;
    recorder->origin = keep(&p, settings->origin);
    recorder->resource_arn = keep(&p, settings->resource_arn);
    return 0;
}
