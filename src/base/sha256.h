/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (FIPS 180-4), for names that others hash too. Not fast, and not for secrets. */
#ifndef XR_BASE_SHA256_H
#define XR_BASE_SHA256_H

#include <stddef.h>

#define XR_SHA256_BYTES 32

void xr_sha256(unsigned char ret[XR_SHA256_BYTES], const void *data, size_t length);

#endif /* XR_BASE_SHA256_H */
