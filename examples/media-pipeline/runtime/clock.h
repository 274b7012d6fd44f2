/* SPDX-License-Identifier: Apache-2.0 */
/* The time, in the unit that everything here uses. */
#ifndef PIPELINE_RUNTIME_CLOCK_H
#define PIPELINE_RUNTIME_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* Unix time in ms. Deadlines are given in it, as Lambda does. */
int64_t clock_now_ms(void);

/* The same in ns: when a subsegment began or ended. */
int64_t clock_now_ns(void);

void clock_sleep_ms(int64_t duration_ms);

/* "2025-11-20T08:15:30.123Z"; empty when the time has no such form. */
#define CLOCK_ISO_SIZE 32
void clock_format_iso(int64_t time_ms, char ret[CLOCK_ISO_SIZE]);

#endif /* PIPELINE_RUNTIME_CLOCK_H */
