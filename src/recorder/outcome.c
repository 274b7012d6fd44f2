/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/outcome.h"

#include <stdlib.h>

#include <xraytrace/describe.h>

#include "base/hook.h"
#include "base/sha256.h"
#include "model/attributes.h"
#include "recorder/recorder.h"
#include "sampling/adaptive.h"
#include "wire/hex.h"

#define TEXT_SIZE 256

bool xr_rule_field_read(const char *extra, char ret[XR_RULE_HASH_DIGITS + 1])
{
    for (const char *field = extra; *field; field += strcspn(field, ";") + 1) {
        size_t length = strcspn(field, ";");

        if (length == XR_RULE_FIELD_LENGTH &&
            strncmp(field, XR_RULE_FIELD, strlen(XR_RULE_FIELD)) == 0) {
            memcpy(ret, field + strlen(XR_RULE_FIELD), XR_RULE_HASH_DIGITS);
            ret[XR_RULE_HASH_DIGITS] = '\0';
            return true;
        }
        if (field[length] == '\0')
            break;
    }
    ret[0] = '\0';
    return false;
}

void xr_rule_field_add(char *extra, size_t size, const char *rule)
{
    unsigned char hash[XR_SHA256_BYTES];
    size_t length = strnlen(extra, size - 1);
    uint64_t digits;
    char *p = extra + length;

    if (length + 1 + XR_RULE_FIELD_LENGTH >= size)
        return;
    xr_sha256(hash, rule, strlen(rule));
    memcpy(&digits, hash, sizeof(digits));
    if (length > 0)
        *p++ = ';';
    memcpy(p, XR_RULE_FIELD, strlen(XR_RULE_FIELD));
    p = xr_hex64(p + strlen(XR_RULE_FIELD), be64toh(digits));
    *p = '\0';
}

/* A URL's path; a server's own is often all there is of it. */
static const char *path_of(const char *url)
{
    const char *authority = strstr(url, "://");

    /* Another URL may be in it. */
    if (*url == '/' || !authority)
        return url;
    authority += strlen("://");
    return authority + strcspn(authority, "/");
}

unsigned xr_outcome_anomaly(const struct xr_segment *segment, int64_t end_ns)
{
    char status[16], method[16], url[TEXT_SIZE], name[XR_NAME_ROOM];
    struct xr_adaptive_ending ending = {
        .fault = segment->marks & XRAY_FAULT,
        .duration_ns = end_ns - segment->start_ns,
    };

    xr_attributes_copy(segment, XR_STATUS, status, sizeof(status));
    ending.status = (int)strtol(status, NULL, 10);
    xr_attributes_copy(segment, XR_METHOD, method, sizeof(method));
    xr_attributes_copy(segment, XR_REQUEST_URL, url, sizeof(url));
    memcpy(name, segment->text, segment->name_length);
    name[segment->name_length] = '\0';
    ending.http_method = *method ? method : NULL;
    ending.url_path = *url ? path_of(url) : NULL;
    ending.name = name;
    return xr_adaptive_judge(segment->recorder->adaptive, &ending);
}

void xr_outcome_report(const struct xr_segment *segment, unsigned anomaly, int64_t end_ns)
{
    xray_recorder *recorder = segment->recorder;
    char rule[TEXT_SIZE], upstream[XR_RULE_HASH_DIGITS + 1], name[XR_NAME_ROOM];
    xray_sampling_outcome outcome = {
        .size = sizeof(outcome),
        .rule = rule,
        .upstream = upstream,
        .service = name,
        .trace_id = xr_segment_trace(segment),
        .sampled = (segment->flags & XR_SAMPLED) != 0,
        .now_ns = end_ns,
    };
    struct xr_hook_call call;

    if (anomaly & XR_ANOMALY_BOOST)
        outcome.anomaly = anomaly & XR_ANOMALY_DEFAULT ? 2 : 1;
    xr_attributes_copy(segment, XR_SAMPLING_RULE_NAME, rule, sizeof(rule));
    (void)xr_rule_field_read(xr_segment_extra(segment), upstream);
    memcpy(name, segment->text, segment->name_length);
    name[segment->name_length] = '\0';
    xr_recorder_check_fork(recorder);
    call = xr_hook_enter();
    recorder->sampler.report(recorder->sampler.data, &outcome);
    xr_hook_leave(call);
}
