/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connection strings: URLs, lists of keys and values, and what Go's drivers
 * take. Their grammars contradict each other, so a part is kept only when no
 * reading of the text makes it a password.
 */
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "model/sql_text.h"

#define TEXT_MAX 65536
#define KEY_MAX  32

/* Text that is looked at, and text that is written. */
struct span {
    const char *p, *end;
};

struct output {
    char *p, *end;
};

static bool write_span(struct output *out, const char *from, const char *to)
{
    size_t length = (size_t)(to - from);

    if (length > (size_t)(out->end - out->p))
        return false;
    out->p = xr_json_bytes(out->p, from, length);
    return true;
}

static bool is_blank(char c)
{
    return (unsigned char)c <= ' ' || c == 0x7F;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* ---- Places: hosts, ports, paths -------------------------------------------- */

/* Where parameters may begin: nothing behind it is kept. */
static const char *parameters_of(struct span text)
{
    while (text.p < text.end && !is_blank(*text.p) && !is_one_of(*text.p, "?#;=&()'\"`{}<>|"))
        text.p++;
    return text.p;
}

static const char *last_at(const char *p, const char *end)
{
    return memrchr(p, '@', (size_t)(end - p));
}

/* Hosts, each perhaps with a port, and perhaps a path: what no user info looks like. */
static bool is_hosts(struct span text)
{
    const char *p = text.p;

    while (p < text.end && *p != '/') {
        if (*p == '[')
            while (p < text.end && *p != ']' && *p != '/')
                p++;
        else
            while (p < text.end && (is_letter(*p) || is_digit(*p) || is_one_of(*p, ".-_")))
                p++;
        p += p < text.end && *p == ']';
        if (p < text.end && *p == ':')
            for (p++; p < text.end && is_digit(*p); p++)
                continue;
        if (p < text.end && *p != ',' && *p != '/')
            return false;
        p += p < text.end && *p == ',';
    }
    return true;
}

/* "?key=" or ";key=": what begins here are parameters, and not the rest of a password. */
static bool is_parameter(struct span text)
{
    const char *p = text.p;

    if (p == text.end || !is_one_of(*p, "?;"))
        return false;
    for (p++; p < text.end && (is_letter(*p) || is_digit(*p) || is_one_of(*p, "_.- ")); p++)
        continue;
    return p < text.end && *p == '=' && p > text.p + 1;
}

/* ---- URLs ------------------------------------------------------------------- */

/* Where the authority of a URL begins, or NULL. Only Java has a second scheme before it. */
static const char *authority_of(struct span text)
{
    const char *set = text.end - text.p > 5 && memcmp(text.p, "jdbc:", 5) == 0 ? "+.-_:" : "+.-_";
    const char *p = text.p;

    while (p < text.end && (is_letter(*p) || is_digit(*p) || is_one_of(*p, set)))
        p++;
    if (p > text.p && p < text.end && *p == ':')
        p++;
    return text.end - p >= 2 && p[0] == '/' && p[1] == '/' && (p == text.p || p[-1] == ':') ? p + 2
                                                                                            : NULL;
}

static void write_url(struct output *out, struct span text, const char *authority)
{
    struct span place = { authority, text.end };
    const char *cut = parameters_of(place);
    const char *user_end = last_at(authority, cut);

    place = (struct span){ user_end ? user_end + 1 : authority, cut };
    if (!write_span(out, text.p, authority))
        return;
    /* With another "@" behind them, what look like parameters may be a password's end. */
    if (!last_at(cut, text.end) ||
        (is_hosts(place) && is_parameter((struct span){ cut, text.end })))
        (void)write_span(out, place.p, place.end);
}

/* ---- Lists of keys and values ----------------------------------------------- */

/* In lower case, without blanks, "_" and "-". Only these are kept: any other may be a secret's. */
static const char *const harmless[] = {
    "address",
    "app",
    "applicationname",
    "catalog",
    "charset",
    "cluster",
    "database",
    "databasename",
    "datasource",
    "db",
    "dbname",
    "dbq",
    "driver",
    "dsn",
    "encrypt",
    "host",
    "hostaddr",
    "hostname",
    "initialcatalog",
    "integratedsecurity",
    "network",
    "networkaddress",
    "port",
    "portnumber",
    "protocol",
    "provider",
    "region",
    "schema",
    "server",
    "servername",
    "service",
    "servicename",
    "sid",
    "sslmode",
    "targetsessionattrs",
    "timeout",
    "connecttimeout",
    "connectiontimeout",
    "trustedconnection",
    "trustservercertificate",
    "warehouse",
};

static const char *const users[] = { "uid", "user", "userid", "username" };

/* A pair as it is written: its value also without quotes. */
struct pair {
    struct span text, key, value;
    bool is_quoted;
};

static bool is_listed(struct span key, const char *const *list, size_t count)
{
    char plain[KEY_MAX];
    size_t length = 0;

    for (const char *p = key.p; p < key.end; p++)
        if (!is_blank(*p) && !is_one_of(*p, "_-")) {
            if (length == sizeof(plain) - 1)
                return false;
            plain[length++] = *p;
        }
    plain[length] = '\0';
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(plain, list[i]) == 0)
            return true;
    return false;
}

#define IS_LISTED(key, list) is_listed(key, list, sizeof(list) / sizeof(*(list)))

/* Behind the closing quote; NULL without one. */
static const char *quoted_end(struct span text, bool has_backslashes)
{
    char quote = *text.p == '{' ? '}' : *text.p;

    for (const char *p = text.p + 1; p < text.end; p++) {
        if (*p == '\\' && has_backslashes)
            p++;
        else if (*p == quote && (p + 1 == text.end || p[1] != quote))
            return p + 1;
        else if (*p == quote)
            p++;
    }
    return NULL;
}

static const char *skip_blanks(struct span text)
{
    while (text.p < text.end && is_blank(*text.p))
        text.p++;
    return text.p;
}

/* Where the pair or the word at text ends; separator is ';', or ' ' for any blank. */
static const char *word_end(struct span text, char separator)
{
    for (; text.p < text.end; text.p++) {
        if (separator == ' ' && *text.p == '\\' && text.p + 1 < text.end)
            text.p++;
        else if (*text.p == separator || (separator == ' ' && is_blank(*text.p)))
            break;
    }
    return text.p;
}

/* Reads a value; false when nobody can say where it ends. */
static bool read_value(struct span *text, char separator, struct pair *ret)
{
    const char *end;

    text->p = skip_blanks(*text);
    ret->is_quoted = text->p < text->end && is_one_of(*text->p, "'\"{");
    if (!ret->is_quoted) {
        end = word_end(*text, separator);
        ret->value = (struct span){ text->p, end };
        text->p = end;
        while (ret->value.end > ret->value.p && is_blank(ret->value.end[-1]))
            ret->value.end--;
        ret->text.end = ret->value.end;
        return true;
    }
    end = quoted_end(*text, separator == ' ');
    if (!end)
        return false;
    ret->value = (struct span){ text->p + 1, end - 1 };
    ret->text.end = end;
    text->p = end;
    if (separator == ' ')
        return end == text->end || is_blank(*end);
    text->p = skip_blanks(*text);
    return text->p == text->end || *text->p == ';';
}

/* Where the key of a pair at text ends, at its "="; NULL when there is none: a word alone. */
static const char *key_end(struct span text, char separator)
{
    while (text.p < text.end && *text.p != '=' && *text.p != separator &&
           !(separator == ' ' && is_blank(*text.p)))
        text.p++;
    if (separator == ' ')
        text.p = skip_blanks(text);
    return text.p < text.end && *text.p == '=' ? text.p : NULL;
}

/* Reads the next pair; a word alone has an empty key. False at the end of what is clear. */
static bool read_pair(struct span *text, char separator, struct pair *ret)
{
    const char *end;

    while (text->p < text->end && (is_blank(*text->p) || *text->p == separator))
        text->p++;
    if (text->p == text->end)
        return false;
    end = key_end(*text, separator);
    *ret = (struct pair){ .text.p = text->p, .key = { text->p, end ? end : text->p } };
    if (!end) {
        text->p = word_end(*text, separator);
        return true;
    }
    text->p = end + 1;
    return read_value(text, separator, ret);
}

/* A value that is nothing but itself: no further keys, no parameters. */
static bool is_plain(struct span value)
{
    for (const char *p = value.p; p < value.end; p++)
        if ((unsigned char)*p < ' ' || is_one_of(*p, "=;?#&'\"`{}<>|"))
            return false;
    return true;
}

/* Appends a pair if it may stay; false when there is no more room. */
static bool write_pair(struct output *out, const struct pair *pair, char separator, bool first)
{
    struct output rest = *out;
    bool is_user = IS_LISTED(pair->key, users);
    const char *user_end;

    if ((!is_user && !IS_LISTED(pair->key, harmless)) || !is_plain(pair->value))
        return true;
    /* "user/password", and "user/password@host" where a host is wanted. */
    if (is_user)
        for (const char *p = pair->value.p; p < pair->value.end; p++)
            if (is_one_of(*p, "/:"))
                return true;
    user_end = is_user ? NULL : last_at(pair->value.p, pair->value.end);
    if (user_end && pair->is_quoted)
        return true;
    if (!first && !write_span(&rest, &separator, &separator + 1))
        return false;
    if (!user_end && !write_span(&rest, pair->text.p, pair->text.end))
        return false;
    if (user_end && (!write_span(&rest, pair->key.p, pair->key.end + 1) ||
                     !write_span(&rest, user_end + 1, pair->value.end)))
        return false;
    *out = rest;
    return true;
}

static void write_pairs(struct output *out, struct span text)
{
    const char *start = out->p;
    char separator = memchr(text.p, ';', (size_t)(text.end - text.p)) ? ';' : ' ';
    struct pair pair;

    while (read_pair(&text, separator, &pair))
        if (!write_pair(out, &pair, separator, out->p == start))
            return;
}

static bool is_pairs(struct span text)
{
    const char *p = text.p;

    while (p < text.end && (is_letter(*p) || is_digit(*p) || is_one_of(*p, " _.-;\t\r\n")))
        p++;
    return p < text.end && *p == '=';
}

/* ---- The others ------------------------------------------------------------- */

/* "tcp(host:3306)/name" up to its end; NULL when it is something else. */
static const char *go_place_end(struct span text)
{
    const char *p = text.p;

    while (p < text.end && (is_letter(*p) || is_digit(*p)))
        p++;
    if (p == text.p || p == text.end || *p != '(')
        return NULL;
    for (p++; p < text.end && (is_letter(*p) || is_digit(*p) || is_one_of(*p, "._-:/[]%"));)
        p++;
    if (p == text.end || *p++ != ')' || (p < text.end && *p != '/'))
        return NULL;
    while (p < text.end && (is_letter(*p) || is_digit(*p) || is_one_of(*p, "/_.%$-")))
        p++;
    return p;
}

static bool write_go_place(struct output *out, struct span text)
{
    struct span found = { NULL, NULL };

    /* A password may look like one: the last is it. */
    while (text.p) {
        const char *end = go_place_end(text);

        if (end)
            found = (struct span){ text.p, end };
        text.p = memchr(text.p, '@', (size_t)(text.end - text.p));
        if (text.p)
            text.p++;
    }
    return found.p && write_span(out, found.p, found.end);
}

static bool is_path(struct span text)
{
    size_t length = (size_t)(text.end - text.p);

    return *text.p == '/' || (length > 2 && memcmp(text.p, "./", 2) == 0) ||
           (length > 3 && memcmp(text.p, "../", 3) == 0) ||
           (length > 5 && memcmp(text.p, "file:", 5) == 0) ||
           (length == 8 && memcmp(text.p, ":memory:", 8) == 0);
}

/* "user:password@host", or a path. Of anything else all could be a password. */
static void write_place(struct output *out, struct span text)
{
    const char *cut = parameters_of(text);
    const char *user_end = last_at(text.p, cut);

    if (last_at(cut, text.end))
        return;
    if (user_end)
        (void)write_span(out, user_end + 1, cut);
    else if (is_path(text))
        (void)write_span(out, text.p, cut);
}

size_t xr_sql_connection(char *ret, size_t size, const char *text)
{
    size_t length = strnlen(text, TEXT_MAX + 1);
    struct span span = { text, text + length };
    struct output out = { ret, ret + size };
    const char *authority;

    if (length > TEXT_MAX)
        return 0;
    span.p = skip_blanks(span);
    while (span.end > span.p && is_blank(span.end[-1]))
        span.end--;
    if (span.p == span.end)
        return 0;
    authority = authority_of(span);
    if (authority)
        write_url(&out, span, authority);
    else if (is_pairs(span))
        write_pairs(&out, span);
    else if (!write_go_place(&out, span))
        write_place(&out, span);
    return (size_t)(out.p - ret);
}
