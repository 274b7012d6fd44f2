/* SPDX-License-Identifier: Apache-2.0 */
/* Range requests: what downloaders use to go on where they were interrupted. */

#include "http_range.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

struct http_range http_range_of(const struct http_request *request, int64_t size)
{
    const struct http_range all = { 0, size, 200 };
    const struct http_range none = { 0, 0, 416 };
    const char *text = http_request_header(request, "Range");
    char *end;

    if (!text || strncmp(text, "bytes=", 6) != 0 || strchr(text, ','))
        return all;
    text += 6;
    if (*text == '-') {
        int64_t length = strtoll(text + 1, &end, 10);
        if (end == text + 1 || *end || length < 0)
            return all;
        if (length == 0 || size == 0)
            return none;
        if (length > size)
            length = size;
        return (struct http_range){ size - length, length, 206 };
    }

    int64_t first = strtoll(text, &end, 10);
    if (end == text || *end != '-' || first < 0)
        return all;
    const char *last_text = end + 1;
    int64_t last = *last_text ? strtoll(last_text, &end, 10) : size - 1;
    if (*last_text && (*end || last < first))
        return all;
    if (first >= size)
        return none;
    if (last >= size)
        last = size - 1;
    return (struct http_range){ first, last - first + 1, 206 };
}

bool http_range_answer(const struct http_range *range, int64_t size, struct http_reply *reply)
{
    char *text = NULL;

    http_reply_header(reply, "Accept-Ranges", "bytes");
    reply->status = range->status;
    if (range->status == 206)
        text = text_format("bytes %lld-%lld/%lld", (long long)range->first,
                           (long long)(range->first + range->length - 1), (long long)size);
    if (range->status == 416)
        text = text_format("bytes */%lld", (long long)size);
    if (text)
        http_reply_header(reply, "Content-Range", text);
    free(text);
    return range->status != 416;
}
