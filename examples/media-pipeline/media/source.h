/* SPDX-License-Identifier: Apache-2.0 */
/* What a webhook's URL means: the one parser for validation and for the id of the file. */
#ifndef PIPELINE_MEDIA_SOURCE_H
#define PIPELINE_MEDIA_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#define SOURCE_URL_SIZE 2049
#define SOURCE_ID_SIZE  24

/* A DNS name has at most 253 characters. */
#define SOURCE_HOST_SIZE 254

struct source {
    char file_id[SOURCE_ID_SIZE]; /* YouTube's own 11 characters, else "u-" and 16 hex digits */
    char url[SOURCE_URL_SIZE];    /* normal form: two spellings of one address are equal */
    bool is_youtube;
};

/*
 * Reads an address that somebody sent. YouTube's pages for a single video are
 * understood in all their forms; media_hosts ("host" or "host:port", separated
 * by commas; NULL is none) are the others that are allowed, a host without a
 * port with every port. "https" is meant when there is no scheme.
 *
 * Returns 0, or -EINVAL with the reason as static text.
 */
int source_parse(const char *text, const char *media_hosts, struct source *ret,
                 const char **ret_reason);

/*
 * "host", "host:port", "[v6]:port": the host in lower case without the last
 * dot, IPv6 in brackets; the port is 0 when there is none.
 */
bool source_read_host(const char *text, size_t length, char ret_host[SOURCE_HOST_SIZE],
                      int *ret_port);

/* Whether media_hosts, as in source_parse(), has this host with this port. */
bool source_is_media_host(const char *host, int port, const char *media_hosts);

/* The host of a URL in normal form, for people to read. */
void source_host(const struct source *source, char *ret, size_t size);

/* The URL for a trace: a query may hold a signature, and only YouTube's is known to have none. */
void source_show(const struct source *source, char *ret, size_t size);

/* Whether this can be a file id: what another function sent is not trusted blindly. */
bool source_is_file_id(const char *text);

#endif /* PIPELINE_MEDIA_SOURCE_H */
