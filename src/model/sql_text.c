/* SPDX-License-Identifier: Apache-2.0 */
/* The lexical level of SQL as far as it decides what is a literal, and nothing of its grammar. */
#include "model/sql_text.h"

#include <string.h>
#include <strings.h>

#include "base/json.h"

#define NAME_MAX_BYTES 256 /* no database has longer names; longer ones are taken for text */
#define TAG_MAX        64

/* How a database reads what others read differently; none of these: it is not known. */
enum {
    KNOWN = 1u << 0,
    BACKSLASHES = 1u << 1,    /* escape the character behind them */
    E_STRINGS = 1u << 2,      /* do so in E'…' only */
    QUOTED_NAMES = 1u << 3,   /* "…" is a name */
    BACKTICK_NAMES = 1u << 4, /* `…` */
    BRACKET_NAMES = 1u << 5,  /* […] */
    HASH_COMMENTS = 1u << 6,
    DASH_BLANK = 1u << 7, /* only "-- " begins a comment */
    DOLLARS = 1u << 8,    /* $tag$…$tag$ */
    Q_STRINGS = 1u << 9,  /* q'[…]' */
};

#define POSTGRES   (KNOWN | E_STRINGS | QUOTED_NAMES | DOLLARS)
#define MYSQL      (KNOWN | BACKSLASHES | BACKTICK_NAMES | HASH_COMMENTS | DASH_BLANK)
#define SQL_SERVER (KNOWN | QUOTED_NAMES | BRACKET_NAMES)

/* Forgiving names of types: what drivers and people call them has one of these in it. */
static const struct {
    const char *part;
    unsigned habits;
} databases[] = {
    { "mysql", MYSQL },
    { "mariadb", MYSQL },
    { "postgres", POSTGRES },
    { "cockroach", POSTGRES },
    { "redshift", POSTGRES },
    /* Takes a name in double quotes that it does not know for text. */
    { "sqlite", KNOWN | BACKTICK_NAMES | BRACKET_NAMES },
    { "sql server", SQL_SERVER },
    { "sqlserver", SQL_SERVER },
    { "mssql", SQL_SERVER },
    { "oracle", KNOWN | QUOTED_NAMES | Q_STRINGS },
    { "db2", KNOWN | QUOTED_NAMES },
};

/* Everything that some database knows, where not knowing means expecting it. */
#define UNKNOWN (E_STRINGS | BACKTICK_NAMES | DOLLARS | Q_STRINGS)

struct statement {
    const char *p, *end; /* what is still to be read */
    char *out, *out_start, *out_end;
    unsigned habits;
    bool blank;      /* is to be written before the next token */
    bool adjacent;   /* a name or a literal ends where p is */
    bool identified; /* the last word was that */
    bool full;
};

static bool is_blank(char c)
{
    return (unsigned char)c <= ' ' || c == 0x7F;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_wide(char c)
{
    return (unsigned char)c >= 0x80;
}

/* Of any character but ASCII it is not known whether it is a letter: names may have it. */
static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || is_wide(c);
}

static unsigned habits_of(const char *type)
{
    for (size_t i = 0; type && i < sizeof(databases) / sizeof(*databases); i++)
        if (strcasestr(type, databases[i].part))
            return databases[i].habits;
    return UNKNOWN;
}

static bool at(const struct statement *s, const char *p, char c)
{
    return p < s->end && *p == c;
}

/* ---- Writing ---------------------------------------------------------------- */

static void write_bytes(struct statement *s, const char *bytes, size_t length)
{
    size_t room;

    if (s->blank && s->out > s->out_start && s->out < s->out_end)
        *s->out++ = ' ';
    s->blank = false;
    room = (size_t)(s->out_end - s->out);
    s->full = s->full || length > room;
    s->out = xr_json_bytes(s->out, bytes, length < room ? length : room);
}

/* "?" for what is read up to next. */
static void replace(struct statement *s, const char *next)
{
    write_bytes(s, "?", 1);
    s->p = next;
    s->adjacent = true;
}

/* For what nobody can tell the end of. */
static void replace_rest(struct statement *s)
{
    replace(s, s->end);
}

static void replace_until(struct statement *s, const char *next)
{
    if (next)
        replace(s, next);
    else
        replace_rest(s);
}

static void copy(struct statement *s, const char *next)
{
    write_bytes(s, s->p, (size_t)(next - s->p));
    s->p = next;
    s->adjacent = true;
}

/* ---- Quotes ----------------------------------------------------------------- */

enum escapes { ESCAPES_NO, ESCAPES_YES, ESCAPES_PERHAPS };

/* Behind the quote that closes the one at p; NULL without one, or if that depends on who reads. */
static const char *quoted_end(const struct statement *s, const char *p, char quote,
                              enum escapes escapes)
{
    bool escaped = false;

    for (p++; p < s->end; p++) {
        if (*p == '\\' && escapes != ESCAPES_NO) {
            escaped = !escaped;
            continue;
        }
        if (*p == quote && escaped && escapes == ESCAPES_PERHAPS)
            return NULL;
        if (*p == quote && !escaped) {
            if (!at(s, p + 1, quote))
                return p + 1;
            p++;
        }
        escaped = false;
    }
    return NULL;
}

static void read_literal(struct statement *s, const char *quote, bool escape_string)
{
    enum escapes escapes = escape_string || (s->habits & BACKSLASHES) ? ESCAPES_YES
                           : s->habits & KNOWN                        ? ESCAPES_NO
                                                                      : ESCAPES_PERHAPS;

    /* Three quotes begin a text that ends with three, for some. */
    if (!(s->habits & KNOWN) && at(s, quote + 1, *quote) && at(s, quote + 2, *quote))
        replace_rest(s);
    else
        replace_until(s, quoted_end(s, quote, *quote, escapes));
}

/* A name stays, unless it may as well be text. */
static void read_quoted_name(struct statement *s, char quote)
{
    const char *end = quoted_end(s, s->p, quote, ESCAPES_NO);

    if (end && end - s->p <= NAME_MAX_BYTES && !memchr(s->p, '\'', (size_t)(end - s->p)))
        copy(s, end);
    else
        replace_until(s, end);
}

/* A name, or the index of an array, which may hold text; the former may hold lone quotes. */
static void read_bracket(struct statement *s)
{
    if (s->habits & BRACKET_NAMES) {
        read_quoted_name(s, ']');
        return;
    }
    if (!(s->habits & KNOWN))
        for (const char *p = s->p + 1; p < s->end && *p != ']' && *p != '['; p++)
            if (*p == '\'' || *p == '"' || *p == '`') {
                replace_rest(s);
                return;
            }
    copy(s, s->p + 1);
    s->adjacent = false;
}

/* The text of q'[…]' from its quote on. */
static void read_q_string(struct statement *s, const char *quote)
{
    static const char brackets[] = "[]{}()<>";
    char closing;
    const char *bracket;

    if (quote + 1 >= s->end) {
        replace_rest(s);
        return;
    }
    closing = quote[1];
    bracket = strchr(brackets, closing);
    if (bracket && (bracket - brackets) % 2 == 0)
        closing = bracket[1];
    for (const char *p = quote + 2; p + 1 < s->end; p++)
        if (p[0] == closing && p[1] == '\'') {
            replace(s, p + 2);
            return;
        }
    replace_rest(s);
}

/* $tag$…$tag$, $1, or a dollar. */
static void read_dollar(struct statement *s)
{
    const char *p = s->p + 1, *closing;

    if (p < s->end && is_digit(*p)) {
        while (p < s->end && (is_digit(*p) || *p == '.'))
            p++;
        replace(s, p);
        return;
    }
    while (p < s->end && p - s->p < TAG_MAX && (is_letter(*p) || (is_digit(*p) && p > s->p + 1)))
        p++;
    if (!(s->habits & DOLLARS) || !at(s, p, '$')) {
        copy(s, s->p + 1);
        s->adjacent = false;
        return;
    }
    p++;
    closing = memmem(p, (size_t)(s->end - p), s->p, (size_t)(p - s->p));
    replace_until(s, closing ? closing + (p - s->p) : NULL);
}

/* ---- Comments --------------------------------------------------------------- */

static void skip(struct statement *s, const char *next)
{
    s->p = next;
    s->blank = true;
    s->adjacent = false;
}

static void skip_line(struct statement *s)
{
    for (const char *p = s->p; p < s->end; p++) {
        if (*p == '\n') {
            skip(s, p);
            return;
        }
        /* A line that ends with this alone ends for some only. */
        if (*p == '\r' && !at(s, p + 1, '\n')) {
            replace_rest(s);
            return;
        }
    }
    skip(s, s->end);
}

/* Those of MySQL that are executed are no comments, and some databases nest them. */
static void read_block_comment(struct statement *s)
{
    const char *p = s->p + 2;

    if (at(s, p, '!') || (at(s, p, 'M') && at(s, p + 1, '!'))) {
        replace_rest(s);
        return;
    }
    for (; p + 1 < s->end; p++) {
        if (p[0] == '*' && p[1] == '/') {
            skip(s, p + 2);
            return;
        }
        if (p[0] == '/' && p[1] == '*')
            break;
    }
    replace_rest(s);
}

/* True when what is at p begins a comment, or what may be one, and has been read. */
static bool read_comment(struct statement *s)
{
    const char *p = s->p;
    bool blank_follows = p + 2 >= s->end || is_blank(p[2]);

    if (at(s, p, '/') && at(s, p + 1, '*')) {
        read_block_comment(s);
    } else if (at(s, p, '-') && at(s, p + 1, '-')) {
        if (blank_follows || ((s->habits & KNOWN) && !(s->habits & DASH_BLANK)))
            skip_line(s);
        else if ((s->habits & KNOWN) && p[2] != '#' && p[2] != '/')
            return false;
        else
            replace_rest(s); /* without a comment that follows, it would be one */
    } else if (at(s, p, '#') && (s->habits & HASH_COMMENTS)) {
        skip_line(s);
    } else if (!(s->habits & KNOWN) && (at(s, p, '#') || (at(s, p, '/') && at(s, p + 1, '/')))) {
        replace_rest(s);
    } else {
        return false;
    }
    return true;
}

/* ---- Words and numbers ------------------------------------------------------ */

static void read_number(struct statement *s)
{
    const char *p = s->p;
    bool hex = *p == '0' && (at(s, p + 1, 'x') || at(s, p + 1, 'X'));

    for (; p < s->end; p++) {
        bool exponent = p > s->p && (p[-1] == 'e' || p[-1] == 'E') && !hex;

        if (is_digit(*p) || is_letter(*p) || *p == '.')
            continue;
        if (!exponent || (*p != '+' && *p != '-') || p + 1 >= s->end || !is_digit(p[1]))
            break;
    }
    replace(s, p);
}

static bool is_word(const char *word, size_t length, const char *lower)
{
    return length == strlen(lower) && strncasecmp(word, lower, length) == 0;
}

/* N'…', X'…' and the like are literals as a whole. */
static bool read_prefixed(struct statement *s, const char *quote)
{
    static const char *const prefixes[] = { "n", "b", "x", "r", "e" };
    size_t length = (size_t)(quote - s->p);

    if (*quote != '\'' && (*quote != '"' || (s->habits & QUOTED_NAMES)))
        return false;
    if (*quote == '\'' && (s->habits & Q_STRINGS) &&
        (is_word(s->p, length, "q") || is_word(s->p, length, "nq"))) {
        read_q_string(s, quote);
        return true;
    }
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
        if (is_word(s->p, length, prefixes[i])) {
            read_literal(s, quote, *prefixes[i] == 'e' && (s->habits & E_STRINGS));
            return true;
        }
    return false;
}

static void read_word(struct statement *s)
{
    const char *p = s->p;
    bool password;

    for (p++; p < s->end; p++) {
        /* What looks like a letter may be a blank: the digit behind it is a number's. */
        if (is_digit(*p) ? is_wide(p[-1]) : !is_letter(*p) && *p != '$')
            if (*p != '#' || !(s->habits & KNOWN) || (s->habits & HASH_COMMENTS))
                break;
    }
    if (p < s->end && read_prefixed(s, p))
        return;
    /* What follows is a password without quotes, for some. */
    password = s->identified && is_word(s->p, (size_t)(p - s->p), "by");
    s->identified = is_word(s->p, (size_t)(p - s->p), "identified");
    copy(s, p);
    if (password && p < s->end) {
        s->blank = true;
        replace_rest(s);
    }
}

static void read_other(struct statement *s)
{
    const char *p = s->p + 1;

    if (*s->p == '?')
        while (p < s->end && is_digit(*p))
            p++;
    write_bytes(s, s->p, 1);
    s->p = p;
    s->adjacent = false;
}

static void read_token(struct statement *s)
{
    char c = *s->p;

    if (is_blank(c))
        skip(s, s->p + 1);
    else if (read_comment(s))
        return;
    else if (c == '\'' || (c == '"' && !(s->habits & QUOTED_NAMES)))
        read_literal(s, s->p, false);
    else if (c == '"' || (c == '`' && (s->habits & BACKTICK_NAMES)))
        read_quoted_name(s, c);
    else if (c == '[')
        read_bracket(s);
    else if (c == '$')
        read_dollar(s);
    else if (is_digit(c) || (c == '.' && !s->adjacent && s->p + 1 < s->end && is_digit(s->p[1])))
        read_number(s);
    else if (is_letter(c))
        read_word(s);
    else
        read_other(s);
}

size_t xr_sql_normalise(char *ret, size_t size, const char *statement, const char *database_type,
                        bool *ret_cut)
{
    size_t length = strnlen(statement, XR_SQL_STATEMENT_MAX);
    struct statement s = {
        .p = statement,
        .end = statement + length,
        .out = ret,
        .out_start = ret,
        .out_end = ret + size,
        .habits = habits_of(database_type),
        .full = statement[length] != '\0',
    };

    while (s.p < s.end && s.out < s.out_end)
        read_token(&s);
    while (s.p < s.end && is_blank(*s.p))
        s.p++;
    if (s.full || s.p < s.end)
        *ret_cut = true;
    return s.full ? xr_utf8_whole(ret, (size_t)(s.out - ret)) : (size_t)(s.out - ret);
}
