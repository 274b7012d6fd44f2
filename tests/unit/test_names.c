/* SPDX-License-Identifier: Apache-2.0 */
/* Names: each character, each length. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/json.h"
#include "model/name_characters.h"
#include "model/segment.h"

static char written[XR_NAME_BYTES + 1];
static bool changed;

static const char *name_of(const char *name)
{
    size_t length;

    changed = false;
    length = xr_name_write(written, name, &changed);
    cr_assert_eq(written[length], '\0');
    cr_assert_eq(strlen(written), length);
    return written;
}

Test(name, has_exactly_the_ascii_characters_of_the_schema)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  " _.:/%&#=+-@";

    for (int c = 1; c < 128; c++) {
        char text[2] = { (char)c, '\0' };
        bool is = strchr(allowed, c) != NULL;

        cr_expect_str_eq(name_of(text), is ? text : "_");
        cr_expect_eq(changed, !is, "%d", c);
    }
}

Test(name, that_is_empty_stays_so)
{
    cr_expect_str_eq(name_of(""), "");
    cr_expect_not(changed);
}

Test(name, is_cut_after_200_characters_wherever_the_first_wide_one_is)
{
    for (size_t at = 0; at <= 202; at++) {
        char text[512];

        memset(text, 'x', sizeof(text));
        memcpy(text + at, "\xE6\x97\xA5", 3);
        text[205 + 3] = '\0';
        name_of(text);
        cr_assert_eq(strlen(written), at < 200 ? 202 : 200, "%zu", at);
        cr_assert(changed);
    }
}

Test(name, of_exactly_200_wide_characters_is_not_changed)
{
    char text[4 * 200 + 1] = "";

    for (int i = 0; i < 200; i++)
        strcat(text, "\xF0\x90\x8C\xB0");
    cr_expect_str_eq(name_of(text), text);
    cr_expect_not(changed);
}

Test(name, of_200_bad_bytes_and_more_fits)
{
    char text[2001] = "";

    memset(text, 0xFF, 2000);
    cr_expect_eq(strlen(name_of(text)), 200);
    cr_expect_eq(strspn(written, "_"), 200);
}

static bool is_in(const char *character)
{
    return xr_is_name_character(character, strlen(character));
}

Test(name_character, is_a_letter_number_or_separator)
{
    static const char *const in[] = { "é",
                                      "ß",
                                      "日",
                                      "ж",
                                      "٣",
                                      "½",
                                      "Ⅷ",
                                      "\xC2\xA0" /* no-break */,
                                      "\xE3\x80\x80" /* wide blank */,
                                      "가",
                                      "𐌰",
                                      "𝒜",
                                      "あ",
                                      "ª" };

    for (size_t i = 0; i < sizeof(in) / sizeof(*in); i++)
        cr_expect(is_in(in[i]), "%s", in[i]);
}

Test(name_character, is_no_sign_mark_or_control)
{
    static const char *const out[] = { "\xC2\x80",
                                       "\xC2\xAD" /* soft hyphen */,
                                       "€",
                                       "…",
                                       "«",
                                       "×",
                                       "\xCC\x81" /* combining accent */,
                                       "😀",
                                       "→",
                                       "\xE2\x80\xAE" /* right to left */,
                                       "\xEF\xBB\xBF",
                                       "\xEF\xBF\xBD",
                                       "\xEE\x80\x80" /* private */,
                                       "\xF4\x8F\xBF\xBF" };

    for (size_t i = 0; i < sizeof(out) / sizeof(*out); i++)
        cr_expect_not(is_in(out[i]), "%s", out[i]);
}

Test(name_character, is_the_first_and_last_of_a_range_and_not_what_lies_around)
{
    cr_expect(is_in("À") && is_in("Ö") && is_in("Ø") && is_in("ö") && is_in("ø"));
    cr_expect_not(is_in("×"));
    cr_expect_not(is_in("÷"));
    cr_expect_not(is_in("¿"));
}
