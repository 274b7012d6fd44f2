/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEDIA_LOCAL_DELIVERY_H
#define MEDIA_LOCAL_DELIVERY_H

#include <stdint.h>

/*
 * The content delivery in front of the bucket, CloudFront's part: the bucket is
 * private, and this reads it with a key of its own that may do nothing else.
 */
struct delivery;

struct delivery_params {
    const char *region;
    const char *endpoint_url; /* of S3; the environment has the credentials */
    const char *bucket;
    uint16_t port; /* wanted; 0: any */
};

/* 0 or -errno, with the reason on stderr. */
int delivery_start(struct delivery **ret, const struct delivery_params *params);

/* Objects are at http://127.0.0.1:<this>/<key>. */
uint16_t delivery_port(const struct delivery *delivery);

/* NULL is allowed. */
void delivery_free(struct delivery *delivery);

#endif /* MEDIA_LOCAL_DELIVERY_H */
