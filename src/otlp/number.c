/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers from their text, exactly: a double would cost times their nanoseconds. */
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>

#include "otlp/tree.h"

/* More change nothing in any number that is kept. */
#define DIGITS_MAX   40
#define NUMBER_MAX   400
#define EXPONENT_MAX 100000

bool xr_number_uint64(struct xr_slice text, uint64_t *ret)
{
    uint64_t value = 0;

    if (!text.text || text.length == 0 || text.length > 20)
        return false;
    for (size_t i = 0; i < text.length; i++) {
        uint64_t digit = (uint64_t)(unsigned char)text.text[i] - '0';

        if (digit > 9 || value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *ret = value;
    return true;
}

bool xr_number_int64(struct xr_slice text, int64_t *ret)
{
    bool negative = text.text && text.length > 0 && text.text[0] == '-';
    uint64_t value;

    if (!xr_number_uint64(negative ? xr_slice_from(text, 1) : text, &value) ||
        value > (uint64_t)INT64_MAX + negative)
        return false;
    /* A double has a zero below zero, and an integer has not. */
    if (negative && value == 0)
        return false;
    *ret = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

double xr_number_double(struct xr_slice text)
{
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    char copy[NUMBER_MAX + 1];
    size_t length = text.length < NUMBER_MAX ? text.length : NUMBER_MAX;
    double value;

    memcpy(copy, text.text, length);
    copy[length] = '\0';
    value = plain ? strtod_l(copy, NULL, plain) : strtod(copy, NULL);
    if (plain)
        freelocale(plain);
    return value;
}

/* The digits of a number, the zeros before them left out, and where its point is. */
struct decimal {
    char digits[DIGITS_MAX];
    size_t count;
    long point; /* so many digits are before it */
};

static long read_exponent(struct xr_slice text)
{
    bool negative = text.length > 0 && text.text[0] == '-';
    long value = 0;

    for (size_t i = negative || (text.length > 0 && text.text[0] == '+'); i < text.length; i++)
        if (value < EXPONENT_MAX)
            value = value * 10 + (text.text[i] - '0');
    return negative ? -value : value;
}

static void read_decimal(struct xr_slice text, struct decimal *ret)
{
    bool fraction = false;

    *ret = (struct decimal){ 0 };
    for (size_t i = 0; i < text.length; i++) {
        char c = text.text[i];

        if ((c | 0x20) == 'e') {
            ret->point += read_exponent(xr_slice_from(text, i + 1));
            break;
        }
        if (c == '.') {
            fraction = true;
            continue;
        }
        if (c == '0' && ret->count == 0) {
            ret->point -= fraction;
            continue;
        }
        ret->point += !fraction;
        if (ret->count < DIGITS_MAX)
            ret->digits[ret->count++] = c;
    }
}

bool xr_number_seconds_ns(struct xr_slice text, uint64_t *ret)
{
    struct decimal decimal;
    uint64_t value = 0;
    long digits;

    if (!text.text || text.length == 0 || text.text[0] == '-')
        return false;
    read_decimal(text, &decimal);
    digits = decimal.point + 9;
    if (decimal.count == 0 || digits < 0) {
        *ret = 0;
        return true;
    }
    if (digits > 20)
        return false;
    for (long i = 0; i <= digits; i++) {
        uint64_t digit = i < (long)decimal.count ? (uint64_t)(decimal.digits[i] - '0') : 0;

        if (i == digits) {
            digit = digit >= 5;
            if (value > UINT64_MAX - digit)
                return false;
            value += digit;
        } else if (value > (UINT64_MAX - digit) / 10) {
            return false;
        } else {
            value = value * 10 + digit;
        }
    }
    *ret = value;
    return true;
}

/* ---- Of values in a tree ----------------------------------------------------------- */

static struct xr_slice number_text(const struct xr_tree *value)
{
    if (value && value->type == XR_TREE_NUMBER)
        return value->raw;
    return xr_tree_text(value);
}

bool xr_tree_int64(const struct xr_tree *value, int64_t *ret)
{
    return xr_number_int64(number_text(value), ret);
}

bool xr_tree_uint64(const struct xr_tree *value, uint64_t *ret)
{
    return xr_number_uint64(number_text(value), ret);
}

bool xr_tree_double(const struct xr_tree *value, double *ret)
{
    struct xr_slice text = number_text(value);
    static const char *const words[] = { "NaN", "Infinity", "-Infinity" };
    const double meanings[] = { NAN, INFINITY, -INFINITY };

    if (!text.text || text.length == 0)
        return false;
    for (size_t i = 0; i < 3; i++) {
        if (xr_slice_is(text, words[i])) {
            *ret = meanings[i];
            return true;
        }
    }
    for (size_t i = 0; i < text.length; i++)
        if (!memchr("0123456789+-.eE", text.text[i], 15))
            return false;
    *ret = xr_number_double(text);
    return true;
}
