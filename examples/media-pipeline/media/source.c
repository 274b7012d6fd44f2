/* SPDX-License-Identifier: Apache-2.0 */
#include "media/source.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "runtime/text.h"

#define VIDEO_ID_LENGTH 11

struct address {
    bool is_https;
    char host[SOURCE_HOST_SIZE]; /* lower case; IPv6 in brackets */
    int port;                    /* 0: the scheme's own */
    const char *path;            /* from "/" or "?" on, without the fragment */
    size_t path_length;
};

static bool is_id_character(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '_';
}

/* The characters that may stand in a URL; everything else would have to be encoded. */
static bool is_url_text(const char *text)
{
    for (; *text; text++)
        if (!isalnum((unsigned char)*text) && !strchr("-._~:/?#[]@!$&'()*+,;=%", *text))
            return false;
    return true;
}

static const char *skip_scheme(const char *text, bool *ret_https)
{
    *ret_https = true;
    const char *found = strstr(text, "://");
    if (!found || found > text + strcspn(text, "/?#"))
        return text;
    size_t length = (size_t)(found - text);
    if (length == 5 && strncasecmp(text, "https", 5) == 0)
        return found + 3;
    if (length != 4 || strncasecmp(text, "http", 4) != 0)
        return NULL;
    *ret_https = false;
    return found + 3;
}

bool source_read_host(const char *text, size_t length, char ret_host[SOURCE_HOST_SIZE],
                      int *ret_port)
{
    size_t host_length = 0;
    if (length > 0 && text[0] == '[') {
        while (host_length < length && text[host_length] != ']')
            host_length++;
        if (host_length++ == length)
            return false;
        for (size_t i = 1; i + 1 < host_length; i++)
            if (!isxdigit((unsigned char)text[i]) && text[i] != ':' && text[i] != '.')
                return false;
    } else {
        while (host_length < length && text[host_length] != ':') {
            if (!isalnum((unsigned char)text[host_length]) && !strchr(".-_", text[host_length]))
                return false;
            host_length++;
        }
    }
    if (host_length == 0 || host_length >= SOURCE_HOST_SIZE)
        return false;
    for (size_t i = 0; i < host_length; i++)
        ret_host[i] = (char)tolower((unsigned char)text[i]);
    ret_host[host_length] = '\0';
    /* "example.org." is the same name. */
    if (host_length > 1 && ret_host[host_length - 1] == '.')
        ret_host[host_length - 1] = '\0';

    *ret_port = 0;
    if (host_length == length)
        return true;
    size_t digits = length - host_length - 1;
    if (text[host_length] != ':' || digits > 5)
        return false;
    for (size_t i = 0; i < digits; i++) {
        char c = text[host_length + 1 + i];
        if (!isdigit((unsigned char)c))
            return false;
        *ret_port = *ret_port * 10 + (c - '0');
    }
    return *ret_port <= 65535 && (digits == 0 || *ret_port > 0);
}

static const char *read_address(const char *text, struct address *ret)
{
    const char *rest = skip_scheme(text, &ret->is_https);
    if (!rest)
        return "the scheme is neither http nor https";
    size_t length = strcspn(rest, "/?#");
    if (memchr(rest, '@', length))
        return "user and password are not allowed";
    if (!source_read_host(rest, length, ret->host, &ret->port))
        return "the host is not valid";
    if (ret->port == (ret->is_https ? 443 : 80))
        ret->port = 0;
    ret->path = rest + length;
    ret->path_length = strcspn(ret->path, "#");
    return NULL;
}

/* ---- YouTube ------------------------------------------------------------------ */

enum youtube_kind {
    NOT_YOUTUBE,
    YOUTUBE_PAGES,
    YOUTUBE_EMBED_ONLY,
    YOUTUBE_SHORT,
};

static enum youtube_kind youtube_kind_of(const char *host)
{
    static const struct {
        const char *host;
        enum youtube_kind kind;
    } hosts[] = {
        { "youtube.com", YOUTUBE_PAGES },
        { "www.youtube.com", YOUTUBE_PAGES },
        { "m.youtube.com", YOUTUBE_PAGES },
        { "music.youtube.com", YOUTUBE_PAGES },
        { "youtube-nocookie.com", YOUTUBE_EMBED_ONLY },
        { "www.youtube-nocookie.com", YOUTUBE_EMBED_ONLY },
        { "youtu.be", YOUTUBE_SHORT },
        { "www.youtu.be", YOUTUBE_SHORT },
    };
    for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++)
        if (strcmp(host, hosts[i].host) == 0)
            return hosts[i].kind;
    return NOT_YOUTUBE;
}

/* Exactly eleven characters, and the end of the path (one "/" may follow). */
static bool take_id(const char *text, size_t length, char *ret)
{
    size_t count = 0;
    while (count < length && is_id_character(text[count]))
        count++;
    if (count != VIDEO_ID_LENGTH)
        return false;
    if (count < length && text[count] == '/')
        count++;
    if (count < length && text[count] != '?')
        return false;
    memcpy(ret, text, VIDEO_ID_LENGTH);
    ret[VIDEO_ID_LENGTH] = '\0';
    return true;
}

static bool take_id_after(const struct address *address, const char *prefix, char *ret)
{
    size_t length = strlen(prefix);
    return address->path_length > length && strncmp(address->path, prefix, length) == 0 &&
           take_id(address->path + length, address->path_length - length, ret);
}

/* "/watch?…&v=ID&…": the first v counts. */
static bool take_watch_id(const struct address *address, char *ret)
{
    static const char prefix[] = "/watch";
    const char *end = address->path + address->path_length;
    if (address->path_length < strlen(prefix) ||
        strncmp(address->path, prefix, strlen(prefix)) != 0)
        return false;
    const char *at = address->path + strlen(prefix);
    if (at < end && *at == '/')
        at++;
    if (at == end || *at != '?')
        return false;
    for (at++; at < end;) {
        size_t length = 0;
        while (at + length < end && at[length] != '&')
            length++;
        if (length > 2 && strncmp(at, "v=", 2) == 0)
            return length == 2 + VIDEO_ID_LENGTH && take_id(at + 2, length - 2, ret);
        at += length + 1;
    }
    return false;
}

static const char *read_youtube(const struct address *address, enum youtube_kind kind,
                                struct source *ret)
{
    static const char *const pages[] = { "/shorts/", "/live/", "/embed/", "/v/" };
    bool found = false;
    if (address->port != 0)
        return "YouTube has no other port";
    if (kind == YOUTUBE_SHORT) {
        found = take_id_after(address, "/", ret->file_id);
    } else if (kind == YOUTUBE_EMBED_ONLY) {
        found = take_id_after(address, "/embed/", ret->file_id) ||
                take_id_after(address, "/v/", ret->file_id);
    } else {
        found = take_watch_id(address, ret->file_id);
        for (size_t i = 0; !found && i < sizeof(pages) / sizeof(*pages); i++)
            found = take_id_after(address, pages[i], ret->file_id);
    }
    if (!found)
        return "no YouTube video id of 11 characters in it";
    snprintf(ret->url, sizeof(ret->url), "https://www.youtube.com/watch?v=%s", ret->file_id);
    ret->is_youtube = true;
    return NULL;
}

/* ---- Other hosts ---------------------------------------------------------------- */

bool source_is_media_host(const char *host, int port, const char *media_hosts)
{
    while (media_hosts && *media_hosts) {
        size_t length = strcspn(media_hosts, ",");
        const char *entry = media_hosts;
        size_t entry_length = length;
        while (entry_length > 0 && isspace((unsigned char)*entry)) {
            entry++;
            entry_length--;
        }
        while (entry_length > 0 && isspace((unsigned char)entry[entry_length - 1]))
            entry_length--;

        char allowed[SOURCE_HOST_SIZE];
        int allowed_port;
        if (source_read_host(entry, entry_length, allowed, &allowed_port) &&
            strcmp(allowed, host) == 0 && (allowed_port == 0 || allowed_port == port))
            return true;
        media_hosts += length + (media_hosts[length] == ',');
    }
    return false;
}

static const char *read_other(const struct address *address, const char *media_hosts,
                              struct source *ret)
{
    int number = address->port ? address->port : address->is_https ? 443 : 80;
    if (!source_is_media_host(address->host, number, media_hosts))
        return "the host is neither YouTube's nor one of MEDIA_HOSTS";
    char port[8] = "";
    if (address->port)
        snprintf(port, sizeof(port), ":%d", address->port);
    bool needs_slash = address->path_length == 0 || address->path[0] != '/';
    int length = snprintf(ret->url, sizeof(ret->url), "http%s://%s%s%s%.*s",
                          address->is_https ? "s" : "", address->host, port, needs_slash ? "/" : "",
                          (int)address->path_length, address->path);
    if (length < 0 || (size_t)length >= sizeof(ret->url))
        return "it is too long";

    char hash[TEXT_HASH_SIZE];
    if (!text_hash(ret->url, strlen(ret->url), hash))
        return "its hash could not be made";
    snprintf(ret->file_id, sizeof(ret->file_id), "u-%.16s", hash);
    ret->is_youtube = false;
    return NULL;
}

int source_parse(const char *text, const char *media_hosts, struct source *ret,
                 const char **ret_reason)
{
    struct source source;
    struct address address;
    const char *reason = NULL;
    if (strnlen(text, SOURCE_URL_SIZE) >= SOURCE_URL_SIZE)
        reason = "it is too long";
    else if (!is_url_text(text))
        reason = "it has characters that a URL cannot have";
    if (!reason)
        reason = read_address(text, &address);
    if (!reason) {
        enum youtube_kind kind = youtube_kind_of(address.host);
        reason = kind == NOT_YOUTUBE ? read_other(&address, media_hosts, &source)
                                     : read_youtube(&address, kind, &source);
    }
    if (reason) {
        if (ret_reason)
            *ret_reason = reason;
        return -EINVAL;
    }
    *ret = source;
    return 0;
}

void source_host(const struct source *source, char *ret, size_t size)
{
    const char *host = strstr(source->url, "://");
    host = host ? host + 3 : source->url;
    snprintf(ret, size, "%.*s", (int)strcspn(host, "/:"), host);
}

void source_show(const struct source *source, char *ret, size_t size)
{
    size_t length = source->is_youtube ? strlen(source->url) : strcspn(source->url, "?#");
    snprintf(ret, size, "%.*s", (int)length, source->url);
}

bool source_is_file_id(const char *text)
{
    size_t length = strnlen(text, SOURCE_ID_SIZE);
    if (length == 18 && strncmp(text, "u-", 2) == 0)
        return strspn(text + 2, "0123456789abcdef") == 16;
    if (length != VIDEO_ID_LENGTH)
        return false;
    for (size_t i = 0; i < length; i++)
        if (!is_id_character(text[i]))
            return false;
    return true;
}
