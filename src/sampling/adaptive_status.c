/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A text of three digits has four places, so all that an expression can match in
 * it is a relation: from which place to which. Each part of the expression is one,
 * and operators combine them. This takes time in proportion to the expression,
 * whatever it is, which regcomp() does not.
 */
#include "sampling/adaptive_status.h"

#include <limits.h>
#include <string.h>

#define PLACES    4
#define DEPTH_MAX 32

#define ALL_DIGITS ((uint16_t)0x3ff)

/* Ten codes at once, those that differ in the last digit: each has a bit. */
typedef struct {
    uint16_t cells[PLACES][PLACES]; /* from, to; nothing ever leads back */
} relation;

struct parser {
    const char *p;
    int digits[2];      /* the first ones of the codes */
    const char *reason; /* of the first refusal, or NULL */
    const char *at;
    unsigned depth;
};

static const relation nowhere;

static relation stay_at(int first, int last)
{
    relation result = nowhere;

    for (int place = first; place <= last; place++)
        result.cells[place][place] = ALL_DIGITS;
    return result;
}

static relation either(relation a, relation b)
{
    for (int from = 0; from < PLACES; from++)
        for (int to = from; to < PLACES; to++)
            a.cells[from][to] |= b.cells[from][to];
    return a;
}

static relation then(relation first, relation second)
{
    relation result = nowhere;

    for (int from = 0; from < PLACES; from++)
        for (int middle = from; middle < PLACES; middle++)
            for (int to = middle; to < PLACES; to++)
                result.cells[from][to] |= first.cells[from][middle] & second.cells[middle][to];
    return result;
}

/* One step over each digit that is in the set: bit n is the digit n. */
static relation over_digits(const struct parser *parser, unsigned set)
{
    relation result = nowhere;

    for (int place = 0; place < 2; place++)
        if (set >> parser->digits[place] & 1)
            result.cells[place][place + 1] = ALL_DIGITS;
    result.cells[2][3] = (uint16_t)set;
    return result;
}

/* Stays where what lies ahead matches, or where it does not. */
static relation look_ahead(relation ahead, bool wanted)
{
    relation result = nowhere;

    for (int from = 0; from < PLACES; from++) {
        uint16_t any = 0;

        for (int to = from; to < PLACES; to++)
            any |= ahead.cells[from][to];
        result.cells[from][from] = wanted ? any : any ^ ALL_DIGITS;
    }
    return result;
}

static relation refuse_at(struct parser *parser, const char *at, const char *reason)
{
    if (!parser->reason) {
        parser->reason = reason;
        parser->at = at;
    }
    return nowhere;
}

static relation refuse(struct parser *parser, const char *reason)
{
    return refuse_at(parser, parser->p, reason);
}

static unsigned digit_bit(char c)
{
    return c >= '0' && c <= '9' ? 1U << (c - '0') : 0;
}

/* What follows a backslash, as a set of digits. */
static unsigned escaped(struct parser *parser)
{
    char c = *parser->p;

    if (c == 'd' || c == 'D') {
        parser->p++;
        return c == 'd' ? ALL_DIGITS : 0;
    }
    if (c <= ' ' || c >= 0x7f || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'))
        refuse(parser, "after a backslash only d, D and punctuation are known");
    else
        parser->p++;
    return 0;
}

/* Behind "[". */
static unsigned bracket(struct parser *parser)
{
    const char *start = parser->p - 1;
    bool inverted = *parser->p == '^';
    unsigned set = 0;

    parser->p += inverted;
    if (*parser->p == ']')
        refuse(parser, "an empty [] matches nothing: write the digits into it");
    while (*parser->p != ']' && !parser->reason) {
        char c = *parser->p;

        if (c == '\0') {
            refuse_at(parser, start, "[ has no ]");
        } else if (c == '[' || c == '&') {
            refuse(parser, "sets within [] are not known: write its digits, such as [0-9]");
        } else if (c == '\\') {
            parser->p++;
            set |= escaped(parser);
        } else if (parser->p[1] == '-' && parser->p[2] != ']') {
            char last = parser->p[2];

            if (!digit_bit(c) || !digit_bit(last) || last < c)
                refuse(parser, "a range must be of digits, from the lower one to the higher one");
            for (; c <= last && digit_bit(c); c++)
                set |= digit_bit(c);
            parser->p += 3 * (parser->reason == NULL);
        } else {
            set |= digit_bit(c);
            parser->p++;
        }
    }
    parser->p += parser->reason == NULL;
    return inverted ? ALL_DIGITS & ~set : set;
}

static relation alternatives(struct parser *parser);

/* Behind "(". */
static relation group(struct parser *parser)
{
    const char *start = parser->p - 1;
    char kind = ':';
    relation inside;

    if (*parser->p == '?') {
        kind = parser->p[1];
        if (kind != ':' && kind != '=' && kind != '!')
            return refuse(parser, "of groups with ? only (?:…), (?=…) and (?!…) are known");
        parser->p += 2;
    }
    if (++parser->depth > DEPTH_MAX)
        return refuse(parser, "groups are nested too deep: at most 32 are allowed");
    inside = alternatives(parser);
    parser->depth--;
    if (*parser->p != ')')
        return refuse_at(parser, start, "( has no )");
    parser->p++;
    return kind == ':' ? inside : look_ahead(inside, kind == '=');
}

static relation atom(struct parser *parser)
{
    char c = *parser->p++;

    switch (c) {
    case '^':
        return stay_at(0, 0);
    case '$':
        return stay_at(PLACES - 1, PLACES - 1);
    case '.':
        return over_digits(parser, ALL_DIGITS);
    case '(':
        return group(parser);
    case '[':
        return over_digits(parser, bracket(parser));
    case '\\':
        return over_digits(parser, escaped(parser));
    case '*':
    case '+':
    case '?':
    case '{':
        return refuse_at(parser, parser->p - 1, "there is nothing to repeat before it");
    default:
        return over_digits(parser, digit_bit(c));
    }
}

static unsigned count(struct parser *parser)
{
    unsigned value = 0;

    for (; digit_bit(*parser->p); parser->p++)
        if (value < XR_STATUS_MAX)
            value = 10 * value + (unsigned)(*parser->p - '0');
    return value;
}

/* {n}, {n,} or {n,m}, behind the brace. */
static void braces(struct parser *parser, unsigned *ret_least, unsigned *ret_most)
{
    const char *start = parser->p - 1;
    bool counted = digit_bit(*parser->p);
    unsigned least = count(parser), most = least;

    if (counted && *parser->p == ',') {
        parser->p++;
        most = digit_bit(*parser->p) ? count(parser) : UINT_MAX;
    }
    if (!counted || *parser->p != '}' || most < least) {
        refuse_at(parser, start, "a { must be {n}, {n,} or {n,m}, with m not below n");
        return;
    }
    parser->p++;
    /* There are three digits to go over, so more than four times is as good as four. */
    *ret_least = least < PLACES ? least : PLACES;
    *ret_most = most < PLACES ? most : PLACES;
}

static relation repeated(struct parser *parser, relation once)
{
    unsigned least = 1, most = 1;
    relation result = nowhere, power = stay_at(0, PLACES - 1);
    char c = *parser->p;

    if (c != '*' && c != '+' && c != '?' && c != '{')
        return once;
    parser->p++;
    if (c == '{') {
        braces(parser, &least, &most);
    } else {
        least = c == '+';
        most = c == '?' ? 1 : PLACES;
    }
    /* A lazy one matches the same whole texts. */
    if (*parser->p == '?')
        parser->p++;
    if (*parser->p && strchr("*+?{", *parser->p))
        refuse(parser, "what is repeated already cannot be repeated: put it into (?:…)");

    for (unsigned n = 0; n <= most; n++) {
        if (n >= least)
            result = either(result, power);
        power = then(power, once);
    }
    return result;
}

static relation sequence(struct parser *parser)
{
    relation result = stay_at(0, PLACES - 1);

    while (*parser->p && *parser->p != '|' && *parser->p != ')' && !parser->reason) {
        relation once = atom(parser);

        if (!parser->reason)
            result = then(result, repeated(parser, once));
    }
    return result;
}

static relation alternatives(struct parser *parser)
{
    relation result = sequence(parser);

    while (*parser->p == '|' && !parser->reason) {
        parser->p++;
        result = either(result, sequence(parser));
    }
    return result;
}

const char *xr_status_set_from_regex(struct xr_status_set *ret, const char *regex, size_t *ret_at)
{
    bool any = false;

    *ret = (struct xr_status_set){ 0 };
    *ret_at = 0;
    if (strnlen(regex, XR_STATUS_REGEX_MAX + 1) > XR_STATUS_REGEX_MAX)
        return "it is longer than 256 bytes";
    for (int status = XR_STATUS_MIN; status <= XR_STATUS_MAX; status += 10) {
        struct parser parser = { .p = regex, .digits = { status / 100, status / 10 % 10 } };
        unsigned whole = alternatives(&parser).cells[0][PLACES - 1];

        if (*parser.p == ')')
            refuse(&parser, ") has no (");
        if (parser.reason) {
            *ret_at = (size_t)(parser.at - regex);
            return parser.reason;
        }
        for (int last = 0; last < 10; last++)
            if (whole >> last & 1)
                ret->words[(status + last) / 64] |= (uint64_t)1 << ((status + last) % 64);
        any = any || whole != 0;
    }
    return any ? NULL
               : "it matches no status code: a code has three digits, so write 5\\d\\d or 5..";
}
