/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "runtime/text.h"

/* Where the build happened says nothing to a reader of the trace. */
static const char *short_path(const char *file)
{
    static const char root[] = "media-pipeline/";
    const char *found = strstr(file, root);
    return found ? found + strlen(root) : file;
}

int failure_set_at(struct failure *failure, const char *file, int line, const char *function,
                   int code, const char *type, const char *format, ...)
{
    if (!failure)
        return code;

    va_list arguments;
    va_start(arguments, format);
    memset(failure, 0, sizeof(*failure));
    snprintf(failure->type, sizeof(failure->type), "%s", type && *type ? type : "Error");
    vsnprintf(failure->message, sizeof(failure->message), format, arguments);
    va_end(arguments);

    text_clean_utf8(failure->type);
    text_clean_utf8(failure->message);
    failure->file = short_path(file);
    failure->line = line;
    failure->function = function;
    return code;
}

void failure_record(const struct failure *failure, xray_segment *segment)
{
    xray_frame frame = { .path = failure->file, .label = failure->function, .line = failure->line };
    xray_exception exception = {
        .size = sizeof(exception),
        .type = failure->type,
        .message = failure->message,
        .frames = &frame,
        .frame_count = failure->file ? 1 : 0,
        .flags = failure->caller ? (int32_t)XRAY_ERROR : (int32_t)XRAY_FAULT,
    };
    xray_add_exception_with(segment, &exception);
}
