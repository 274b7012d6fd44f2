/* SPDX-License-Identifier: Apache-2.0 */
/* Names, annotations, metadata and their values, as they arrive in documents. */
#include "support.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

TestSuite(name, .init = record);
TestSuite(annotation, .init = record);
TestSuite(metadata, .init = record);
TestSuite(value, .init = record);

static xray_segment *open_one(void)
{
    return xray_start_segment(recorder, xray_segment_params(.name = "a"));
}

static void end_and_settle(xray_segment *segment)
{
    xray_end(segment);
    settle();
}

static uint64_t truncated(void)
{
    return stats_of(recorder).truncated;
}

static size_t characters(const char *text)
{
    size_t count = 0;

    for (; *text; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

/* What of text repeated comes out as the name of a segment. */
static const char *name_of(const char *text, int times)
{
    char *name = calloc(strlen(text) + 1, (size_t)times);

    for (int i = 0; i < times; i++)
        strcat(name, text);
    xray_end(xray_start_segment(recorder, xray_segment_params(.name = name)));
    free(name);
    return text_at(document(document_count() - 1), "name");
}

/* ---- Names --------------------------------------------------------------------- */

Test(name, keeps_every_character_that_is_allowed)
{
    const char *all = "abcXYZ 019_.:/%&#=+-@";

    cr_expect_str_eq(name_of(all, 1), all);
    cr_expect_eq(truncated(), 0);
    settle();
}

Test(name, keeps_letters_and_digits_of_any_script)
{
    const char *letters = "Größe 日本 дом ٣";

    cr_expect_str_eq(name_of(letters, 1), letters);
    cr_expect_eq(truncated(), 0);
    settle();
}

Test(name, has_an_underscore_for_each_other_character)
{
    cr_expect_str_eq(name_of("a?b;c*d(e)f!g$h\"i\\j\nk", 1), "a_b_c_d_e_f_g_h_i_j_k");
    cr_expect_eq(truncated(), 1);
    settle();
}

Test(name, has_an_underscore_for_signs_that_are_neither_letter_nor_digit)
{
    cr_expect_str_eq(name_of("a\xF0\x9F\x98\x80z", 1), "a_z", "an emoji");
    cr_expect_str_eq(name_of("a\xE2\x80\xA6z", 1), "a_z", "an ellipsis");
    cr_expect_str_eq(name_of("a\xE2\x80\xAEz", 1), "a_z", "a direction override");
    settle();
}

Test(name, has_underscores_for_bytes_that_are_not_utf8)
{
    cr_expect_str_eq(name_of("a\xFFz\xC3", 1), "a_z_");
    cr_expect_str_eq(name_of("\xED\xA0\x80", 1), "___", "a surrogate");
    settle();
}

Test(name, has_at_most_200_characters)
{
    cr_expect_eq(strlen(name_of("x", 200)), 200);
    cr_expect_eq(truncated(), 0);
    cr_expect_eq(strlen(name_of("x", 201)), 200);
    cr_expect_eq(truncated(), 1);
    settle();
}

Test(name, is_cut_between_characters_and_not_bytes)
{
    static const char *const wide[] = { "\xC3\xA9", "\xE6\x97\xA5", "\xF0\x90\x8C\xB0" };

    for (size_t i = 0; i < 3; i++) {
        const char *name = name_of(wide[i], 300);

        cr_expect_eq(characters(name), 200);
        cr_expect_eq(strlen(name), 200 * strlen(wide[i]));
    }
    settle();
}

Test(name, of_199_bytes_and_a_wide_character_keeps_that)
{
    char name[256] = "";

    memset(name, 'x', 199);
    strcpy(name + 199, "\xF0\x90\x8C\xB0yy");
    cr_expect_eq(characters(name_of(name, 1)), 200);
    cr_expect_str_eq(text_at(document(0), "name") + 199, "\xF0\x90\x8C\xB0");
    settle();
}

Test(name, of_a_megabyte_costs_no_more_than_its_beginning)
{
    cr_expect_eq(strlen(name_of("0123456789abcdef", 65536)), 200);
    settle();
}

Test(name, of_a_subsegment_follows_the_same_rules)
{
    xray_segment *a = open_one();

    xray_end(xray_start_subsegment(a, "select * from t"));
    end_and_settle(a);
    cr_assert(embedded("select _ from t"));
}

/* ---- Annotations --------------------------------------------------------------------- */

Test(annotation, has_its_value)
{
    xray_segment *a = open_one();

    xray_annotate(a, "text", "value");
    xray_annotate(a, "integer", 42);
    xray_annotate(a, "number", 0.25);
    xray_annotate(a, "truth", xray_bool(2 > 1));
    end_and_settle(a);
    cr_expect_str_eq(text_at(document(0), "annotations.text"), "value");
    cr_expect_eq(number_at(document(0), "annotations.integer"), 42);
    cr_expect_eq(number_at(document(0), "annotations.number"), 0.25);
    cr_expect(true_at(document(0), "annotations.truth"));
}

Test(annotation, that_is_set_twice_has_its_last_value)
{
    xray_segment *a = open_one();

    xray_annotate(a, "key", "first");
    xray_annotate(a, "other", 1);
    xray_annotate(a, "key", 2);
    end_and_settle(a);
    cr_expect_eq(number_at(document(0), "annotations.key"), 2);
    cr_expect_eq(number_at(document(0), "annotations.other"), 1);
}

Test(annotation, that_is_set_a_hundred_thousand_times_has_its_last_value)
{
    xray_segment *a = open_one();

    xray_set_user(a, "someone");
    for (int i = 0; i <= 100000; i++)
        xray_annotate(a, "progress", i);
    cr_expect_eq(truncated(), 0);
    end_and_settle(a);
    cr_expect_eq(number_at(document(0), "annotations.progress"), 100000);
    cr_expect_str_eq(text_at(document(0), "user"), "someone");
}

Test(annotation, has_an_underscore_for_each_bad_byte_of_its_key)
{
    xray_segment *a = open_one();

    xray_annotate(a, "a-b.c d\"e", 1);
    xray_annotate(a, "\xC3\xA9", 2);
    cr_expect_eq(truncated(), 2);
    end_and_settle(a);
    cr_expect(member(document(0), "annotations.a_b_c_d_e"));
    cr_expect(member(document(0), "annotations.__"));
}

Test(annotation, of_two_keys_that_become_one_has_the_last_value)
{
    xray_segment *a = open_one();

    xray_annotate(a, "a-b", 1);
    xray_annotate(a, "a_b", 2);
    end_and_settle(a);
    cr_expect_eq(number_at(document(0), "annotations.a_b"), 2);
}

Test(annotation, has_a_key_of_at_most_500_bytes)
{
    char key[1001] = "";
    xray_segment *a = open_one();

    memset(key, 'k', 1000);
    xray_annotate(a, key, 1);
    cr_expect_eq(truncated(), 1);
    end_and_settle(a);
    cr_assert_eq(strlen(member(document(0), "annotations")->child->string), 500);
}

Test(annotation, without_a_key_is_left_out_and_counted)
{
    xray_segment *a = open_one();

    xray_annotate(a, NULL, 1);
    xray_annotate(a, "", 1);
    cr_expect_eq(truncated(), 2);
    end_and_settle(a);
    cr_expect_null(member(document(0), "annotations"));
}

Test(annotation, has_text_of_at_most_1000_characters)
{
    char text[5000] = "";
    xray_segment *a = open_one();

    for (int i = 0; i < 1001; i++)
        strcat(text, "\xC3\xA9");
    xray_annotate(a, "key", text);
    cr_expect_eq(truncated(), 1);
    end_and_settle(a);
    cr_expect_eq(characters(text_at(document(0), "annotations.key")), 1000);
    cr_expect_eq(strlen(text_at(document(0), "annotations.key")), 2000);
}

Test(annotation, that_is_null_json_nan_or_infinite_is_left_out_and_counted)
{
    xray_segment *a = open_one();

    xray_annotate(a, "null", (const char *)NULL);
    xray_annotate(a, "json", xray_json("{}"));
    xray_annotate(a, "nan", (double)NAN);
    xray_annotate(a, "infinity", (double)INFINITY);
    xray_annotate(a, "minus_infinity", -(double)INFINITY);
    xray_annotate(a, "no_type", ((xray_value){ 0, 0, { NULL } }));
    xray_annotate(a, "strange_type", ((xray_value){ 99, 0, { NULL } }));
    cr_expect_eq(truncated(), 7);
    end_and_settle(a);
    cr_expect_null(member(document(0), "annotations"));
}

Test(annotation, with_an_odd_key_is_kept_as_it_is_spelled)
{
    xray_segment *a = open_one();

    xray_annotate(a, "__proto__", 1);
    xray_annotate(a, "constructor", 2);
    end_and_settle(a);
    cr_expect_eq(number_at(document(0), "annotations.__proto__"), 1);
    cr_expect_eq(number_at(document(0), "annotations.constructor"), 2);
}

/* ---- Values ----------------------------------------------------------------------------- */

static const char *written_as(xray_value value)
{
    static char found[2048];
    xray_segment *a = open_one();
    const char *start;

    forget_documents();
    xray_annotate(a, "k", value);
    xray_end(a);
    start = strstr(document_text(0), "\"k\":");
    cr_assert(start, "%s", document_text(0));
    snprintf(found, sizeof(found), "%.*s", (int)strcspn(start + 4, ",}"), start + 4);
    return found;
}

Test(value, that_is_the_smallest_or_the_largest_integer_is_exact)
{
    cr_expect_str_eq(written_as(xray_int(INT64_MIN)), "-9223372036854775808");
    cr_expect_str_eq(written_as(xray_int(INT64_MAX)), "9223372036854775807");
    cr_expect_str_eq(written_as(xray_uint(UINT64_MAX)), "18446744073709551615");
    settle();
}

Test(value, of_an_unsigned_type_keeps_its_size)
{
    unsigned long large = 18000000000000000000UL;
    xray_segment *a = open_one();

    xray_annotate(a, "k", large);
    end_and_settle(a);
    cr_assert(emitted_text("\"k\":18000000000000000000"));
}

Test(value, that_is_a_double_reads_back_the_same)
{
    static const double numbers[] = { 0.1,       1.0 / 3,    1e308,   DBL_MAX,
                                      DBL_MIN,   5e-324,     -2.5,    1e21,
                                      123456.75, 1e-7,       3.14159, 9007199254740993.,
                                      1e15 + .5, DBL_EPSILON };

    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        cr_expect_eq(strtod(written_as(xray_double(numbers[i])), NULL), numbers[i], "%g",
                     numbers[i]);
    settle();
}

Test(value, of_minus_zero_is_a_json_number)
{
    cr_expect_str_eq(written_as(xray_double(-0.0)), "-0");
    settle();
}

Test(value, that_is_text_is_escaped)
{
    xray_segment *a = open_one();

    xray_annotate(a, "k", "\"\\/\b\f\n\r\t\x01\x1F\x7F");
    end_and_settle(a);
    cr_expect_str_eq(text_at(document(0), "annotations.k"), "\"\\/\b\f\n\r\t\x01\x1F\x7F");
}

Test(value, that_is_text_may_hold_a_nul)
{
    xray_segment *a = open_one();

    xray_annotate(a, "k", xray_stringn("a\0b", 3));
    end_and_settle(a);
    cr_expect(emitted_text("\"k\":\"a\\u0000b\""));
}

Test(value, that_is_text_without_a_nul_at_its_end_is_not_read_further)
{
    char *text = malloc(3);
    xray_segment *a = open_one();

    memcpy(text, "abc", 3);
    xray_annotate(a, "k", xray_stringn(text, 3));
    free(text);
    end_and_settle(a);
    cr_expect_str_eq(text_at(document(0), "annotations.k"), "abc");
}

Test(value, that_is_not_utf8_is_repaired_and_counted)
{
    static const struct {
        const char *text, *repaired;
    } cases[] = {
        { "a\xFFz", "a\xEF\xBF\xBDz" },
        { "\xC0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD" },
        { "\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD" },
        { "\xF4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD" },
        { "12345678\xE6\x97", "12345678\xEF\xBF\xBD\xEF\xBF\xBD" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        xray_segment *a = open_one();

        forget_documents();
        xray_annotate(a, "k", cases[i].text);
        xray_end(a);
        cr_expect_str_eq(text_at(document(0), "annotations.k"), cases[i].repaired);
        cr_expect_eq(truncated(), i + 1);
    }
    settle();
}

Test(value, does_not_depend_on_the_locale)
{
    char directory[] = "/tmp/xraytrace-locale-XXXXXX", command[256];
    bool there;

    cr_assert(mkdtemp(directory));
    snprintf(command, sizeof(command),
             "localedef -c -i de_DE -f UTF-8 %s/de_DE.UTF-8 >/dev/null 2>&1", directory);
    there = system(command) == 0;
    setenv("LOCPATH", directory, 1);
    there = there && setlocale(LC_ALL, "de_DE.UTF-8") && *localeconv()->decimal_point == ',';
    snprintf(command, sizeof(command), "rm -r %s", directory);
    cr_assert_eq(system(command), 0);
    if (!there)
        cr_skip_test("no locale with a decimal comma can be made here");
    cr_expect_str_eq(written_as(xray_double(0.5)), "0.5");
    cr_expect_str_eq(written_as(xray_double(1.0 / 3)), "0.3333333333333333");
    cr_expect_str_eq(written_as(xray_double(1e-7)), "1e-07");
    cr_expect(strchr(document_text(0), '.'), "times too");
    settle();
}

/* ---- Metadata ------------------------------------------------------------------------------ */

Test(metadata, is_grouped_by_namespace)
{
    xray_segment *a = open_one();

    xray_add_metadata(a, "one", "x", 1);
    xray_add_metadata(a, NULL, "x", 2);
    xray_add_metadata(a, "one", "y", 3);
    xray_add_metadata(a, "", "y", 4);
    end_and_settle(a);
    cr_expect_eq(number_at(document(0), "metadata.one.x"), 1);
    cr_expect_eq(number_at(document(0), "metadata.one.y"), 3);
    cr_expect_eq(number_at(document(0), "metadata.default.x"), 2);
    cr_expect_eq(number_at(document(0), "metadata.default.y"), 4);
}

Test(metadata, of_namespace_and_key_that_run_together_is_not_mixed_up)
{
    xray_segment *a = open_one();

    xray_add_metadata(a, "ab", "c", 1);
    xray_add_metadata(a, "a", "bc", 2);
    end_and_settle(a);
    cr_expect_eq(number_at(document(0), "metadata.ab.c"), 1);
    cr_expect_eq(number_at(document(0), "metadata.a.bc"), 2);
}

Test(metadata, that_is_set_twice_has_its_last_value)
{
    xray_segment *a = open_one();

    xray_add_metadata(a, NULL, "x", "first");
    xray_add_metadata(a, NULL, "x", "second");
    end_and_settle(a);
    cr_expect_str_eq(text_at(document(0), "metadata.default.x"), "second");
}

Test(metadata, of_aws_namespaces_is_left_out_and_counted)
{
    xray_segment *a = open_one();

    xray_add_metadata(a, "AWS.x", "x", 1);
    cr_expect_eq(truncated(), 1);
    xray_add_metadata(a, "AWSome", "x", 1);
    end_and_settle(a);
    cr_expect_null(cJSON_GetObjectItem(member(document(0), "metadata"), "AWS.x"));
    cr_expect(member(document(0), "metadata.AWSome.x"));
}

Test(metadata, that_is_null_text_is_null)
{
    xray_segment *a = open_one();

    xray_add_metadata(a, NULL, "x", (const char *)NULL);
    end_and_settle(a);
    cr_expect(cJSON_IsNull(member(document(0), "metadata.default.x")));
}

Test(metadata, of_any_script_has_text_of_32_kib)
{
    static char text[32767 + 1];
    xray_segment *a = open_one();

    for (size_t i = 0; i + 3 < sizeof(text); i += 3)
        memcpy(text + i, "\xE2\x82\xAC", 3);
    xray_add_metadata(a, NULL, "x", text);
    cr_expect_eq(truncated(), 0);
    end_and_settle(a);
    cr_expect_str_eq(text_at(document(0), "metadata.default.x"), text);
}

Test(metadata, with_odd_keys_stays_json)
{
    xray_segment *a = open_one();

    xray_add_metadata(a, "quote\"", "back\\slash", 1);
    xray_add_metadata(a, "new\nline", "\x01", 2);
    xray_add_metadata(a, "__proto__", "", 3);
    xray_add_metadata(a, "\xFF", "\xC3", 4);
    end_and_settle(a);
    cr_expect_eq(cJSON_GetArraySize(member(document(0), "metadata")), 4);
}

Test(metadata, with_a_key_of_ten_kilobytes_is_cut_and_counted)
{
    char *key = calloc(1, 10241);
    xray_segment *a = open_one();

    memset(key, 'k', 10240);
    xray_add_metadata(a, NULL, key, 1);
    free(key);
    cr_expect_eq(truncated(), 1);
    end_and_settle(a);
    cr_expect_eq(strlen(member(document(0), "metadata.default")->child->string), 500);
}

Test(metadata, with_a_long_key_is_cut_between_characters)
{
    char key[1024] = "";
    xray_segment *a = open_one();

    memset(key, 'k', 499);
    strcpy(key + 499, "\xE6\x97\xA5\xE6\x97\xA5");
    xray_add_metadata(a, NULL, key, 1);
    end_and_settle(a);
    cr_expect_not(emitted_text("\xEF\xBF\xBD"), "a cut makes no bad characters");
}

Test(metadata, that_is_json_is_minified)
{
    xray_segment *a = open_one();

    xray_add_metadata(a, NULL, "x", xray_json(" { \"a\" : [ 1 , 2.50 , \" b \" ] } "));
    end_and_settle(a);
    cr_expect(emitted_text("\"x\":{\"a\":[1,2.50,\" b \"]}"));
}

Test(metadata, that_is_not_json_is_left_out_and_counted)
{
    static const char *const bad[] = { "",    "{",   "{\"a\":}", "[1,]", "nul", "\"\xFF\"",
                                       "1 2", "'a'", "{a:1}",    "01",   "+1",  "\"\\ud800\"",
                                       "NaN", "[1}", "\"a\nb\"", "// x", ".5",  "1." };
    size_t count = sizeof(bad) / sizeof(*bad);
    xray_segment *a = open_one();

    for (size_t i = 0; i < count; i++)
        xray_add_metadata(a, NULL, "x", xray_json(bad[i]));
    cr_expect_eq(truncated(), count);
    end_and_settle(a);
    cr_expect_null(member(document(0), "metadata"));
}

Test(metadata, that_is_nested_too_deep_is_left_out)
{
    size_t depth = 100000;
    char *deep = calloc(2, depth + 1);
    xray_segment *a = open_one();

    memset(deep, '[', depth);
    memset(deep + depth, ']', depth);
    xray_add_metadata(a, NULL, "x", xray_json(deep));
    free(deep);
    cr_expect_eq(truncated(), 1);
    end_and_settle(a);
}

Test(metadata, nested_a_hundred_deep_is_kept)
{
    char deep[201] = "";
    xray_segment *a = open_one();

    memset(deep, '[', 100);
    memset(deep + 100, ']', 100);
    xray_add_metadata(a, NULL, "x", xray_json(deep));
    cr_expect_eq(truncated(), 0);
    end_and_settle(a);
}

Test(metadata, of_a_long_text_is_cut_and_counted)
{
    char *text = calloc(1, 70001);
    xray_segment *a = open_one();

    memset(text, 'x', 70000);
    xray_add_metadata(a, NULL, "x", text);
    free(text);
    cr_expect_eq(truncated(), 1);
    end_and_settle(a);
    cr_expect_eq(strlen(text_at(document(0), "metadata.default.x")), 32768);
}

Test(metadata, of_a_long_text_is_cut_between_characters)
{
    char *text = calloc(1, 70001);
    xray_segment *a = open_one();

    for (int i = 0; i < 23333; i++)
        memcpy(text + 3 * (size_t)i, "\xE6\x97\xA5", 3);
    xray_add_metadata(a, NULL, "x", text);
    free(text);
    end_and_settle(a);
    cr_expect_not(emitted_text("\xEF\xBF\xBD"));
}

Test(metadata, of_a_long_text_without_any_character_is_survived)
{
    /* At the start of its memory, so that reading before it is found out. */
    char *text = malloc(40000);
    xray_segment *a = open_one();

    memset(text, 0x80, 40000);
    xray_add_metadata(a, NULL, "x", xray_stringn(text, 40000));
    free(text);
    cr_expect_eq(truncated(), 1);
    end_and_settle(a);
}
