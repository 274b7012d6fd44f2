/* SPDX-License-Identifier: Apache-2.0 */
/* Sixteen bytes at a time, against one at a time: with SSE2 where there is, and without. */
#include <criterion/criterion.h>

#ifdef PORTABLE
#define XR_SIXTEEN_PORTABLE
#endif
#include "base/sixteen.h"

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static bool is_word(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool is_host(unsigned char c)
{
    return is_word(c) || (c && strchr("+-./:", c));
}

static bool is_bare_url(unsigned char c)
{
    return c != '?' && c != '#' && c != ';' && c != '@';
}

Test(sixteen, tell_each_byte_in_each_place)
{
    char copy[40];

    for (size_t length = 1; length <= sizeof(copy); length++)
        for (size_t at = 0; at < length; at++)
            for (unsigned c = 0; c < 256; c++) {
                char text[sizeof(copy)];

                memset(text, 'x', sizeof(text));
                text[at] = (char)c;
                cr_assert_eq(xr_sixteen_copy(copy, text, length, xr_sixteen_is_plain),
                             is_plain((unsigned char)c), "%u at %zu of %zu", c, at, length);
                cr_assert_eq(xr_sixteen_copy(copy, text, length, xr_sixteen_are_word),
                             is_word((unsigned char)c), "%u at %zu of %zu", c, at, length);
                cr_assert_eq(xr_sixteen_copy(copy, text, length, xr_sixteen_are_host),
                             is_host((unsigned char)c), "%u at %zu of %zu", c, at, length);
                cr_assert_eq(xr_sixteen_copy(copy, text, length, xr_sixteen_are_bare_url),
                             is_bare_url((unsigned char)c), "%u at %zu of %zu", c, at, length);
            }
}

Test(sixteen, copy_so_many_bytes_and_no_more)
{
    for (size_t length = 0; length <= 60; length++) {
        char from[60], to[62];

        for (size_t i = 0; i < sizeof(from); i++)
            from[i] = (char)('A' + i % 26);
        memset(to, '.', sizeof(to));
        cr_assert(xr_sixteen_copy(to + 1, from, length, xr_sixteen_is_plain));
        cr_assert_eq(to[0], '.');
        if (length > 0)
            cr_assert_arr_eq(to + 1, from, length);
        for (size_t i = length + 1; i < sizeof(to); i++)
            cr_assert_eq(to[i], '.', "%zu after %zu", i, length);
    }
}

Test(sixteen, copy_over_at_most_sixteen_bytes_more)
{
    static char from[400], to[400];

    for (size_t i = 0; i < sizeof(from); i++)
        from[i] = (char)('a' + i % 26);
    for (size_t length = 0; length <= 300; length++) {
        memset(to, '.', sizeof(to));
        cr_assert_eq(xr_copy_over(to, from, length), to + length);
        cr_assert_arr_eq(to, from, length);
        for (size_t i = length + XR_SIXTEEN_OVER; i < sizeof(to); i++)
            cr_assert_eq(to[i], '.', "%zu after %zu", i, length);
    }
}

Test(sixteen, stored_are_what_was_loaded)
{
    char text[17] = "0123456789abcdef", copy[17] = "";

    xr_sixteen_store(copy, xr_sixteen_load(text));
    cr_expect_str_eq(copy, text);
}
