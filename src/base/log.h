/* SPDX-License-Identifier: Apache-2.0 */
/* Messages for people, to the hook of a recorder or to stderr. Never what was recorded. */
#ifndef XR_BASE_LOG_H
#define XR_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum {
    XR_LOG_DEBUG = 10,
    XR_LOG_INFO = 20,
    XR_LOG_WARNING = 30,
    XR_LOG_ERROR = 40,
    XR_LOG_SILENT = 100,
};

struct xr_logger {
    void *data;
    int level; /* lower levels are not formatted */
    void (*log)(void *data, int level, const char *message);
};

/* Warnings and errors to stderr, as "xraytrace: warning: …". */
extern const struct xr_logger xr_log_stderr;

/*
 * One message, without a newline. A hook that logs again is not called again.
 * errno is left alone.
 */
void xr_log(const struct xr_logger *logger, int level, const char *format, ...)
    __attribute__((__format__(__printf__, 3, 4)));

/* True at the first call and then once a minute: for messages that could flood. */
bool xr_log_due(_Atomic int64_t *last_ns);

#endif /* XR_BASE_LOG_H */
