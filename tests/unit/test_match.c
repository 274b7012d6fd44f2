/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the first of many rules, compared with trying one after the other. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sampling/glob.h"
#include "sampling/match.h"

#define LENGTH_OF(array) (sizeof(array) / sizeof(*(array)))

static size_t find(const struct xr_patterns *rules, size_t count,
                   const xray_sampling_request *request)
{
    struct xr_matcher *matcher = NULL;
    size_t found;

    cr_assert_eq(xr_matcher_new(&matcher, rules, count), 0);
    found = xr_matcher_find(matcher, request);
    xr_matcher_free(matcher);
    return found;
}

static bool matches(struct xr_patterns rule, xray_sampling_request request)
{
    request.size = sizeof(request);
    return find(&rule, 1, &request) == 0;
}

#define RULE(...)    ((struct xr_patterns){ __VA_ARGS__ })
#define REQUEST(...) ((xray_sampling_request){ __VA_ARGS__ })

Test(match, finds_nothing_among_no_rules)
{
    xray_sampling_request request = { .size = sizeof(request), .host = "h" };

    cr_expect_eq(find(NULL, 0, &request), 0);
}

Test(match, finds_the_first_of_several)
{
    const struct xr_patterns rules[] = { { .host = "a" }, { .host = "b*" }, { .host = "bc" } };
    xray_sampling_request request = { .size = sizeof(request), .host = "bc" };

    cr_expect_eq(find(rules, LENGTH_OF(rules), &request), 1);
}

Test(match, says_the_count_when_no_rule_matches)
{
    const struct xr_patterns rules[] = { { .host = "a" }, { .host = "b" } };
    xray_sampling_request request = { .size = sizeof(request), .host = "c" };

    cr_expect_eq(find(rules, LENGTH_OF(rules), &request), 2);
}

Test(match, looks_at_each_field)
{
    cr_expect(matches(RULE(.service = "s?"), REQUEST(.service = "S1")));
    cr_expect_not(matches(RULE(.service = "s?"), REQUEST(.service = "s")));
    cr_expect(matches(RULE(.service_type = "AWS::EC2::*"),
                      REQUEST(.service_type = "AWS::EC2::Instance")));
    cr_expect_not(matches(RULE(.service_type = "AWS::EC2::*"),
                          REQUEST(.service_type = "AWS::ECS::Container")));
    cr_expect(matches(RULE(.host = "*.com"), REQUEST(.host = "a.com")));
    cr_expect_not(matches(RULE(.host = "*.com"), REQUEST(.host = "a.org")));
    cr_expect(matches(RULE(.http_method = "p*"), REQUEST(.http_method = "POST")));
    cr_expect_not(matches(RULE(.http_method = "p*"), REQUEST(.http_method = "GET")));
    cr_expect(matches(RULE(.url_path = "/a/*"), REQUEST(.url_path = "/a/b")));
    cr_expect_not(matches(RULE(.url_path = "/a/*"), REQUEST(.url_path = "/b/a/")));
    cr_expect(matches(RULE(.resource_arn = "arn:*:7"), REQUEST(.resource_arn = "arn:aws:7")));
    cr_expect_not(matches(RULE(.resource_arn = "arn:*:7"), REQUEST(.resource_arn = "arn:aws:8")));
}

Test(match, wants_all_fields_of_a_rule)
{
    struct xr_patterns rule = { .service = "s", .host = "h", .http_method = "GET" };

    cr_expect(matches(rule, REQUEST(.service = "s", .host = "h", .http_method = "GET")));
    cr_expect_not(matches(rule, REQUEST(.service = "x", .host = "h", .http_method = "GET")));
    cr_expect_not(matches(rule, REQUEST(.service = "s", .host = "x", .http_method = "GET")));
    cr_expect_not(matches(rule, REQUEST(.service = "s", .host = "h", .http_method = "PUT")));
}

Test(match, matches_the_unknown_only_with_a_star)
{
    static const char *const refusing[] = { "", "?", "a", "a*", "*?", "*a*" };
    static const char *const taking[] = { NULL, "*", "***" };

    for (size_t i = 0; i < LENGTH_OF(refusing); i++) {
        const char *pattern = refusing[i];

        cr_expect_not(matches(RULE(.service = pattern), REQUEST(.host = "x")), "%s", pattern);
        cr_expect_not(matches(RULE(.service_type = pattern), REQUEST(.host = "x")), "%s", pattern);
        cr_expect_not(matches(RULE(.host = pattern), REQUEST(.service = "x")), "%s", pattern);
        cr_expect_not(matches(RULE(.http_method = pattern), REQUEST(.host = "x")), "%s", pattern);
        cr_expect_not(matches(RULE(.url_path = pattern), REQUEST(.host = "x")), "%s", pattern);
        cr_expect_not(matches(RULE(.resource_arn = pattern), REQUEST(.host = "x")), "%s", pattern);
    }
    for (size_t i = 0; i < LENGTH_OF(taking); i++) {
        const char *p = taking[i];

        cr_expect(matches(RULE(.service = p, .service_type = p, .host = p, .http_method = p,
                               .url_path = p, .resource_arn = p),
                          REQUEST(.host = NULL)));
    }
}

Test(match, tells_an_empty_text_from_an_unknown_one)
{
    cr_expect(matches(RULE(.host = ""), REQUEST(.host = "")));
    cr_expect(matches(RULE(.http_method = "", .url_path = ""),
                      REQUEST(.http_method = "", .url_path = "")));
    cr_expect_not(matches(RULE(.host = ""), REQUEST(.host = "h")));
    cr_expect_not(matches(RULE(.url_path = "?"), REQUEST(.url_path = "")));
}

Test(match, takes_a_request_that_says_nothing)
{
    const struct xr_patterns rules[] = { { .host = "?*" }, { .host = "*" } };
    xray_sampling_request request = { .size = sizeof(request.size), .host = "ignored" };

    cr_expect_eq(find(rules, LENGTH_OF(rules), NULL), 1);
    cr_expect_eq(find(rules, LENGTH_OF(rules), &request), 1);
}

Test(match, reads_no_member_behind_the_size_of_a_request)
{
    struct xr_patterns rule = { .url_path = "/x" };
    xray_sampling_attribute attribute = { "k", "v" };
    xray_sampling_request request = { .size = offsetof(xray_sampling_request, url_path),
                                      .url_path = "/x",
                                      .attributes = &attribute,
                                      .attribute_count = 1 };

    cr_expect_eq(find(&rule, 1, &request), 1);
    request.size = offsetof(xray_sampling_request, attribute_count);
    cr_expect_eq(find(&rule, 1, &request), 0);
    rule = (struct xr_patterns){ .attributes = &attribute, .attribute_count = 1 };
    cr_expect_eq(find(&rule, 1, &request), 1);
}

/* ---- Attributes -------------------------------------------------------------- */

static const xray_sampling_attribute wanted[] = { { "tier", "go?d*" }, { "region", "*" } };

static bool has_wanted(const xray_sampling_attribute *attributes, size_t count)
{
    return matches(RULE(.attributes = wanted, .attribute_count = LENGTH_OF(wanted)),
                   REQUEST(.attributes = attributes, .attribute_count = count));
}

Test(match, wants_every_attribute_of_a_rule)
{
    const xray_sampling_attribute both[] = { { "other", "x" },
                                             { "region", "" },
                                             { "tier", "GOLD" } };
    const xray_sampling_attribute one[] = { { "tier", "gold" }, { "other", "x" } };
    const xray_sampling_attribute wrong[] = { { "tier", "silver" }, { "region", "eu" } };

    cr_expect(has_wanted(both, LENGTH_OF(both)));
    cr_expect_not(has_wanted(one, LENGTH_OF(one)));
    cr_expect_not(has_wanted(wrong, LENGTH_OF(wrong)));
    cr_expect_not(has_wanted(NULL, 0));
    cr_expect_not(has_wanted(NULL, 3));
}

Test(match, compares_keys_of_attributes_as_they_are)
{
    const xray_sampling_attribute attributes[] = { { "Tier", "gold" }, { "region", "eu" } };

    cr_expect_not(has_wanted(attributes, LENGTH_OF(attributes)));
}

Test(match, takes_any_of_the_values_that_a_key_has)
{
    const xray_sampling_attribute attributes[] = {
        { NULL, "x" }, { "tier", "silver" }, { "tier", "gold" }, { "region", NULL }
    };

    cr_expect(has_wanted(attributes, LENGTH_OF(attributes)));
    cr_expect_not(has_wanted(attributes, 2));
}

Test(match, finds_rules_with_attributes_among_others)
{
    const xray_sampling_attribute a = { "k", "a" }, b = { "k", "b" };
    const struct xr_patterns rules[] = { { .attributes = &a, .attribute_count = 1 },
                                         { .host = "h" },
                                         { .attributes = &b, .attribute_count = 1, .host = "*" },
                                         { .host = "*" } };
    xray_sampling_request request = { .size = sizeof(request),
                                      .attributes = &b,
                                      .attribute_count = 1 };

    cr_expect_eq(find(rules, LENGTH_OF(rules), &request), 2);
    request.host = "h";
    cr_expect_eq(find(rules, LENGTH_OF(rules), &request), 1);
}

Test(match, keeps_copies_of_all_texts)
{
    char pattern[] = "abc*", key[] = "key", value[] = "v*";
    xray_sampling_attribute attribute = { key, value }, given = { "key", "value" };
    struct xr_patterns rule = { .service = pattern,
                                .attributes = &attribute,
                                .attribute_count = 1 };
    xray_sampling_request request = {
        .size = sizeof(request), .service = "abcdef", .attributes = &given, .attribute_count = 1
    };
    struct xr_matcher *matcher = NULL;

    cr_assert_eq(xr_matcher_new(&matcher, &rule, 1), 0);
    memset(pattern, 'x', sizeof(pattern) - 1);
    memset(key, 'x', sizeof(key) - 1);
    memset(value, 'x', sizeof(value) - 1);
    memset(&rule, 0x5a, sizeof(rule));
    cr_expect_eq(xr_matcher_find(matcher, &request), 0);
    xr_matcher_free(matcher);
}

/* ---- Against one rule after the other ---------------------------------------- */

static uint64_t state = 1;

static uint32_t random_below(uint32_t limit)
{
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(state >> 33) % limit;
}

/* NULL now and then; texts that begin alike, since the first bytes are compared apart. */
static const char *random_text(char *room, const char *letters)
{
    uint32_t same = random_below(10), length = same + random_below(4);

    if (random_below(5) == 0)
        return NULL;
    for (uint32_t i = 0; i < length; i++)
        room[i] = i < same ? "/Ab.c/D@[z"[i] : letters[random_below((uint32_t)strlen(letters))];
    room[length] = '\0';
    return room;
}

static bool one_matches(const char *pattern, const char *text)
{
    char storage[32];
    struct xr_glob glob;

    if (!pattern)
        return true;
    xr_glob_init(&glob, storage, pattern, strlen(pattern));
    return xr_glob_match(&glob, text, text ? strlen(text) : 0);
}

#define RULES 8

static size_t find_plainly(const struct xr_patterns *rules, const xray_sampling_request *request)
{
    size_t i = 0;

    while (i < RULES && !(one_matches(rules[i].http_method, request->http_method) &&
                          one_matches(rules[i].host, request->host) &&
                          one_matches(rules[i].url_path, request->url_path) &&
                          one_matches(rules[i].service, request->service)))
        i++;
    return i;
}

Test(match, agrees_with_trying_each_rule)
{
    char rooms[RULES][4][16], texts[4][16];
    int found[RULES + 1] = { 0 };

    for (int round = 0; round < 100000; round++) {
        const char *pattern = "*?aZ/", *text = "aAz/";
        struct xr_patterns rules[RULES];
        xray_sampling_request request = { .size = sizeof(request),
                                          .http_method = random_text(texts[0], text),
                                          .host = random_text(texts[1], text),
                                          .url_path = random_text(texts[2], text),
                                          .service = random_text(texts[3], text) };
        size_t expected;

        for (int i = 0; i < RULES; i++)
            rules[i] = (struct xr_patterns){ .http_method = random_text(rooms[i][0], pattern),
                                             .host = random_text(rooms[i][1], pattern),
                                             .url_path = random_text(rooms[i][2], pattern),
                                             .service = random_text(rooms[i][3], pattern) };
        expected = find_plainly(rules, &request);
        cr_assert_eq(find(rules, RULES, &request), expected, "in round %d", round);
        found[expected]++;
    }
    for (int i = 0; i <= RULES; i++)
        cr_expect_gt(found[i], 10, "%d was found %d times", i, found[i]);
}

/* Each byte value, since case is folded eight bytes at a time. */
Test(match, folds_the_same_letters_in_the_first_bytes_as_behind_them)
{
    for (int byte = 1; byte < 256; byte++)
        for (int other = 1; other < 256; other++) {
            char pattern[] = { (char)byte, '\0' }, text[] = { (char)other, '\0' };

            cr_assert_eq(matches(RULE(.host = pattern), REQUEST(.host = text)),
                         one_matches(pattern, text), "%d and %d", byte, other);
        }
}

/* ---- Large ones -------------------------------------------------------------- */

Test(match, looks_at_the_first_bytes_of_a_very_long_text)
{
    char *text = malloc(3 * XR_MATCH_TEXT_MAX);

    memset(text, 'a', 3 * XR_MATCH_TEXT_MAX);
    text[3 * XR_MATCH_TEXT_MAX - 1] = '\0';
    text[XR_MATCH_TEXT_MAX - 1] = 'b';
    text[2 * XR_MATCH_TEXT_MAX] = 'c';
    cr_expect(matches(RULE(.url_path = "*b"), REQUEST(.url_path = text)));
    cr_expect_not(matches(RULE(.url_path = "*c*"), REQUEST(.url_path = text)));
    free(text);
}

Test(match, finds_the_last_of_ten_thousand_rules)
{
    enum { COUNT = 10000 };
    struct xr_patterns *rules = calloc(COUNT, sizeof(*rules));
    char(*names)[16] = calloc(COUNT, sizeof(*names));
    xray_sampling_request request = { .size = sizeof(request), .host = names[COUNT - 1] };

    for (int i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof(*names), "host-%d", i);
        rules[i].host = names[i];
    }
    cr_expect_eq(find(rules, COUNT, &request), COUNT - 1);
    free(rules);
    free(names);
}

/* ---- Memory ------------------------------------------------------------------ */

static int64_t allocated;

static void *counting_allocate(void *data, size_t bytes)
{
    (void)data;
    allocated += (int64_t)bytes;
    return malloc(bytes);
}

static void counting_release(void *data, void *memory, size_t bytes)
{
    (void)data;
    allocated -= (int64_t)bytes;
    free(memory);
}

static void *no_memory(void *data, size_t bytes)
{
    (void)data;
    (void)bytes;
    return NULL;
}

Test(match, gives_all_memory_back)
{
    struct xr_allocator counting = { NULL, counting_allocate, counting_release };
    struct xr_matcher *matcher = NULL;
    struct xr_patterns rule = { .host = "h", .attributes = wanted, .attribute_count = 2 };

    cr_assert(xr_alloc_set(&counting));
    cr_assert_eq(xr_matcher_new(&matcher, &rule, 1), 0);
    cr_expect_gt(allocated, 0);
    xr_matcher_free(matcher);
    xr_matcher_free(NULL);
    cr_expect_eq(allocated, 0);
}

Test(match, reports_that_there_is_no_memory)
{
    struct xr_allocator none = { NULL, no_memory, counting_release };
    struct xr_matcher *matcher = NULL;

    cr_assert(xr_alloc_set(&none));
    cr_expect_eq(xr_matcher_new(&matcher, NULL, 0), -ENOMEM);
    cr_expect_null(matcher);
}
