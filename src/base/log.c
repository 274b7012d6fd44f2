/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/hook.h"

#define DUE_EVERY_NS (60 * XR_NS_PER_S)

static void log_to_stderr(void *data, int level, const char *message)
{
    (void)data;
    fprintf(stderr, "xraytrace: %s: %s\n",
            level >= XR_LOG_ERROR     ? "error"
            : level >= XR_LOG_WARNING ? "warning"
            : level >= XR_LOG_INFO    ? "info"
                                      : "debug",
            message);
}

const struct xr_logger xr_log_stderr = { NULL, XR_LOG_WARNING, log_to_stderr };

void xr_log(const struct xr_logger *logger, int level, const char *format, ...)
{
    static _Thread_local bool logging;
    char message[512];
    va_list arguments;
    struct xr_hook_call call;

    if (level < logger->level || logging)
        return;
    call = xr_hook_enter();
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    logging = true;
    logger->log(logger->data, level, message);
    logging = false;
    xr_hook_leave(call);
}

bool xr_log_due(_Atomic int64_t *last_ns)
{
    int64_t now = xr_clock_monotonic_ns();
    int64_t last = atomic_load_explicit(last_ns, memory_order_relaxed);

    if (last != 0 && now - last < DUE_EVERY_NS)
        return false;
    return atomic_compare_exchange_strong(last_ns, &last, now);
}
