/* SPDX-License-Identifier: Apache-2.0 */
#include "local/page/assets.h"

#include "local/base/buffer.h"
#include "local/http/gzip.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX ((size_t)8 * 1024 * 1024)
#define NAME_MAX_BYTES 100u

static int compare_name(const void *name, const void *asset)
{
    return strcmp(name, ((const struct asset *)asset)->name);
}

const struct asset *asset_find(const char *name)
{
    return bsearch(name, assets, asset_count, sizeof *assets, compare_name);
}

/* A file of the page, whatever else is in the directory, or above it. */
static bool is_file_name(const char *name)
{
    size_t length = strlen(name);
    return length && length <= NAME_MAX_BYTES && *name != '.' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
               length;
}

static int read_file(const char *directory, const char *name, char **ret, size_t *ret_length)
{
    char path[4096];
    char part[65536];
    size_t count;
    struct buffer text = { 0 };
    if (!is_file_name(name))
        return -ENOENT;
    if (snprintf(path, sizeof path, "%s/%s", directory, name) >= (int)sizeof path)
        return -ENAMETOOLONG;
    FILE *file = fopen(path, "re");
    if (!file)
        return -errno;
    buffer_puts(&text, "");
    while (text.length <= FILE_BYTES_MAX && (count = fread(part, 1, sizeof part, file)) > 0)
        buffer_append(&text, part, count);
    int r = ferror(file) ? -EIO : text.length > FILE_BYTES_MAX ? -EFBIG : 0;
    fclose(file);
    if (r < 0) {
        buffer_free(&text);
        return r;
    }
    *ret = buffer_take(&text, ret_length);
    return *ret ? 0 : -ENOMEM;
}

int asset_read(const char *directory, const char *name, char **ret, size_t *ret_length)
{
    const struct asset *asset = asset_find(name);
    if (directory)
        return read_file(directory, name, ret, ret_length);
    if (!asset)
        return -ENOENT;
    return gzip_inflate(asset->gzip, asset->length, FILE_BYTES_MAX, ret, ret_length);
}

static const char *type_of(const char *name)
{
    static const struct {
        const char *end;
        const char *type;
    } types[] = {
        { ".css", "text/css; charset=utf-8" },
        { ".html", "text/html; charset=utf-8" },
        { ".js", "text/javascript; charset=utf-8" },
        { ".json", "application/json" },
        { ".png", "image/png" },
        { ".svg", "image/svg+xml" },
    };
    const char *end = strrchr(name, '.');
    for (size_t i = 0; end && i < sizeof types / sizeof *types; i++)
        if (strcmp(end, types[i].end) == 0)
            return types[i].type;
    return "application/octet-stream";
}

static void reply_from(const char *directory, const char *name, struct http_reply *reply)
{
    char message[256];
    int r = read_file(directory, name, &reply->body, &reply->length);
    if (r == 0) {
        reply->status = 200;
        reply->content_type = type_of(name);
        reply->page = true;
        return;
    }
    snprintf(message, sizeof message, "%.*s can't be read in the directory of --page-dir: %s",
             (int)NAME_MAX_BYTES, name, strerror(-r));
    http_reply_error(reply, 404, "ResourceNotFoundException", message);
}

void asset_reply(const char *directory, const char *name, struct http_reply *reply)
{
    const struct asset *asset = asset_find(name);
    if (directory) {
        reply_from(directory, name, reply);
        return;
    }
    if (!asset) {
        http_reply_error(reply, 404, "ResourceNotFoundException",
                         "the page has no file of this name");
        return;
    }
    /* The library takes bodies that are not to be changed through the same pointer. */
    union {
        const unsigned char *constant;
        char *body;
    } pointer = { .constant = asset->gzip };
    *reply = (struct http_reply){
        .status = 200,
        .content_type = asset->content_type,
        .content_encoding = "gzip",
        .etag = asset->etag,
        .page = true,
        .constant = true,
        .body = pointer.body,
        .length = asset->length,
    };
}
