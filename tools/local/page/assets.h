/* SPDX-License-Identifier: Apache-2.0 */
/* The files of the web page, which are in the program, or for who works on them in a
   directory. */
#ifndef LOCAL_ASSETS_H
#define LOCAL_ASSETS_H

#include "local/http/server.h"

#include <stddef.h>

struct asset {
    const char *name; /* "app.js" */
    const char *content_type;
    const char *etag;
    const unsigned char *gzip;
    size_t length;
};

/* By name; made when the program is built. */
extern const struct asset assets[];
extern const size_t asset_count;

/* NULL if there is none. */
const struct asset *asset_find(const char *name);
/* What is in it, NUL-terminated, to be freed: from the directory, unless that is NULL.
   -ENOENT, -ENOMEM or another -errno. */
int asset_read(const char *directory, const char *name, char **ret, size_t *ret_length);

/* Replies with the file of that name, or with 404. */
void asset_reply(const char *directory, const char *name, struct http_reply *reply);

#endif
