/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XRAYTRACE_BASE_H
#define XRAYTRACE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xraytrace/version.h>

/*
 * The conventions of every header here.
 *
 * Ownership: what is passed in is copied before the call returns. Hooks given
 * in params are taken over when the call succeeds, and untouched when it fails.
 *
 * Errors: calls that set something up return 0 or -errno, leave their outputs
 * alone on failure, and log one line that says what to do. Calls that record
 * return nothing: what is lost is counted (xray_recorder_get_stats()) and
 * logged at most once a minute for each reason.
 *
 * Structs: size is sizeof of the struct the caller was compiled with; zero in
 * any other member means the default. Set-up calls refuse with -E2BIG a larger
 * struct whose additional members are not zero; recording calls leave them out
 * and count them. Structs that a call fills in: set size first, at most that
 * much is written. docs/abi.md has the whole of it.
 *
 * Threads: functions may be called by any thread at any time, unless their type
 * or their comment says otherwise. Hooks are called without locks held, by any
 * thread; they must not block for long, since the thread that records waits.
 *
 * Text is UTF-8 that ends with a NUL. Bytes that are not are repaired. A pointer
 * to text that is NULL is a value that is not given.
 *
 * Fork: needs no call. The child gets new ids and its own socket; what began
 * before the fork is the parent's to send.
 */

#ifdef __cplusplus
#define XRAY_BEGIN_DECLS extern "C" {
#define XRAY_END_DECLS   }
#else
#define XRAY_BEGIN_DECLS
#define XRAY_END_DECLS
#endif

/* Of declarations: exported; its result must be used; its arguments are checked as printf()'s. */
#define XRAY_API                 __attribute__((__visibility__("default")))
#define XRAY_CHECKED             __attribute__((__warn_unused_result__))
#define XRAY_PRINTF(text, first) __attribute__((__format__(__printf__, text, first)))

XRAY_BEGIN_DECLS

/* The library in use, which may be newer than these headers: "0.1.0". Static text. */
XRAY_API const char *xray_version(void);

XRAY_END_DECLS

#endif /* XRAYTRACE_BASE_H */
