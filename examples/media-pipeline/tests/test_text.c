/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "aws/xml.h"
#include "runtime/clock.h"
#include "runtime/text.h"

Test(text, grows_with_what_is_added)
{
    struct text text = { 0 };
    for (int i = 0; i < 1000; i++)
        text_addf(&text, "%03d", i);
    cr_expect_eq(text.length, 3000);
    cr_expect(memcmp(text.data + 2997, "999", 4) == 0);
    text_release(&text);
}

Test(text, encodes_everything_but_unreserved_characters)
{
    struct text text = { 0 };
    text_add_encoded(&text, "a-Z_0.9~ /+%\xc3\xa4", false);
    cr_assert_str_eq(text.data, "a-Z_0.9~%20%2F%2B%25%C3%A4");
    text_release(&text);
}

Test(text, keeps_slashes_of_a_path)
{
    struct text text = { 0 };
    text_add_encoded(&text, "a/b c", true);
    cr_assert_str_eq(text.data, "a/b%20c");
    text_release(&text);
}

Test(text, separates_the_fields_of_a_form)
{
    struct text text = { 0 };
    text_add_form(&text, "a", "1&2");
    text_add_form(&text, "b", "=");
    cr_assert_str_eq(text.data, "a=1%262&b=%3D");
    text_release(&text);
}

Test(text, replaces_bytes_that_are_no_utf8)
{
    char text[] = "a\xff\xc0\x80z\xed\xa0\x80.";
    text_clean_utf8(text);
    cr_assert_str_eq(text, "a???z???.");
}

Test(text, leaves_valid_utf8_alone)
{
    char text[] = "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x8e\xac";
    char copy[sizeof(text)];
    memcpy(copy, text, sizeof(text));
    text_clean_utf8(text);
    cr_assert_str_eq(text, copy);
}

Test(text, drops_a_character_that_was_cut_off)
{
    char text[] = "film \xf0\x9f\x8e";
    text_clean_utf8(text);
    cr_assert_str_eq(text, "film ");
}

Test(text, cuts_between_characters)
{
    cr_expect_eq(text_cut_length("a\xe2\x82\xac", 3), 1);
    cr_expect_eq(text_cut_length("a\xe2\x82\xac", 4), 4);
    cr_expect_eq(text_cut_length("abc", 10), 3);
}

Test(text, escapes_json_to_ascii)
{
    struct text text = { 0 };
    text_add_ascii_json(&text, "\"\xc3\xa4\xf0\x9f\x8e\xac\"");
    cr_assert_str_eq(text.data, "\"\\u00e4\\ud83c\\udfac\"");
    text_release(&text);
}

Test(text, hashes_as_sha256sum_does)
{
    char hash[TEXT_HASH_SIZE];
    cr_assert(text_hash("abc", 3, hash));
    cr_assert_str_eq(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

Test(text, formats_a_time_as_iso_8601)
{
    char text[CLOCK_ISO_SIZE];
    clock_format_iso(1763626530123, text);
    cr_assert_str_eq(text, "2025-11-20T08:15:30.123Z");
}

/* ---- XML --------------------------------------------------------------------------- */

static bool is_element(const char *xml, const char *name, const char *expected)
{
    char *value = xml_element(xml, name);
    bool is_equal = expected ? value && strcmp(value, expected) == 0 : !value;
    free(value);
    return is_equal;
}

Test(xml, finds_an_element_at_any_depth)
{
    cr_assert(
        is_element("<?xml version=\"1.0\"?><R xmlns=\"x\"><A><UploadId>u/1</UploadId></A></R>",
                   "UploadId", "u/1"));
}

Test(xml, decodes_references)
{
    cr_assert(is_element("<A>&lt;&amp;&#34;&#x41;&quot;&unknown;</A>", "A", "<&\"A\"&unknown;"));
}

Test(xml, does_not_take_a_longer_name)
{
    cr_assert(is_element("<Tokens>x</Tokens><Token>y</Token>", "Token", "y"));
}

Test(xml, survives_what_is_no_xml)
{
    static const char *const texts[] = { "", "<", "<A", "<A>", "<A>x", "</A>", "plain", "<A/>" };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        cr_expect(is_element(texts[i], "A", NULL), "%s", texts[i]);
}

Test(xml, finds_the_value_of_a_key)
{
    static const char xml[] = "<Attributes><entry><key>Token</key><value>t</value></entry>"
                              "<entry><key>Enabled</key><value>false</value></entry></Attributes>";
    char *value = xml_entry(xml, "Enabled");
    cr_assert(value && strcmp(value, "false") == 0);
    free(value);
    cr_assert_null(xml_entry(xml, "Missing"));
}
