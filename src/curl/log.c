/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of calls that belong to no recorder, and so have no log hook: they go
 * where the library's default log goes.
 */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

void xr_curl_log_error(const char *format, ...)
{
    int saved = errno;
    char message[512];
    const char *level = getenv("AWS_XRAY_LOG_LEVEL");
    va_list arguments;

    if (level && strcasecmp(level, "silent") == 0)
        return;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    fprintf(stderr, "xraytrace: error: %s\n", message);
    errno = saved;
}
