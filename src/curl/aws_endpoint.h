/* SPDX-License-Identifier: Apache-2.0 */
/* Where a service is, and what it is called: in hosts, in signatures, in variables, in traces. */
#ifndef XR_CURL_AWS_ENDPOINT_H
#define XR_CURL_AWS_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

#define XR_AWS_SERVICE_SIZE 64
#define XR_AWS_REGION_SIZE  64
#define XR_AWS_URL_SIZE     1024
#define XR_AWS_HOST_SIZE    512
#define XR_AWS_SOURCE_SIZE  96

/* A service by its names. */
struct xr_aws_service {
    char host[XR_AWS_SERVICE_SIZE];    /* as in host.region.amazonaws.com */
    char id[XR_AWS_SERVICE_SIZE];      /* as in the service map: "DynamoDB" */
    char signing[XR_AWS_SERVICE_SIZE]; /* as in the scope of a signature */
};

/* From the name in the service's host. A service that is not in the table has that one name.
 * Returns 0, or -EINVAL for what cannot be part of a host. */
int xr_aws_service_find(struct xr_aws_service *ret, const char *name);

bool xr_aws_service_is_s3(const struct xr_aws_service *service);

/* Whether text can be a region: letters, digits and "-". */
bool xr_aws_region_is_valid(const char *region);

/* Where the service is reached. */
struct xr_aws_endpoint {
    char base[XR_AWS_URL_SIZE];  /* "https://host[:port]", nothing behind it */
    char path[XR_AWS_URL_SIZE];  /* put before each request's path; "" or "/…" */
    char host[XR_AWS_HOST_SIZE]; /* as in the Host header, with a port that is not the scheme's */
};

/*
 * url if it is not NULL, else AWS_ENDPOINT_URL_<SERVICE>, else AWS_ENDPOINT_URL,
 * else AWS's own. Empty variables count as unset. Returns 0, -ENOMEM, or -EINVAL
 * for what is not an http or https URL, or has user info, a query or a
 * fragment. source is filled in each case, with the name of the setting.
 */
int xr_aws_endpoint_find(struct xr_aws_endpoint *ret, const struct xr_aws_service *service,
                         const char *region, const char *url,
                         char source[static XR_AWS_SOURCE_SIZE]);

#endif /* XR_CURL_AWS_ENDPOINT_H */
