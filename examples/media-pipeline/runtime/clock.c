/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/clock.h"

#include <stdio.h>
#include <time.h>

int64_t clock_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_now_ms(void)
{
    return clock_now_ns() / 1000000;
}

void clock_sleep_ms(int64_t duration_ms)
{
    if (duration_ms <= 0)
        return;
    struct timespec rest = { .tv_sec = duration_ms / 1000,
                             .tv_nsec = (duration_ms % 1000) * 1000000 };
    nanosleep(&rest, NULL);
}

void clock_format_iso(int64_t time_ms, char ret[CLOCK_ISO_SIZE])
{
    time_t seconds = time_ms / 1000;
    struct tm parts;
    ret[0] = '\0';
    if (time_ms < 0 || !gmtime_r(&seconds, &parts) || parts.tm_year > 9999 - 1900)
        return;
    size_t length = strftime(ret, CLOCK_ISO_SIZE, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(ret + length, CLOCK_ISO_SIZE - length, ".%03dZ", (int)(time_ms % 1000));
}
