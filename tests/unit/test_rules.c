/* SPDX-License-Identifier: Apache-2.0 */
/* The sampling document of the X-Ray SDKs: what it means, and what is said when it is wrong. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/random.h"
#include "sampling/rules.h"

#include "random_zero.h"

#define NS_PER_S INT64_C(1000000000)
#define NOW      (INT64_C(1500000000) * NS_PER_S)

#define LENGTH_OF(array) (sizeof(array) / sizeof(*(array)))

/* Nothing but the given rules samples, so that a decision tells whether one of them matched. */
#define DOCUMENT(rules) \
    "{\"version\":2,\"default\":{\"fixed_target\":0,\"rate\":0},\"rules\":[" rules "]}"
#define RULE(host, method, path, rate)                                           \
    "{\"host\":\"" host "\",\"http_method\":\"" method "\",\"url_path\":\"" path \
    "\",\"fixed_target\":0,\"rate\":" #rate "}"

static const struct xr_rules_source source = { .logger = &xr_log_stderr };

static xray_sampler sampler_new(const char *text)
{
    xray_sampler sampler = { .size = sizeof(sampler) };

    cr_assert_eq(xr_sampler_rules(&sampler, text, &source), 0, "refused: %s", text);
    return sampler;
}

static int decide(const xray_sampler *sampler, const char *host, const char *method,
                  const char *path)
{
    xray_sampling_request request = { .size = sizeof(request),
                                      .host = host,
                                      .http_method = method,
                                      .url_path = path,
                                      .now_ns = NOW };
    xray_sampling_decision decision;

    memset(&decision, 0x5a, sizeof(decision));
    sampler->decide(sampler->data, &request, &decision);
    return decision.sampled;
}

static int decide_once(const char *text, const char *host, const char *method, const char *path)
{
    xray_sampler sampler = sampler_new(text);
    int sampled = decide(&sampler, host, method, path);

    sampler.destroy(sampler.data);
    return sampled;
}

/* ---- Matching ---------------------------------------------------------------- */

Test(rules, apply_when_all_three_patterns_match)
{
    const char *text = DOCUMENT(RULE("*.example.com", "POST", "/orders/*", 1));

    cr_expect_eq(decide_once(text, "shop.example.com", "POST", "/orders/7"), 1);
    cr_expect_eq(decide_once(text, "example.com", "POST", "/orders/7"), 0);
    cr_expect_eq(decide_once(text, "shop.example.com", "GET", "/orders/7"), 0);
    cr_expect_eq(decide_once(text, "shop.example.com", "POST", "/order/7"), 0);
}

Test(rules, ignore_case)
{
    const char *text = DOCUMENT(RULE("Shop.Example.com", "post", "/Orders/?x*", 1));

    cr_expect_eq(decide_once(text, "SHOP.example.COM", "POST", "/ORDERS/9X"), 1);
}

Test(rules, decide_by_the_first_match)
{
    const char *text = DOCUMENT(RULE("*", "*", "/a*", 0) "," RULE("*", "*", "/ab*", 1));

    cr_expect_eq(decide_once(text, "h", "GET", "/abc"), 0);
    text = DOCUMENT(RULE("*", "*", "/ab*", 1) "," RULE("*", "*", "/a*", 0));
    cr_expect_eq(decide_once(text, "h", "GET", "/abc"), 1);
    cr_expect_eq(decide_once(text, "h", "GET", "/acc"), 0);
}

Test(rules, fall_back_to_the_default)
{
    const char *text = "{\"version\":2,\"default\":{\"fixed_target\":0,\"rate\":1},"
                       "\"rules\":[" RULE("a", "*", "*", 0) "]}";

    cr_expect_eq(decide_once(text, "b", "GET", "/"), 1);
    cr_expect_eq(decide_once(text, NULL, NULL, NULL), 1);
    cr_expect_eq(decide_once(text, "a", NULL, NULL), 0);
}

Test(rules, may_be_none)
{
    cr_expect_eq(
        decide_once("{\"version\":2,\"default\":{\"fixed_target\":0,\"rate\":1}}", "h", "GET", "/"),
        1);
    cr_expect_eq(decide_once(DOCUMENT(""), "h", "GET", "/"), 0);
}

Test(rules, match_the_unknown_only_with_a_star)
{
    const char *host = DOCUMENT(RULE("h*", "*", "*", 1)), *all = DOCUMENT(RULE("*", "*", "*", 1));
    const char *path = DOCUMENT(RULE("*", "*", "/*", 1)),
               *method = DOCUMENT(RULE("*", "?*", "*", 1));

    cr_expect_eq(decide_once(all, NULL, NULL, NULL), 1);
    cr_expect_eq(decide_once(host, NULL, "GET", "/"), 0);
    cr_expect_eq(decide_once(method, "h", NULL, "/"), 0);
    cr_expect_eq(decide_once(path, "h", "GET", NULL), 0);
    cr_expect_eq(decide_once(path, NULL, NULL, "/"), 1);
}

Test(rules, tell_texts_apart_that_begin_alike)
{
    const char *text = DOCUMENT(RULE("service-a.local", "GET", "/api/v1/users", 1));

    cr_expect_eq(decide_once(text, "service-a.local", "GET", "/api/v1/users"), 1);
    cr_expect_eq(decide_once(text, "service-b.local", "GET", "/api/v1/users"), 0);
    cr_expect_eq(decide_once(text, "service-a.local", "GET", "/api/v1/orders"), 0);
    cr_expect_eq(decide_once(text, "service-a.local", "GOT", "/api/v1/users"), 0);
    cr_expect_eq(decide_once(text, "service-a.local", "GET", "/api/v1/users/"), 0);
    cr_expect_eq(decide_once(text, "service", "GET", "/api/v1/users"), 0);
    cr_expect_eq(decide_once(text, "service-a.local", "GET", "/"), 0);
    cr_expect_eq(decide_once(text, "service-a.local", "GET", ""), 0);
}

Test(rules, match_short_patterns)
{
    cr_expect_eq(decide_once(DOCUMENT(RULE("h", "G", "/", 1)), "h", "G", "/"), 1);
    cr_expect_eq(decide_once(DOCUMENT(RULE("h", "G", "/", 1)), "hh", "G", "/"), 0);
    cr_expect_eq(decide_once(DOCUMENT(RULE("?", "?", "?", 1)), "h", "G", "/"), 1);
    cr_expect_eq(decide_once(DOCUMENT(RULE("a?c*", "*T", "/?1/*", 1)), "abcd", "GET", "/v1/x"), 1);
}

Test(rules, ignore_unknown_members)
{
    const char *text =
        "{\"version\":2,\"comment\":[1,{}],\"default\":{\"fixed_target\":0,\"rate\":0,"
        "\"description\":\"x\"},\"rules\":[{\"id\":7,\"description\":null,"
        "\"host\":\"*\",\"http_method\":\"*\",\"url_path\":\"*\","
        "\"fixed_target\":0,\"rate\":1}]}";

    cr_expect_eq(decide_once(text, "h", "GET", "/"), 1);
}

Test(rules, take_the_last_of_a_member_that_comes_twice)
{
    const char *text = "{\"version\":1,\"version\":2,\"default\":{\"fixed_target\":0,\"rate\":0,"
                       "\"rate\":1}}";

    cr_expect_eq(decide_once(text, "h", "GET", "/"), 1);
}

/* ---- Quotas ------------------------------------------------------------------ */

static int count(const xray_sampler *sampler, const char *path, int64_t now_ns, int decisions)
{
    xray_sampling_request request = { .size = sizeof(request), .url_path = path, .now_ns = now_ns };
    int sampled = 0;

    for (int i = 0; i < decisions; i++) {
        xray_sampling_decision decision;

        sampler->decide(sampler->data, &request, &decision);
        sampled += decision.sampled;
    }
    return sampled;
}

Test(rules, have_a_quota_each)
{
    xray_sampler sampler = sampler_new(
        "{\"version\":2,\"default\":{\"fixed_target\":1,\"rate\":0},\"rules\":["
        "{\"host\":\"*\",\"http_method\":\"*\",\"url_path\":\"/a\",\"fixed_target\":2,\"rate\":0},"
        "{\"host\":\"*\",\"http_method\":\"*\",\"url_path\":\"/"
        "b\",\"fixed_target\":3.0,\"rate\":0}]}");

    for (int64_t second = 0; second < 3; second++) {
        cr_expect_eq(count(&sampler, "/a", NOW + second * NS_PER_S, 10), 2);
        cr_expect_eq(count(&sampler, "/b", NOW + second * NS_PER_S, 10), 3);
        cr_expect_eq(count(&sampler, "/c", NOW + second * NS_PER_S, 10), 1);
    }
    sampler.destroy(sampler.data);
}

Test(rules, sample_their_rate_of_the_rest)
{
    xray_sampler sampler = sampler_new(DOCUMENT(RULE("*", "*", "*", 0.25)));
    int sampled = count(&sampler, "/", NOW, 100000);

    cr_expect_leq(abs(sampled - 25000), 1370, "%d", sampled); /* ten standard deviations */
    sampler.destroy(sampler.data);
}

Test(rules, never_sample_with_zero_and_zero)
{
    xray_sampler sampler = sampler_new(DOCUMENT(RULE("*", "*", "*", 0)));

    cr_expect_eq(count(&sampler, "/", NOW, 100000), 0);
    sampler.destroy(sampler.data);
}

/* How many of so many are sampled when the generator says zero each time. */
static int count_with_random_zero(const xray_sampler *sampler, int times)
{
    int sampled = 0;

    for (int i = 0; i < times; i++) {
        xr_random_make_zero();
        sampled += count(sampler, "/", NOW, 1);
    }
    return sampled;
}

Test(rules, never_sample_with_rate_zero_when_random_is_zero)
{
    xray_sampler never = sampler_new(DOCUMENT(RULE("*", "*", "*", 0)));
    xray_sampler rarely = sampler_new(DOCUMENT(RULE("*", "*", "*", 1e-15)));

    xr_random_make_zero();
    cr_assert_eq(xr_random_u64(), 0);
    cr_expect_eq(count_with_random_zero(&never, 1000), 0);
    cr_expect_eq(count_with_random_zero(&rarely, 1000), 1000);
    never.destroy(never.data);
    rarely.destroy(rarely.data);
}

Test(rules, take_a_request_that_says_nothing)
{
    xray_sampler sampler = sampler_new(DOCUMENT(RULE("*", "*", "*", 1)));
    xray_sampling_request request = { .size = sizeof(request.size), .host = "ignored" };
    xray_sampling_decision decision;

    sampler.decide(sampler.data, NULL, &decision);
    cr_expect_eq(decision.sampled, 1);
    sampler.decide(sampler.data, &request, &decision);
    cr_expect_eq(decision.sampled, 1);
    sampler.destroy(sampler.data);
}

Test(rules, have_no_names)
{
    xray_sampler sampler = sampler_new(DOCUMENT(RULE("*", "*", "*", 1)));
    xray_sampling_decision decision, expected = { .sampled = 1 };

    memset(&decision, 0x5a, sizeof(decision));
    sampler.decide(sampler.data, NULL, &decision);
    cr_expect_eq(memcmp(&decision, &expected, sizeof(decision)), 0);
    sampler.destroy(sampler.data);
}

/* ---- Refusals ---------------------------------------------------------------- */

/* What is logged while text is refused. */
static const char *reason(const char *text)
{
    static char message[1024];
    xray_sampler sampler = { .size = sizeof(sampler) }, before = sampler;
    FILE *log = tmpfile();
    int saved = dup(STDERR_FILENO), r;
    size_t length;

    cr_assert_not_null(log);
    fflush(stderr);
    dup2(fileno(log), STDERR_FILENO);
    r = xr_sampler_rules(&sampler, text, &source);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);

    rewind(log);
    length = fread(message, 1, sizeof(message) - 1, log);
    message[length] = '\0';
    fclose(log);
    cr_assert_eq(r, -EINVAL, "accepted: %s", text);
    cr_assert_eq(memcmp(&sampler, &before, sizeof(sampler)), 0, "changed by: %s", text);
    return message;
}

static void expect_reason(const char *text, const char *expected)
{
    const char *message = reason(text);

    cr_expect(strstr(message, expected), "%s\nlogged \"%s\", not \"%s\"", text, message, expected);
}

Test(rules, refuse_what_is_no_json_and_say_where)
{
    expect_reason("", "not JSON, at line 1");
    expect_reason("version: 2", "not JSON, at line 1");
    expect_reason("{\n\"version\":2,\n\"default\"}", "not JSON, at line 3");
    expect_reason(DOCUMENT("") " x", "not JSON");
}

Test(rules, refuse_what_is_no_object)
{
    expect_reason("[]", "the document must be an object");
    expect_reason("2", "the document must be an object");
    expect_reason("null", "the document must be an object");
}

Test(rules, refuse_other_versions)
{
    const char *rest = "\"default\":{\"fixed_target\":1,\"rate\":0.05}}";
    static const char *const versions[] = { "", "\"version\":3,", "\"version\":\"2\",",
                                            "\"version\":null,", "\"version\":2.5," };

    for (size_t i = 0; i < LENGTH_OF(versions); i++) {
        char text[128];

        snprintf(text, sizeof(text), "{%s%s", versions[i], rest);
        expect_reason(text, "version must be the number 1 or 2");
    }
}

Test(rules, refuse_a_missing_default)
{
    expect_reason("{\"version\":2,\"rules\":[]}", "default");
    expect_reason("{\"version\":2,\"default\":[]}", "default");
    expect_reason("{\"version\":2,\"default\":null}", "default");
}

Test(rules, refuse_a_default_with_patterns)
{
    static const char *const members[] = { "host", "http_method", "url_path", "service_name" };

    for (size_t i = 0; i < LENGTH_OF(members); i++) {
        char text[128], expected[32];

        snprintf(text, sizeof(text),
                 "{\"version\":2,\"default\":{\"fixed_target\":1,\"rate\":0,\"%s\":\"*\"}}",
                 members[i]);
        snprintf(expected, sizeof(expected), "default.%s", members[i]);
        expect_reason(text, expected);
    }
}

Test(rules, refuse_quotas_out_of_range)
{
    static const char *const targets[] = { "-1", "1.5", "\"1\"", "true", "null", "1e10", "[]" };
    static const char *const rates[] = { "-0.1", "1.1", "\"0.5\"", "false", "null", "1e400", "{}" };
    char text[128];

    for (size_t i = 0; i < LENGTH_OF(targets); i++) {
        snprintf(text, sizeof(text), "{\"version\":2,\"default\":{\"fixed_target\":%s,\"rate\":0}}",
                 targets[i]);
        expect_reason(text, "default.fixed_target must be");
    }
    for (size_t i = 0; i < LENGTH_OF(rates); i++) {
        snprintf(text, sizeof(text), "{\"version\":2,\"default\":{\"fixed_target\":0,\"rate\":%s}}",
                 rates[i]);
        expect_reason(text, "default.rate must be");
    }
}

Test(rules, refuse_missing_quotas)
{
    expect_reason("{\"version\":2,\"default\":{\"rate\":0}}", "default.fixed_target is missing");
    expect_reason("{\"version\":2,\"default\":{\"fixed_target\":0}}", "default.rate is missing");
    expect_reason(DOCUMENT("{\"host\":\"*\",\"http_method\":\"*\",\"url_path\":\"*\",\"rate\":1}"),
                  "rules[0].fixed_target is missing");
}

Test(rules, name_the_rule_and_the_member)
{
    static const char good[] = RULE("*", "*", "*", 1);
    static const char *const bad[][2] = {
        { "{\"http_method\":\"*\",\"url_path\":\"*\",\"fixed_target\":0,\"rate\":1}",
          "rules[2].host is missing" },
        { "{\"host\":\"*\",\"url_path\":\"*\",\"fixed_target\":0,\"rate\":1}",
          "rules[2].http_method is missing" },
        { "{\"host\":\"*\",\"http_method\":\"*\",\"fixed_target\":0,\"rate\":1}",
          "rules[2].url_path is missing" },
        { RULE("", "*", "*", 1), "rules[2].host must be a pattern" },
        { "{\"host\":\"*\",\"http_method\":1,\"url_path\":\"*\",\"fixed_target\":0,\"rate\":1}",
          "rules[2].http_method must be a pattern" },
        { "{\"host\":\"*\",\"http_method\":\"*\",\"url_path\":null,\"fixed_target\":0,\"rate\":1}",
          "rules[2].url_path must be a pattern" },
        { RULE("*", "*", "*", 2), "rules[2].rate must be" },
        { "{\"service_name\":\"*\",\"http_method\":\"*\",\"url_path\":\"*\",\"fixed_target\":0,"
          "\"rate\":1}",
          "rules[2].service_name is of version 1" },
        { "7", "rules[2] must be an object" },
    };

    for (size_t i = 0; i < LENGTH_OF(bad); i++) {
        char text[1024];

        snprintf(text, sizeof(text), DOCUMENT("%s,%s,%s"), good, good, bad[i][0]);
        expect_reason(text, bad[i][1]);
    }
}

Test(rules, refuse_rules_that_are_no_array)
{
    const char *text = "{\"version\":2,\"default\":{\"fixed_target\":1,\"rate\":0},\"rules\":{}}";

    expect_reason(text, "rules must be an array");
}

Test(rules, refuse_too_much_text)
{
    size_t length = 2 * XR_RULES_TEXT_MAX;
    char *text = malloc(length + 1);

    memset(text, ' ', length);
    text[length] = '\0';
    expect_reason(text, "more than");
    free(text);
}

Test(rules, refuse_zero_bytes)
{
    static const char text[] = "{\"version\":2,\n\"default\":{\"fixed_target\":0,\"rate\":0}}\0x";
    struct xr_rules *rules = NULL;

    cr_expect_eq(xr_rules_new(&rules, text, sizeof(text) - 1, &source), -EINVAL);
    cr_expect_eq(xr_rules_new(&rules, text, sizeof(text) - 3, &source), 0);
    xr_rules_free(rules);
}

static char heard[512];

static void hear(void *data, int level, const char *message)
{
    (void)data;
    (void)level;
    strncpy(heard, message, sizeof(heard) - 1);
}

Test(rules, name_their_source_behind_the_reason)
{
    const struct xr_logger logger = { NULL, XR_LOG_WARNING, hear };
    const struct xr_rules_source file = { &logger, "/etc/rules.json", true };
    xray_sampler sampler = { .size = sizeof(sampler) };

    cr_assert_eq(xr_sampler_rules(&sampler, "[]", &file), -EINVAL);
    cr_expect_str_eq(heard, "sampling rules: the document must be an object with version, default "
                            "and rules; the former rules stay; in /etc/rules.json");
}

Test(rules, refuse_deep_nesting_without_a_crash)
{
    size_t length = 500000;
    char *text = malloc(length + 1);

    memset(text, '[', length);
    text[length] = '\0';
    expect_reason(text, "nested more than 32 deep");
    free(text);
}

Test(rules, refuse_nothing_at_all)
{
    xray_sampler sampler = { .size = 0 };

    (void)reason(NULL);
    cr_expect_eq(xr_sampler_rules(&sampler, DOCUMENT(""), &source), -EINVAL);
    cr_expect_eq(xr_sampler_rules(NULL, DOCUMENT(""), &source), -EINVAL);
    sampler.size = offsetof(xray_sampler, destroy);
    cr_expect_eq(xr_sampler_rules(&sampler, DOCUMENT(""), &source), -EINVAL);
}

/* ---- Version 1 --------------------------------------------------------------- */

#define DOCUMENT_1(rules) \
    "{\"version\":1,\"default\":{\"fixed_target\":0,\"rate\":0},\"rules\":[" rules "]}"
#define RULE_1(service_name, method, path, rate)                                                 \
    "{\"service_name\":\"" service_name "\",\"http_method\":\"" method "\",\"url_path\":\"" path \
    "\",\"fixed_target\":0,\"rate\":" #rate "}"

Test(rules, of_version_1_compare_service_name_with_the_host)
{
    const char *text = DOCUMENT_1(RULE_1("*.example.com", "GET", "/a*", 1));

    cr_expect_eq(decide_once(text, "shop.example.com", "GET", "/ab"), 1);
    cr_expect_eq(decide_once(text, "shop.example.org", "GET", "/ab"), 0);
    cr_expect_eq(decide_once(text, "shop.example.com", "PUT", "/ab"), 0);
    cr_expect_eq(decide_once(text, "shop.example.com", "GET", "/b"), 0);
    cr_expect_eq(decide_once(text, NULL, "GET", "/ab"), 0);
}

Test(rules, of_version_1_have_no_host)
{
    expect_reason(DOCUMENT_1(RULE_1("*", "*", "*", 1) "," RULE("*", "*", "*", 1)),
                  "rules[1].host is of version 2: write service_name instead");
    expect_reason(DOCUMENT_1("{\"http_method\":\"*\",\"url_path\":\"*\",\"fixed_target\":0,"
                             "\"rate\":1}"),
                  "rules[0].service_name is missing");
}

/* ---- Memory ------------------------------------------------------------------ */

static int64_t allocated;
static int allocations;

static void *counting_allocate(void *data, size_t bytes)
{
    (void)data;
    allocated += (int64_t)bytes;
    allocations++;
    return malloc(bytes);
}

static void counting_release(void *data, void *memory, size_t bytes)
{
    (void)data;
    allocated -= (int64_t)bytes;
    free(memory);
}

static int left; /* allocations that succeed */

static void *no_more_memory(void *data, size_t bytes)
{
    return left-- > 0 ? counting_allocate(data, bytes) : NULL;
}

Test(rules, allocate_nothing_for_a_decision)
{
    struct xr_allocator counting = { NULL, counting_allocate, counting_release };
    xray_sampler sampler;
    int made;

    cr_assert(xr_alloc_set(&counting));
    sampler = sampler_new(DOCUMENT(RULE("a*", "*", "*", 1) "," RULE("*", "*", "/*", 0.5)));
    made = allocations;
    (void)count(&sampler, "/x", NOW, 1000);
    cr_expect_eq(allocations, made);
    sampler.destroy(sampler.data);
    cr_expect_eq(allocated, 0);
}

Test(rules, report_that_there_is_no_memory)
{
    struct xr_allocator scarce = { NULL, no_more_memory, counting_release };
    xray_sampler sampler = { .size = sizeof(sampler) };
    int failed = 0;

    cr_assert(xr_alloc_set(&scarce));
    for (left = 0; xr_sampler_rules(&sampler, DOCUMENT(""), &source) == -ENOMEM; left = failed) {
        cr_expect_eq(allocated, 0);
        failed++;
    }
    cr_expect_gt(failed, 1);
    sampler.destroy(sampler.data);
    cr_expect_eq(allocated, 0);
}
