/* SPDX-License-Identifier: Apache-2.0 */
/* Hexadecimal and trace ids, which the other suites rely on. */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "wire/ids.h"
#include "wire/trace_header.h"

/* The same numbers in every run. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

Test(hex, writes_the_same_digits_on_every_machine)
{
    uint64_t state = 1;

    for (int i = 0; i < 100000; i++) {
        uint64_t value = next_random(&state);
        char expected[17], fast[16], portable[16];

        snprintf(expected, sizeof(expected), "%016llx", (unsigned long long)value);
        xr_hex64(fast, value);
        xr_hex64_portable(portable, value);
        cr_assert_arr_eq(fast, expected, 16);
        cr_assert_arr_eq(portable, expected, 16);
    }
}

Test(hex, reads_digits_and_nothing_else)
{
    for (int c = 0; c < 256; c++)
        for (size_t at = 0; at < 8; at++) {
            bool lower = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
            bool upper = c >= 'A' && c <= 'F';
            char text[] = "0a9f19ac";
            uint32_t value;

            text[at] = (char)c;
            cr_expect_eq(xr_hex32_read(text, XR_HEX_LOWER_CASE, &value) == 0, lower, "byte %d", c);
            cr_expect_eq(xr_hex32_read(text, XR_HEX_ANY_CASE, &value) == 0, lower || upper,
                         "byte %d", c);
        }
}

Test(hex, reads_sixteen_digits_as_any_machine_does)
{
    for (int c = 0; c < 256; c++)
        for (size_t at = 0; at < 16; at++) {
            bool lower = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
            bool upper = c >= 'A' && c <= 'F';
            char text[] = "0a9f19ac5d37e8b4";
            uint64_t value, portable;

            text[at] = (char)c;
            cr_expect_eq(xr_hex64_read(text, XR_HEX_LOWER_CASE, &value) == 0, lower, "byte %d", c);
            cr_expect_eq(xr_hex64_read(text, XR_HEX_ANY_CASE, &value) == 0, lower || upper,
                         "byte %d", c);
            cr_expect_eq(xr_hex64_read_portable(text, text + 8, XR_HEX_ANY_CASE, &portable) == 0,
                         lower || upper, "byte %d", c);
            if (lower || upper)
                cr_expect(value == portable && value == strtoull(text, NULL, 16), "byte %d", c);
        }
}

Test(trace_id, formats_like_x_ray)
{
    xray_trace_id id;
    char text[XRAY_TRACE_ID_SIZE];

    cr_assert(xr_trace_id_read("1-5759E988-bd862e3fe1be46a994272793", &id));
    cr_assert_eq(xr_trace_id_format(&id, text, sizeof(text)), 35);
    cr_assert_str_eq(text, "1-5759e988-bd862e3fe1be46a994272793");
}

Test(trace_id, formats_nothing_for_zeros)
{
    xray_trace_id id = { { 0 } };
    char text[XRAY_TRACE_ID_SIZE] = "x";

    cr_assert_eq(xr_trace_id_format(&id, text, sizeof(text)), 0);
    cr_assert_str_eq(text, "");
}
