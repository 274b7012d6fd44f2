/* SPDX-License-Identifier: Apache-2.0 */
/* URLs as libcurl reads them: what may be recorded of one, and where it leads. */
#ifndef XR_CURL_URL_H
#define XR_CURL_URL_H

#include <stdbool.h>
#include <stddef.h>

/* A DNS name, or an IPv6 address with a zone. */
#define XR_CURL_HOST_SIZE 320

/*
 * The host of a URL, without port and without the brackets of an IPv6 address.
 * Returns false, with ret empty, for text that is not a URL or has no host.
 */
bool xr_curl_url_host(const char *url, char *ret, size_t size);

/*
 * The URL without user info, query and fragment, where secrets live. NULL when
 * it is not a URL. Released with curl_free().
 */
char *xr_curl_url_public(const char *url);

/* Whether a host is this machine by definition: localhost, 127.0.0.0/8, ::1. */
bool xr_curl_host_is_loopback(const char *host);

#endif /* XR_CURL_URL_H */
