/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>

#include "otlp/reader.h"

int xr_reader_refuse(struct xr_reader *reader, size_t offset, const char *message)
{
    reader->error->offset = offset;
    snprintf(reader->error->message, sizeof(reader->error->message), "%s", message);
    return -EBADMSG;
}

int xr_reader_reject(struct xr_reader *reader, uint64_t id, const char *reason)
{
    char text[17] = "";

    reader->rejected++;
    if (!reader->params->rejected)
        return 0;
    if (id != 0)
        snprintf(text, sizeof(text), "%016llx", (unsigned long long)id);
    reader->params->rejected(reader->params->data, text, reason);
    return 0;
}

int xr_reader_span(struct xr_reader *reader, const struct xr_attributes *resource,
                   struct xr_span *span)
{
    if (++reader->spans > XR_OTLP_SPANS_MAX)
        return -E2BIG;
    if (!span->has_trace_id)
        return xr_reader_reject(reader, span->id, "trace_id is not 16 bytes, one of them not zero");
    if (span->id == 0)
        return xr_reader_reject(reader, 0, "span_id is not 8 bytes, one of them not zero");
    if (span->start_ns == 0)
        return xr_reader_reject(reader, span->id, "start_time_unix_nano is missing");
    return xr_span_documents(reader, resource, span);
}

int xr_otlp_read(const struct xr_otlp_read_params *params, const void *body, size_t length,
                 uint64_t *ret_rejected, struct xr_otlp_error *ret_error)
{
    struct xr_slice slice = { length ? body : "", length };
    struct xr_reader reader = { .params = params, .error = ret_error };
    int r;

    *ret_error = (struct xr_otlp_error){ 0 };
    if (params->format == XR_OTLP_JSON)
        r = xr_json_read(&reader, slice);
    else
        r = xr_protobuf_read(&reader, slice);
    if (r == 0 && (reader.span_arena.failed || reader.resource_arena.failed))
        r = -ENOMEM;
    if (r == -E2BIG && ret_error->message[0] == '\0')
        snprintf(ret_error->message, sizeof(ret_error->message), "more than %u spans",
                 XR_OTLP_SPANS_MAX);
    xr_arena_free(&reader.span_arena);
    xr_arena_free(&reader.resource_arena);
    xr_text_free(&reader.text);
    *ret_rejected = reader.rejected;
    return r;
}

/* ---- In the daemon's protocol -------------------------------------------------------- */

#define PREFIX_LENGTH 3

bool xr_otlp_is_text(const char *text, size_t length)
{
    return length >= PREFIX_LENGTH &&
           (memcmp(text, "T1S", PREFIX_LENGTH) == 0 || memcmp(text, "T1U", PREFIX_LENGTH) == 0);
}

int xr_otlp_read_text(const struct xr_otlp_read_params *params, const char *text, size_t length,
                      uint64_t *ret_rejected, struct xr_otlp_error *ret_error)
{
    struct xr_otlp_read_params own = *params;
    struct xr_slice encoded = { text, length }, body;
    struct xr_arena arena = { 0 };
    int r = 0;

    *ret_rejected = 0;
    *ret_error = (struct xr_otlp_error){ 0 };
    while (encoded.length > 0 && strchr(" \t\r\n", encoded.text[encoded.length - 1]))
        encoded.length--;
    if (!xr_otlp_is_text(text, length) ||
        !xr_base64_read(&arena, xr_slice_from(encoded, PREFIX_LENGTH), &body)) {
        r = arena.failed ? -ENOMEM : -EBADMSG;
        snprintf(ret_error->message, sizeof(ret_error->message), "not base64 behind T1S or T1U");
    } else {
        own.format = XR_OTLP_PROTOBUF;
        own.unsampled = text[PREFIX_LENGTH - 1] == 'U';
        r = xr_otlp_read(&own, body.text, body.length, ret_rejected, ret_error);
    }
    xr_arena_free(&arena);
    return r;
}
