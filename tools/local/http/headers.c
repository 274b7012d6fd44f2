/* SPDX-License-Identifier: Apache-2.0 */
/* What is read from a request's headers. */
#include "local/http/internal.h"

#include <string.h>
#include <strings.h>

/* The host of "host:port", without the port and the brackets of IPv6. */
static bool split_host(const char *text, char *ret, size_t size)
{
    size_t length = strcspn(text, ":");
    if (*text == '[') {
        text++;
        length = strcspn(text, "]");
        if (text[length] != ']')
            return false;
    }
    if (length == 0 || length >= size)
        return false;
    memcpy(ret, text, length);
    ret[length] = '\0';
    return true;
}

static bool is_numeric(const char *host)
{
    return strspn(host, "0123456789.") == strlen(host) || strchr(host, ':');
}

/* A web page can make its own name lead to this machine; it can't make the browser
   call that name localhost. */
static bool is_our_name(const struct http_server *server, const char *text)
{
    char host[64];
    if (!split_host(text, host, sizeof host))
        return false;
    return strcasecmp(host, "localhost") == 0 || strcmp(host, "127.0.0.1") == 0 ||
           strcmp(host, "::1") == 0 || strcmp(host, server->address) == 0 ||
           (server->any_address && is_numeric(host));
}

/* A link somewhere else that leads here: the site with the link sees nothing of it. */
static bool is_visit(struct MHD_Connection *connection)
{
    const char *mode = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Sec-Fetch-Mode");
    const char *use = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Sec-Fetch-Dest");
    return mode && use && strcmp(mode, "navigate") == 0 && strcmp(use, "document") == 0;
}

const char *http_forbidden(const struct http_server *server, struct MHD_Connection *connection)
{
    const char *host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host");
    const char *origin = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Origin");
    const char *site = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Sec-Fetch-Site");
    if (!host || !is_our_name(server, host))
        return "the Host header must be localhost or the address that xraytrace-local is bound to";
    if (origin) {
        const char *name = strstr(origin, "://");
        if (!name || !is_our_name(server, name + 3))
            return "requests from web pages of another site are refused";
    }
    /* To a browser other ports of this machine are the same site. */
    bool other = site && (strcmp(site, "cross-site") == 0 || strcmp(site, "same-site") == 0);
    if (other && !is_visit(connection))
        return "requests from web pages of another site are refused";
    return NULL;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* The next item of a list such as "gzip;q=0.5, br" without blanks around it; false at
   the end. */
static bool next_item(const char **at, const char **ret, size_t *ret_length)
{
    while (is_space(**at) || **at == ',')
        (*at)++;
    if (!**at)
        return false;
    size_t length = strcspn(*at, ",");
    *ret = *at;
    *at += length;
    while (length && is_space((*ret)[length - 1]))
        length--;
    *ret_length = length;
    return true;
}

/* Whether an item's weight is 0: "gzip;q=0", "gzip; q=0.000". */
static bool is_refused(const char *item, size_t length)
{
    const char *end = item + length;
    const char *weight = memchr(item, '=', length);
    if (!weight)
        return false;
    for (weight++; weight < end; weight++)
        if (*weight != '0' && *weight != '.')
            return false;
    return true;
}

bool http_takes_gzip(const char *header)
{
    const char *item;
    size_t length;
    while (header && next_item(&header, &item, &length)) {
        size_t name = strcspn(item, "; \t,");
        if ((name == 4 && strncasecmp(item, "gzip", 4) == 0) || (name == 1 && *item == '*'))
            return !is_refused(item, length);
    }
    return false;
}

bool http_etag_matches(const char *header, const char *etag)
{
    const char *item;
    size_t length;
    while (next_item(&header, &item, &length)) {
        if (length == 1 && *item == '*')
            return true;
        if (length > 2 && strncmp(item, "W/", 2) == 0) {
            item += 2;
            length -= 2;
        }
        if (length == strlen(etag) && memcmp(item, etag, length) == 0)
            return true;
    }
    return false;
}
