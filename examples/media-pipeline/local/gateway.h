/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEDIA_LOCAL_GATEWAY_H
#define MEDIA_LOCAL_GATEWAY_H

#include "lambda.h"

/*
 * The front door: API Gateway's part, a REST API with the stage
 * MediaDownloader/prod. Each request is first put to the authorizer, then
 * passed to the route's function as a proxy event. An unknown path is answered
 * with 404 in the envelope of the gateway's other errors (AWS would answer 403,
 * "Missing Authentication Token"), and another method than the route's with 405.
 */
struct gateway;

struct gateway_params {
    uint16_t port; /* wanted; 0: any */
    const char *region;
    const char *account;
    struct lambda *lambda;
    struct segments *segments;
};

/* 0 or -errno, with the reason on stderr. */
int gateway_start(struct gateway **ret, const struct gateway_params *params);

uint16_t gateway_port(const struct gateway *gateway);

/* After lambda_stop(), before lambda_free(). NULL is allowed. */
void gateway_free(struct gateway *gateway);

#endif /* MEDIA_LOCAL_GATEWAY_H */
