/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of many rules is the first that matches: the same that a plain search
 * finds. Each line is a rule, or behind a ">" a request, as line.h has them.
 */
#include "sampling/match.h"
#include "line.h"
#include "plain.h"

#define LINES_MAX 64

const struct fuzz_large fuzz_large[] = {
    { "many stars", "|", "*a", 1 << 15,
      "*b\n>|aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n" },
    { "a long text", "||*a*a*a*a*a*a*a*a*b\n>||", "a", 1 << 20, "\n" },
    { "a long pattern", "||*", "?", 1 << 20, "\n>||a\n" },
    { "a pattern that is nearly found everywhere", "||*aaaaaaaaaaaaaaaaaaaaaaaaaaaaab*\n>||", "a",
      1 << 20, "\n" },
    { 0 },
};

static bool plain_has(const struct line *request, const xray_sampling_attribute *wanted)
{
    for (size_t i = 0; i < request->attribute_count; i++)
        if (strcmp(request->attributes[i].key, wanted->key) == 0 &&
            plain_matches(wanted->value ? wanted->value : "*", request->attributes[i].value))
            return true;
    return false;
}

static bool plain_rule(const struct line *rule, const struct line *request)
{
    for (int i = 0; i < LINE_FIELDS; i++)
        if (rule->fields[i] && !plain_matches(rule->fields[i], request->fields[i]))
            return false;
    for (size_t i = 0; i < rule->attribute_count; i++)
        if (!plain_has(request, &rule->attributes[i]))
            return false;
    return true;
}

static size_t plain_find(const struct line *rules, size_t count, const struct line *request)
{
    size_t i = 0;

    while (i < count && !plain_rule(&rules[i], request))
        i++;
    return i;
}

static struct xr_matcher *compile(const struct line *rules, size_t count)
{
    struct xr_patterns patterns[LINES_MAX];
    struct xr_matcher *matcher;

    /* There may be no rule, and gcc says so of the array. */
    patterns[0] = (struct xr_patterns){ 0 };
    for (size_t i = 0; i < count; i++)
        patterns[i] = (struct xr_patterns){
            .service = rules[i].fields[0],
            .service_type = rules[i].fields[1],
            .host = rules[i].fields[2],
            .http_method = rules[i].fields[3],
            .url_path = rules[i].fields[4],
            .resource_arn = rules[i].fields[5],
            .attributes = rules[i].attributes,
            .attribute_count = rules[i].attribute_count,
        };
    CHECK(xr_matcher_new(&matcher, patterns, count) == 0);
    return matcher;
}

static void check_request(const struct xr_matcher *matcher, const struct line *rules, size_t count,
                          const struct line *line)
{
    xray_sampling_request request = line_request(line);

    CHECK(xr_matcher_find(matcher, &request) == plain_find(rules, count, line));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };
    struct line rules[LINES_MAX], requests[LINES_MAX], nothing = { 0 };
    size_t rule_count = 0, request_count = 0;
    struct xr_matcher *matcher;

    while (input.size > 0 && rule_count < LINES_MAX && request_count < LINES_MAX) {
        char *text = fuzz_until(&input, '\n');

        if (*text == '>')
            line_read(&requests[request_count++], text + 1);
        else
            line_read(&rules[rule_count++], text);
        free(text);
    }
    matcher = compile(rules, rule_count);
    CHECK(xr_matcher_find(matcher, NULL) == plain_find(rules, rule_count, &nothing));
    for (size_t i = 0; i < request_count; i++) {
        check_request(matcher, rules, rule_count, &requests[i]);
        line_free(&requests[i]);
    }
    xr_matcher_free(matcher);
    for (size_t i = 0; i < rule_count; i++)
        line_free(&rules[i]);
    return 0;
}
