/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions of status codes, as the set of the codes that they match. */
#ifndef XR_SAMPLING_ADAPTIVE_STATUS_H
#define XR_SAMPLING_ADAPTIVE_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XR_STATUS_MIN       100
#define XR_STATUS_MAX       999
#define XR_STATUS_REGEX_MAX 256 /* bytes */

struct xr_status_set {
    uint64_t words[(XR_STATUS_MAX + 64) / 64];
};

static inline bool xr_status_set_has(const struct xr_status_set *set, int status)
{
    return status >= XR_STATUS_MIN && status <= XR_STATUS_MAX &&
           (set->words[status / 64] >> (status % 64) & 1);
}

/*
 * The codes whose three digits, all of them, the expression matches. NULL, or a
 * reason why it is refused, with the byte that is at fault in *ret_at.
 */
const char *xr_status_set_from_regex(struct xr_status_set *ret, const char *regex, size_t *ret_at);

#endif /* XR_SAMPLING_ADAPTIVE_STATUS_H */
