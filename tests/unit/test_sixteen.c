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

Test(sixteen, tell_each_byte_in_each_place)
{
    for (size_t length = 1; length <= 16; length++)
        for (size_t at = 0; at < length; at++)
            for (unsigned c = 0; c < 256; c++) {
                char text[16];
                xr_sixteen piece;

                memset(text, 'x', sizeof(text));
                text[at] = (char)c;
                piece = xr_sixteen_spread(text, length);
                cr_assert_eq(xr_sixteen_is_plain(piece), is_plain((unsigned char)c),
                             "%u at %zu of %zu", c, at, length);
                cr_assert_eq(xr_sixteen_are_word(piece), is_word((unsigned char)c),
                             "%u at %zu of %zu", c, at, length);
                cr_assert_eq(xr_sixteen_are_host(piece), is_host((unsigned char)c),
                             "%u at %zu of %zu", c, at, length);
            }
}

Test(sixteen, copy_so_many_bytes_and_no_more)
{
    for (size_t length = 0; length <= 16; length++) {
        char from[16] = "abcdefghijklmno", to[18];

        from[15] = 'p';
        memset(to, '.', sizeof(to));
        xr_copy_sixteen(to + 1, from, length);
        cr_assert_eq(to[0], '.');
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
