/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sampling documents. What is before the first NUL is one; behind it come
 * requests: host, method and path, each with a NUL. Where the rule that
 * matches says 0 or 1, a plain search for it has to decide the same.
 */
#include "fuzz.h"

#include <cjson/cJSON.h>
#include <errno.h>

#include "plain.h"
#include "sampling/rules.h"

#define NS_PER_S     INT64_C(1000000000)
#define REQUESTS_MAX 16
#define TEXT_MAX     1024 /* of a request: less than what may be cut off */

#define DOCUMENT(rules) \
    "{\"version\":2,\"default\":{\"fixed_target\":1,\"rate\":0.05},\"rules\":[" rules
#define RULE(host, fixed_target, rate)                                                             \
    "{\"host\":\"" host                                                                            \
    "\",\"http_method\":\"*\",\"url_path\":\"*\",\"fixed_target\":" fixed_target ",\"rate\":" rate \
    "}"

const struct fuzz_large fuzz_large[] = {
    { "a key of 1 MiB", "{\"", "k", 1 << 20, "\":1}" },
    { "a pattern of 1 MiB", DOCUMENT("{\"host\":\""), "k", 1 << 20, "\"}]}" },
    { "deep arrays", "", "[", 1 << 19, "" },
    { "deep objects", "", "{\"rules\":", 1 << 16, "" },
    { "a member many times", "{", "\"version\":2,", 1 << 16, "\"version\":2}" },
    { "many rules", DOCUMENT(), RULE("a*b*c", "0", "1") ",", 10000, RULE("*", "0", "0") "]}" },
    { "many stars",
      DOCUMENT("{\"http_method\":\"*\",\"url_path\":\"*\",\"fixed_target\":0,"
               "\"rate\":1,\"host\":\""),
      "*a", 1 << 16, "b\"}]}" },
    { "a rate of many digits", "{\"version\":2,\"default\":{\"fixed_target\":1,\"rate\":0.", "9",
      1 << 19, "}}" },
    { 0 },
};

/* Of a member that comes twice the last one counts. */
static const cJSON *member(const cJSON *object, const char *name)
{
    const cJSON *found = NULL, *item;

    cJSON_ArrayForEach(item, object)
    {
        if (item->string && strcmp(item->string, name) == 0)
            found = item;
    }
    return found;
}

/* 0 or 1, or -1 for what is left to chance and to the reservoir. */
static int expected(const cJSON *document, const xray_sampling_request *request)
{
    const cJSON *rule, *found = member(document, "default");
    const char *host = member(document, "version")->valuedouble == 1 ? "service_name" : "host";
    double rate;

    cJSON_ArrayForEach(rule, member(document, "rules"))
    {
        if (plain_matches(member(rule, host)->valuestring, request->host) &&
            plain_matches(member(rule, "http_method")->valuestring, request->http_method) &&
            plain_matches(member(rule, "url_path")->valuestring, request->url_path)) {
            found = rule;
            break;
        }
    }
    rate = member(found, "rate")->valuedouble;
    if (rate < 1 && (rate > 0 || member(found, "fixed_target")->valuedouble > 0))
        return -1;
    return rate >= 1;
}

static void check_decision(const xray_sampler *sampler, const cJSON *document,
                           const xray_sampling_request *request)
{
    xray_sampling_decision decision = { 0 };
    int wanted = expected(document, request);

    sampler->decide(sampler->data, request, &decision);
    CHECK(decision.sampled == 0 || decision.sampled == 1);
    CHECK(wanted < 0 || decision.sampled == wanted);
    CHECK(memchr(decision.rule, '\0', sizeof(decision.rule)));
}

static void check_decisions(const xray_sampler *sampler, const char *text, struct fuzz_input input)
{
    cJSON *document = cJSON_Parse(text);
    xray_sampling_request request = { .size = sizeof(request), .now_ns = 1500000000 * NS_PER_S };
    xray_sampling_decision decision = { 0 };

    CHECK(document);
    check_decision(sampler, document, &request);
    sampler->decide(sampler->data, NULL, &decision);
    for (int i = 0; i < REQUESTS_MAX && input.size > 0; i++) {
        char *host = fuzz_until(&input, '\0'), *method = fuzz_until(&input, '\0');
        char *path = fuzz_until(&input, '\0');
        char *texts[] = { host, method, path };

        for (int k = 0; k < 3; k++)
            texts[k][strnlen(texts[k], TEXT_MAX)] = '\0';
        /* A decision that used the reservoir up, and one in another second. */
        request.now_ns += i % 3 * NS_PER_S / 2;
        request.host = i % 5 == 4 ? NULL : host;
        request.http_method = i % 7 == 6 ? NULL : method;
        request.url_path = path;
        check_decision(sampler, document, &request);
        free(host);
        free(method);
        free(path);
    }
    cJSON_Delete(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct xr_rules_source source = { .logger = &xr_log_stderr };
    struct fuzz_input input = { data, size };
    xray_sampler sampler = { .size = sizeof(sampler) };
    char *text = fuzz_until(&input, '\0');
    int r;

    fuzz_quiet();
    r = xr_sampler_rules(&sampler, text, &source);
    CHECK(r == 0 || r == -EINVAL);
    if (r == 0) {
        check_decisions(&sampler, text, input);
        sampler.destroy(sampler.data);
    }
    free(text);
    return 0;
}
