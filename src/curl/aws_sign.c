/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signature Version 4. The canonical request is what the service rebuilds from
 * the bytes it received, so everything is brought into one form: escapes decoded
 * and made again, parameters and headers sorted, blanks folded.
 */
#include "aws_sign.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

enum {
    HASH_BYTES = 32,
    QUERY_PARAMETERS = 256,
    WORK_LIMIT = 256 * 1024, /* bytes of a canonical request: services refuse far less */
};

static const char HEX_UPPER[] = "0123456789ABCDEF";
static const char HEX_LOWER[] = "0123456789abcdef";

/* ---- Percent encoding ------------------------------------------------------------------ */

static bool is_unreserved(unsigned char c)
{
    return (c < 0x80 && isalnum(c)) || c == '-' || c == '.' || c == '_' || c == '~';
}

static void encode(struct xr_curl_buffer *ret, const char *text, size_t length, bool keep_slash)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        char escape[3] = { '%', HEX_UPPER[c >> 4], HEX_UPPER[c & 15] };

        if (is_unreserved(c) || (c == '/' && keep_slash))
            xr_curl_buffer_add(ret, &c, 1);
        else
            xr_curl_buffer_add(ret, escape, sizeof(escape));
    }
}

static int digit(char c)
{
    const char *at = c ? strchr(HEX_LOWER, tolower((unsigned char)c)) : NULL;

    return at ? (int)(at - HEX_LOWER) : -1;
}

/* The byte of an escape such as %7E, or -1. */
static int escaped(const char *text, size_t length)
{
    int high, low;

    if (length < 3 || text[0] != '%')
        return -1;
    high = digit(text[1]);
    low = digit(text[2]);
    return high >= 0 && low >= 0 ? high * 16 + low : -1;
}

/* Encodes what may be encoded already, so that %7e, %7E and ~ become the same. */
static void encode_once(struct xr_curl_buffer *ret, const char *text, size_t length,
                        bool keep_slash)
{
    size_t read;

    for (size_t i = 0; i < length; i += read) {
        int byte = escaped(text + i, length - i);
        unsigned char c = byte >= 0 ? (unsigned char)byte : (unsigned char)text[i];

        encode(ret, (const char *)&c, 1, keep_slash);
        read = byte >= 0 ? 3 : 1;
    }
}

/* ---- Path ------------------------------------------------------------------------------- */

/* Drops empty and "." segments, and with ".." the one before. */
static void remove_dots(struct xr_curl_buffer *ret, const char *path)
{
    size_t length = strlen(path), segment;

    for (size_t at = 0; at < length; at += segment + 1) {
        segment = strcspn(path + at, "/");
        if (segment == 0 || (segment == 1 && path[at] == '.'))
            continue;
        if (segment == 2 && path[at] == '.' && path[at + 1] == '.') {
            while (ret->length > 0 && ret->data[--ret->length] != '/')
                ;
            continue;
        }
        xr_curl_buffer_add_text(ret, "/");
        xr_curl_buffer_add(ret, path + at, segment);
    }
    /* A directory stays one. */
    if (ret->length == 0 || path[length - 1] == '/')
        xr_curl_buffer_add_text(ret, "/");
}

static void add_path(struct xr_curl_buffer *ret, const struct xr_aws_signing *signing)
{
    const char *path = signing->path[0] ? signing->path : "/";
    struct xr_curl_buffer plain = { .limit = WORK_LIMIT };

    /* S3 keys may have any segments: they are names, not directories. */
    if (signing->path_is_encoded_once) {
        encode_once(ret, path, strlen(path), true);
        return;
    }
    remove_dots(&plain, path);
    encode(ret, xr_curl_buffer_text(&plain), plain.length, true);
    if (plain.error && !ret->error)
        ret->error = plain.error;
    xr_curl_buffer_free(&plain);
}

/* ---- Query ------------------------------------------------------------------------------ */

struct parameter {
    const char *name;
    const char *value;
};

static int compare_parameters(const void *left, const void *right)
{
    const struct parameter *a = left, *b = right;
    int order = strcmp(a->name, b->name);

    return order != 0 ? order : strcmp(a->value, b->value);
}

/* Writes "name\0value\0" of each, encoded. Returns their number. */
static size_t split_query(struct xr_curl_buffer *ret, const char *query)
{
    size_t count = 0, length, name;

    for (; *query; query += length + (query[length] == '&')) {
        length = strcspn(query, "&");
        if (length == 0)
            continue;
        name = strcspn(query, "=");
        if (name > length)
            name = length;
        encode_once(ret, query, name, false);
        xr_curl_buffer_add(ret, "", 1);
        if (name < length)
            encode_once(ret, query + name + 1, length - name - 1, false);
        xr_curl_buffer_add(ret, "", 1);
        count++;
    }
    return count;
}

static void add_query(struct xr_curl_buffer *ret, const char *query)
{
    struct xr_curl_buffer texts = { .limit = WORK_LIMIT };
    struct parameter parameters[QUERY_PARAMETERS];
    size_t count = split_query(&texts, query ? query : "");
    const char *at = xr_curl_buffer_text(&texts);

    if (count > QUERY_PARAMETERS)
        texts.error = -EINVAL;
    if (texts.error && !ret->error)
        ret->error = texts.error;
    if (!ret->error && count > 0) {
        for (size_t i = 0; i < count; i++) {
            parameters[i].name = at;
            parameters[i].value = at += strlen(at) + 1;
            at += strlen(at) + 1;
        }
        qsort(parameters, count, sizeof(*parameters), compare_parameters);
        for (size_t i = 0; i < count; i++) {
            xr_curl_buffer_add_text(ret, i > 0 ? "&" : "");
            xr_curl_buffer_add_text(ret, parameters[i].name);
            xr_curl_buffer_add_text(ret, "=");
            xr_curl_buffer_add_text(ret, parameters[i].value);
        }
    }
    xr_curl_buffer_free(&texts);
}

/* ---- Headers ------------------------------------------------------------------------------ */

struct header {
    const char *line;
    size_t name_length;
    size_t order; /* qsort() is not stable, and values of one name keep theirs */
};

/* What proxies and HTTP stacks add or change on the way. */
static bool is_signed(const char *name, size_t length)
{
    static const char *const NEVER[] = { "authorization",     "connection", "expect",
                                         "transfer-encoding", "user-agent", "x-amzn-trace-id" };

    for (size_t i = 0; i < sizeof(NEVER) / sizeof(*NEVER); i++)
        if (strlen(NEVER[i]) == length && strncasecmp(NEVER[i], name, length) == 0)
            return false;
    return true;
}

/* Services sort lower-case names: "_" has its place by that. */
static int compare_names(const struct header *a, const struct header *b)
{
    size_t shorter = a->name_length < b->name_length ? a->name_length : b->name_length;
    int order = strncasecmp(a->line, b->line, shorter);

    if (order == 0 && a->name_length != b->name_length)
        order = a->name_length < b->name_length ? -1 : 1;
    return order;
}

static int compare_headers(const void *left, const void *right)
{
    const struct header *a = left, *b = right;
    int order = compare_names(a, b);

    return order != 0 ? order : (a->order > b->order) - (a->order < b->order);
}

/* Returns the number of headers to sign, sorted, or -EINVAL. */
static int sort_headers(struct header ret[static XR_AWS_SIGNED_HEADERS], const char *const *lines)
{
    size_t count = 0;

    for (size_t i = 0; lines && lines[i]; i++) {
        size_t length = strcspn(lines[i], ":");

        if (length == 0 || !lines[i][length])
            return -EINVAL;
        if (!is_signed(lines[i], length))
            continue;
        if (count == XR_AWS_SIGNED_HEADERS)
            return -EINVAL;
        ret[count] = (struct header){ lines[i], length, count };
        count++;
    }
    qsort(ret, count, sizeof(*ret), compare_headers);
    return (int)count;
}

static void add_name(struct xr_curl_buffer *ret, const struct header *header)
{
    for (size_t i = 0; i < header->name_length; i++) {
        char c = (char)tolower((unsigned char)header->line[i]);

        xr_curl_buffer_add(ret, &c, 1);
    }
}

/* The value, trimmed, with each run of blanks as one. */
static void add_value(struct xr_curl_buffer *ret, const struct header *header)
{
    const char *at = header->line + header->name_length + 1;
    bool first = true;

    while (*(at += strspn(at, " \t"))) {
        size_t word = strcspn(at, " \t");

        xr_curl_buffer_add_text(ret, first ? "" : " ");
        xr_curl_buffer_add(ret, at, word);
        at += word;
        first = false;
    }
}

static void add_headers(struct xr_curl_buffer *ret, const struct header *headers, int count)
{
    for (int i = 0; i < count; i++) {
        if (i > 0 && compare_names(&headers[i - 1], &headers[i]) == 0) {
            xr_curl_buffer_add_text(ret, ",");
        } else {
            xr_curl_buffer_add_text(ret, i > 0 ? "\n" : "");
            add_name(ret, &headers[i]);
            xr_curl_buffer_add_text(ret, ":");
        }
        add_value(ret, &headers[i]);
    }
    xr_curl_buffer_add_text(ret, count > 0 ? "\n" : "");
}

static void add_signed_names(struct xr_curl_buffer *ret, const struct header *headers, int count)
{
    for (int i = 0; i < count; i++) {
        if (i > 0 && compare_names(&headers[i - 1], &headers[i]) == 0)
            continue;
        xr_curl_buffer_add_text(ret, i > 0 ? ";" : "");
        add_name(ret, &headers[i]);
    }
}

/* ---- The signature ------------------------------------------------------------------------- */

void xr_aws_date(int64_t time_s, char ret[static XR_AWS_DATE_SIZE])
{
    time_t seconds = (time_t)time_s;
    struct tm utc;

    if (!gmtime_r(&seconds, &utc) || strftime(ret, XR_AWS_DATE_SIZE, "%Y%m%dT%H%M%SZ", &utc) == 0)
        ret[0] = '\0';
}

static void to_hex(const unsigned char *bytes, char ret[static XR_AWS_HASH_SIZE])
{
    for (size_t i = 0; i < HASH_BYTES; i++) {
        ret[2 * i] = HEX_LOWER[bytes[i] >> 4];
        ret[2 * i + 1] = HEX_LOWER[bytes[i] & 15];
    }
    ret[XR_AWS_HASH_SIZE - 1] = '\0';
}

int xr_aws_hash(const void *data, size_t length, char ret[static XR_AWS_HASH_SIZE])
{
    unsigned char digest[HASH_BYTES];

    if (EVP_Digest(data, length, digest, NULL, EVP_sha256(), NULL) != 1)
        return -ENOMEM;
    to_hex(digest, ret);
    return 0;
}

static void add_canonical(struct xr_curl_buffer *ret, const struct xr_aws_signing *signing,
                          const struct header *headers, int count)
{
    xr_curl_buffer_add_text(ret, signing->method);
    xr_curl_buffer_add_text(ret, "\n");
    add_path(ret, signing);
    xr_curl_buffer_add_text(ret, "\n");
    add_query(ret, signing->query);
    xr_curl_buffer_add_text(ret, "\n");
    add_headers(ret, headers, count);
    xr_curl_buffer_add_text(ret, "\n");
    add_signed_names(ret, headers, count);
    xr_curl_buffer_add_text(ret, "\n");
    xr_curl_buffer_add_text(ret, signing->payload_hash);
}

int xr_aws_canonical_request(struct xr_curl_buffer *ret, const struct xr_aws_signing *signing)
{
    struct header headers[XR_AWS_SIGNED_HEADERS];
    int count = sort_headers(headers, signing->headers);

    if (count < 0)
        return count;
    add_canonical(ret, signing, headers, count);
    return ret->error;
}

/* key and ret may be the same. */
static bool hmac(const void *key, size_t key_length, const char *text,
                 unsigned char ret[static HASH_BYTES])
{
    unsigned char result[HASH_BYTES];
    bool done = HMAC(EVP_sha256(), key, (int)key_length, (const unsigned char *)text, strlen(text),
                     result, NULL);

    memcpy(ret, result, sizeof(result));
    OPENSSL_cleanse(result, sizeof(result));
    return done;
}

/* The key of one day, region and service, then the signature with it. */
static int seal(const struct xr_aws_signing *signing, const char *secret, const char *text,
                char ret[static XR_AWS_HASH_SIZE])
{
    struct xr_curl_buffer start = { .limit = WORK_LIMIT };
    unsigned char key[HASH_BYTES];
    char date[XR_AWS_DATE_SIZE];
    bool done;

    xr_aws_date(signing->time_s, date);
    date[8] = '\0';
    xr_curl_buffer_add_text(&start, "AWS4");
    xr_curl_buffer_add_text(&start, secret);
    done = !start.error && hmac(start.data, start.length, date, key) &&
           hmac(key, sizeof(key), signing->region, key) &&
           hmac(key, sizeof(key), signing->service, key) &&
           hmac(key, sizeof(key), "aws4_request", key) && hmac(key, sizeof(key), text, key);
    if (done)
        to_hex(key, ret);
    OPENSSL_cleanse(key, sizeof(key));
    xr_curl_buffer_free(&start);
    return done ? 0 : -ENOMEM;
}

/* "20150830/us-east-1/service/aws4_request". */
static void add_scope(struct xr_curl_buffer *ret, const struct xr_aws_signing *signing)
{
    char date[XR_AWS_DATE_SIZE];

    xr_aws_date(signing->time_s, date);
    xr_curl_buffer_add(ret, date, strnlen(date, 8));
    xr_curl_buffer_add_text(ret, "/");
    xr_curl_buffer_add_text(ret, signing->region);
    xr_curl_buffer_add_text(ret, "/");
    xr_curl_buffer_add_text(ret, signing->service);
    xr_curl_buffer_add_text(ret, "/aws4_request");
}

static int string_to_sign(struct xr_curl_buffer *ret, const struct xr_aws_signing *signing,
                          const struct header *headers, int count)
{
    struct xr_curl_buffer canonical = { .limit = WORK_LIMIT };
    char date[XR_AWS_DATE_SIZE], hash[XR_AWS_HASH_SIZE] = "";
    int r;

    add_canonical(&canonical, signing, headers, count);
    r = canonical.error;
    if (r == 0)
        r = xr_aws_hash(canonical.data, canonical.length, hash);
    xr_curl_buffer_free(&canonical);
    if (r < 0)
        return r;
    xr_aws_date(signing->time_s, date);
    xr_curl_buffer_add_text(ret, "AWS4-HMAC-SHA256\n");
    xr_curl_buffer_add_text(ret, date);
    xr_curl_buffer_add_text(ret, "\n");
    add_scope(ret, signing);
    xr_curl_buffer_add_text(ret, "\n");
    xr_curl_buffer_add_text(ret, hash);
    return ret->error;
}

int xr_aws_sign(struct xr_curl_buffer *ret, const struct xr_aws_signing *signing,
                const struct xr_aws_credentials *credentials)
{
    struct header headers[XR_AWS_SIGNED_HEADERS];
    int count = sort_headers(headers, signing->headers);
    struct xr_curl_buffer text = { .limit = WORK_LIMIT };
    char signature[XR_AWS_HASH_SIZE] = "";
    int r = count < 0 ? count : 0;

    if (r == 0)
        r = string_to_sign(&text, signing, headers, count);
    if (r == 0)
        r = seal(signing, credentials->secret_access_key, text.data, signature);
    xr_curl_buffer_free(&text);
    if (r < 0)
        return r;
    xr_curl_buffer_add_text(ret, "AWS4-HMAC-SHA256 Credential=");
    xr_curl_buffer_add_text(ret, credentials->access_key_id);
    xr_curl_buffer_add_text(ret, "/");
    add_scope(ret, signing);
    xr_curl_buffer_add_text(ret, ", SignedHeaders=");
    add_signed_names(ret, headers, count);
    xr_curl_buffer_add_text(ret, ", Signature=");
    xr_curl_buffer_add_text(ret, signature);
    return ret->error;
}
