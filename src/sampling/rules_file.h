/* SPDX-License-Identifier: Apache-2.0 */
/* Sampling rules from a file, which is read again when it has changed. */
#ifndef XR_SAMPLING_RULES_FILE_H
#define XR_SAMPLING_RULES_FILE_H

#include <xraytrace/sampler.h>

#include "base/log.h"

/* As xray_sampler_file(). The logger is kept: it hears of contents that are refused later. */
int xr_sampler_rules_file(xray_sampler *ret, const char *path, const struct xr_logger *logger);

/* What a decision does first: looks at the file if that is due at this monotonic time. */
void xr_rules_file_look(void *sampler_data, int64_t now_ns);

#endif /* XR_SAMPLING_RULES_FILE_H */
