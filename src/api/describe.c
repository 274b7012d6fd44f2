/* SPDX-License-Identifier: Apache-2.0 */
/* xraytrace/describe.h: each call finds the segment, writes, and counts what was lost. */
#include <xraytrace/describe.h>

#include <stdarg.h>
#include <stdio.h>

#include "api/api.h"
#include "base/json.h"
#include "base/random.h"
#include "model/describe.h"
#include "model/grpc.h"
#include "recorder/recorder.h"

/* The segment, if what is said about it can be sent. */
static struct xr_segment *recording(const xray_segment *handle)
{
    struct xr_segment *segment = xr_segment_of(handle);

    if (!segment || (segment->flags & (XR_RECORDING | XR_FACADE)) != XR_RECORDING)
        return NULL;
    return segment;
}

static void count(struct xr_segment *segment, unsigned truncated)
{
    if (__builtin_expect(truncated > 0, 0))
        xr_count(segment->recorder, XR_TRUNCATED, truncated);
}

void xray_annotate_value(xray_segment *handle, const char *key, xray_value value)
{
    struct xr_segment *segment = recording(handle);

    if (segment)
        count(segment, xr_describe_annotation(segment, key, &value));
}

void xray_add_metadata_value(xray_segment *handle, const char *name_space, const char *key,
                             xray_value value)
{
    struct xr_segment *segment = recording(handle);

    if (segment)
        count(segment, xr_describe_metadata(segment, name_space, key, &value));
}

void xray_mark(xray_segment *handle, unsigned flags)
{
    struct xr_segment *segment = recording(handle);

    if (segment)
        xr_describe_marks(segment, flags);
}

void xray_unmark(xray_segment *handle, unsigned flags)
{
    struct xr_segment *segment = recording(handle);

    if (segment)
        xr_describe_unmark(segment, flags);
}

void xray_add_exception_at(xray_segment *handle, const char *file, int line, const char *function,
                           const char *type, const char *format, ...)
{
    struct xr_segment *segment = recording(handle);
    xray_frame frame = { .path = file, .label = function, .line = line };
    xray_exception exception = {
        .size = sizeof(exception), .type = type, .frames = &frame, .frame_count = 1
    };
    char message[1001] = "";
    va_list arguments;

    if (!segment)
        return;
    va_start(arguments, format);
    if (vsnprintf(message, sizeof(message), format, arguments) >= (int)sizeof(message)) {
        message[xr_utf8_whole(message, sizeof(message) - 1)] = '\0';
        count(segment, 1);
    }
    va_end(arguments);
    exception.message = message;
    count(segment, xr_describe_exception(segment, xr_random_u64() | 1, &exception));
}

/* Apart, since the calls need much of the stack. */
static __attribute__((__noinline__)) unsigned add_unwound(struct xr_segment *segment,
                                                          xray_segment_id id,
                                                          const xray_exception *exception,
                                                          const void *return_address)
{
    struct xr_calls calls;

    calls.count = xr_unwind(calls.calls, return_address, &calls.left_out);
    return xr_describe_unwound(segment, id, exception, &calls);
}

xray_segment_id xray_add_exception_with(xray_segment *handle, const xray_exception *exception)
{
    struct xr_segment *segment = recording(handle);
    xray_segment_id id;
    xray_exception copy;

    if (!segment || !exception)
        return 0;
    id = xr_random_u64() | 1;
    count(segment, xr_params_copy(&copy, sizeof(copy), exception));
    if (copy.unwind && !(copy.frames && copy.frame_count > 0))
        count(segment, add_unwound(segment, id, &copy, __builtin_return_address(0)));
    else
        count(segment, xr_describe_exception(segment, id, &copy));
    return id;
}

void xray_set_cause(xray_segment *handle, xray_segment_id exception)
{
    struct xr_segment *segment = recording(handle);

    if (segment)
        count(segment, xr_describe_cause(segment, exception));
}

unsigned xray_grpc_marks(int code)
{
    return xr_marks_of_grpc(code);
}

void xray_set_http(xray_segment *handle, const xray_http *http)
{
    struct xr_segment *segment = recording(handle);
    xray_http copy;
    bool more;

    if (!segment)
        return;
    http = xr_params_view(&copy, sizeof(copy), http, &more);
    count(segment, more + xr_describe_http(segment, http));
}

void xray_set_aws(xray_segment *handle, const xray_aws *aws)
{
    struct xr_segment *segment = recording(handle);
    xray_aws copy;
    bool more;

    if (!segment)
        return;
    aws = xr_params_view(&copy, sizeof(copy), aws, &more);
    count(segment, more + xr_describe_aws(segment, aws));
}

void xray_set_aws_field(xray_segment *handle, const char *key, xray_value value)
{
    struct xr_segment *segment = recording(handle);

    if (segment)
        count(segment, xr_describe_aws_field(segment, key, &value));
}

void xray_set_sql(xray_segment *handle, const xray_sql *sql)
{
    struct xr_segment *segment = recording(handle);
    xray_sql copy;
    bool more;

    if (!segment)
        return;
    sql = xr_params_view(&copy, sizeof(copy), sql, &more);
    if (!segment->recorder->collects_queries) {
        xray_sql without = *sql;

        without.query = without.sanitized_query = NULL;
        count(segment, more + xr_describe_sql(segment, &without));
        return;
    }
    count(segment, more + xr_describe_sql(segment, sql));
}

void xray_add_precursor(xray_segment *handle, xray_segment_id sibling)
{
    struct xr_segment *segment = recording(handle);

    if (segment)
        count(segment, xr_describe_precursor(segment, sibling));
}

void xray_set_user(xray_segment *handle, const char *user)
{
    struct xr_segment *segment = recording(handle);

    if (segment)
        count(segment, xr_describe_user(segment, user));
}

void xray_set_namespace(xray_segment *handle, const char *name_space)
{
    struct xr_segment *segment = recording(handle);

    if (segment)
        count(segment, xr_describe_namespace(segment, name_space));
}

void xray_add_link(xray_segment *handle, const xray_trace_header *to)
{
    struct xr_segment *segment = recording(handle);

    if (segment && to)
        count(segment, xr_describe_link(segment, to));
}
