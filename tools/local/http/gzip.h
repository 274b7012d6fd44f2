/* SPDX-License-Identifier: Apache-2.0 */
/* The gzip of bodies. */
#ifndef LOCAL_GZIP_H
#define LOCAL_GZIP_H

#include <stddef.h>

/* ret is NUL-terminated behind its length, to be freed. -EFBIG: more than `most` bytes
   would come out; -EBADMSG: it is no whole gzip; -ENOMEM. */
int gzip_inflate(const void *data, size_t length, size_t most, char **ret, size_t *ret_length);

#endif
