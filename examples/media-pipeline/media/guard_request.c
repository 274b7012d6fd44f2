/* SPDX-License-Identifier: Apache-2.0 */
#include "media/guard_request.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>

#define MAX_METHOD_LENGTH 16
#define MAX_BODY_BYTES    ((int64_t)64 * 1024 * 1024)

struct part {
    const char *text;
    size_t length;
};

struct reader {
    struct guard_request *request;
    const char *authorization;
    struct part connection; /* names of headers that end here */
    bool is_authorized;
    bool has_length;
    bool is_chunked;
    const char *reason;
};

static int refuse(struct reader *reader, int status, const char *reason)
{
    reader->reason = reason;
    return status;
}

static bool is_token(char c)
{
    return isalnum((unsigned char)c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool equals(struct part part, const char *text)
{
    return part.length == strlen(text) && strncasecmp(part.text, text, part.length) == 0;
}

/* ---- Request line --------------------------------------------------------------------- */

static bool take_word(struct part *line, struct part *ret)
{
    const char *blank = memchr(line->text, ' ', line->length);
    ret->text = line->text;
    ret->length = blank ? (size_t)(blank - line->text) : line->length;
    size_t taken = ret->length + (blank != NULL);
    line->text += taken;
    line->length -= taken;
    return ret->length > 0;
}

static int read_authority(struct reader *reader, struct part authority, int default_port)
{
    struct guard_request *request = reader->request;
    if (memchr(authority.text, '@', authority.length))
        return refuse(reader, 400, "user and password are not allowed in an address");
    if (!source_read_host(authority.text, authority.length, request->host, &request->port))
        return refuse(reader, 400, "the host is not valid");
    if (request->port == 0)
        request->port = default_port;
    if (request->port == 0)
        return refuse(reader, 400, "the port is missing");
    return 0;
}

static int read_target(struct reader *reader, struct part method, struct part target,
                       struct part version)
{
    static const char scheme[] = "http://";
    struct guard_request *request = reader->request;
    if (equals(method, "CONNECT")) {
        request->is_tunnel = true;
        return read_authority(reader, target, 0);
    }
    if (target.length < strlen(scheme) || strncasecmp(target.text, scheme, strlen(scheme)) != 0)
        return refuse(reader, 400, "the address is no absolute http:// one");
    struct part authority = { target.text + strlen(scheme), 0 };
    size_t left = target.length - strlen(scheme);
    while (authority.length < left && !strchr("/?#", authority.text[authority.length]))
        authority.length++;
    int status = read_authority(reader, authority, 80);
    if (status)
        return status;
    struct part path = { authority.text + authority.length, left - authority.length };
    bool has_port = request->port != 80;
    text_addf(&request->head, "%.*s %s%.*s %.*s\r\nHost: %s", (int)method.length, method.text,
              path.length > 0 && path.text[0] == '/' ? "" : "/", (int)path.length, path.text,
              (int)version.length, version.text, request->host);
    if (has_port)
        text_addf(&request->head, ":%d", request->port);
    text_add(&request->head, "\r\nConnection: close\r\n");
    return 0;
}

static int read_first_line(struct reader *reader, struct part line)
{
    struct part method, target, version;
    if (line.length > 0 && line.text[line.length - 1] == ' ')
        return refuse(reader, 400, "the request line is malformed");
    if (!take_word(&line, &method) || !take_word(&line, &target) || !take_word(&line, &version) ||
        line.length > 0 || method.length > MAX_METHOD_LENGTH)
        return refuse(reader, 400, "the request line is malformed");
    for (size_t i = 0; i < method.length; i++)
        if (!isupper((unsigned char)method.text[i]))
            return refuse(reader, 400, "the method is malformed");
    for (size_t i = 0; i < target.length; i++)
        if ((unsigned char)target.text[i] <= ' ' || (unsigned char)target.text[i] >= 0x7f ||
            target.text[i] == '#')
            return refuse(reader, 400, "the address is malformed");
    if (!equals(version, "HTTP/1.1") && !equals(version, "HTTP/1.0"))
        return refuse(reader, 505, "the version is not HTTP/1");
    return read_target(reader, method, target, version);
}

/* ---- Headers ------------------------------------------------------------------------------ */

static bool split_header(struct part line, struct part *ret_name, struct part *ret_value)
{
    const char *colon = memchr(line.text, ':', line.length);
    if (!colon || colon == line.text)
        return false;
    *ret_name = (struct part){ line.text, (size_t)(colon - line.text) };
    for (size_t i = 0; i < ret_name->length; i++)
        if (!is_token(ret_name->text[i]))
            return false;
    const char *value = colon + 1, *end = line.text + line.length;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *ret_value = (struct part){ value, (size_t)(end - value) };
    for (const char *c = value; c < end; c++)
        if (((unsigned char)*c < ' ' && *c != '\t') || *c == 0x7f)
            return false;
    return true;
}

static int read_length(struct reader *reader, struct part value)
{
    int64_t length = 0;
    if (reader->has_length || value.length == 0 || value.length > 12)
        return refuse(reader, 400, "Content-Length is malformed");
    for (size_t i = 0; i < value.length; i++) {
        if (!isdigit((unsigned char)value.text[i]))
            return refuse(reader, 400, "Content-Length is malformed");
        length = length * 10 + (value.text[i] - '0');
    }
    if (length > MAX_BODY_BYTES)
        return refuse(reader, 413, "the body is too large");
    reader->has_length = true;
    reader->request->body_length = length;
    return 0;
}

/* What concerns this connection; the rest is passed on. */
static int read_header(struct reader *reader, struct part name, struct part value)
{
    if (equals(name, "Proxy-Authorization")) {
        size_t length = strlen(reader->authorization);
        reader->is_authorized = value.length == length &&
                                CRYPTO_memcmp(value.text, reader->authorization, length) == 0;
    } else if (equals(name, "Content-Length")) {
        return read_length(reader, value);
    } else if (equals(name, "Transfer-Encoding")) {
        reader->is_chunked = true;
    } else if (equals(name, "Connection")) {
        if (reader->connection.text)
            return refuse(reader, 400, "there are two Connection headers");
        reader->connection = value;
    }
    return 0;
}

static bool is_named(struct part list, struct part name)
{
    while (list.length > 0) {
        size_t length = 0;
        while (length < list.length && list.text[length] != ',')
            length++;
        struct part item = { list.text, length };
        while (item.length > 0 && isspace((unsigned char)*item.text)) {
            item.text++;
            item.length--;
        }
        while (item.length > 0 && isspace((unsigned char)item.text[item.length - 1]))
            item.length--;
        if (item.length == name.length && strncasecmp(item.text, name.text, name.length) == 0)
            return true;
        length += length < list.length;
        list.text += length;
        list.length -= length;
    }
    return false;
}

static bool ends_here(const struct reader *reader, struct part name)
{
    static const char *const names[] = {
        "Connection",
        "Expect",
        "Host",
        "Keep-Alive",
        "Proxy-Authenticate",
        "TE",
        "Trailer",
        "Upgrade",
        "Transfer-Encoding",
        "Proxy-Authorization",
        "Proxy-Connection",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (equals(name, names[i]))
            return true;
    /* The length is what both sides count by, whatever Connection says. */
    return !equals(name, "Content-Length") && is_named(reader->connection, name);
}

/* ---- The whole ------------------------------------------------------------------------------ */

/* The next line without its end; false when it does not end as it must. */
static bool take_line(const char **at, const char *end, struct part *ret)
{
    const char *stop = memchr(*at, '\n', (size_t)(end - *at));
    if (!stop || stop == *at || stop[-1] != '\r')
        return false;
    *ret = (struct part){ *at, (size_t)(stop - *at) - 1 };
    *at = stop + 1;
    return !memchr(ret->text, '\r', ret->length) && !memchr(ret->text, '\0', ret->length);
}

static int read_headers(struct reader *reader, const char *at, const char *end)
{
    struct part headers[GUARD_MAX_HEADERS][2], line;
    size_t count = 0;
    for (;;) {
        if (!take_line(&at, end, &line))
            return refuse(reader, 400, "a line does not end with CR and LF");
        if (line.length == 0)
            break;
        if (count == GUARD_MAX_HEADERS)
            return refuse(reader, 431, "there are too many headers");
        if (!split_header(line, &headers[count][0], &headers[count][1]))
            return refuse(reader, 400, "a header is malformed");
        int status = read_header(reader, headers[count][0], headers[count][1]);
        if (status)
            return status;
        count++;
    }
    if (!reader->is_authorized)
        return refuse(reader, 407, "Proxy-Authorization is missing or wrong");
    if (reader->is_chunked)
        return refuse(reader, 501, "a body without Content-Length is not passed on");
    if (reader->request->is_tunnel)
        return reader->has_length ? refuse(reader, 400, "CONNECT has no body") : 0;
    for (size_t i = 0; i < count; i++)
        if (!ends_here(reader, headers[i][0]))
            text_addf(&reader->request->head, "%.*s: %.*s\r\n", (int)headers[i][0].length,
                      headers[i][0].text, (int)headers[i][1].length, headers[i][1].text);
    text_add(&reader->request->head, "\r\n");
    return reader->request->head.failed ? refuse(reader, 503, "out of memory") : 0;
}

int guard_request_read(const char *head, size_t length, const char *authorization,
                       struct guard_request *ret, const char **ret_reason)
{
    struct guard_request request = { 0 };
    struct reader reader = { .request = &request, .authorization = authorization };
    const char *at = head, *end = head + length;
    struct part line;
    int status = take_line(&at, end, &line)
                     ? read_first_line(&reader, line)
                     : refuse(&reader, 400, "a line does not end with CR and LF");
    if (status == 0)
        status = read_headers(&reader, at, end);
    if (status) {
        text_release(&request.head);
        *ret_reason = reader.reason;
        return status;
    }
    *ret = request;
    return 0;
}
