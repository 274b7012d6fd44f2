/* SPDX-License-Identifier: Apache-2.0 */
#include "traffic.h"

#include <math.h>
#include <string.h>

#define ANY "\"ResourceARN\":\"*\",\"ServiceType\":\"*\",\"Version\":1"

/* In the order of their priorities. */
const struct rule rules[RULE_COUNT] = {
    [RULE_HEALTH] = { "health", 0, 0,
                      ANY ",\"Priority\":10,\"ServiceName\":\"*\",\"Host\":\"*\","
                          "\"HTTPMethod\":\"GET\",\"URLPath\":\"/health*\"" },
    [RULE_BETA] = { "beta", 1, 0,
                    ANY
                    ",\"Priority\":20,\"ServiceName\":\"*\",\"Host\":\"*\","
                    "\"HTTPMethod\":\"*\",\"URLPath\":\"*\",\"Attributes\":{\"tier\":\"b?ta\"}" },
    [RULE_PAYMENTS] = { "payments", 0.5, 24,
                        ANY ",\"Priority\":30,\"ServiceName\":\"sh?p\",\"Host\":\"*.example.com\","
                            "\"HTTPMethod\":\"POST\",\"URLPath\":\"/pay/*/card\"" },
    [RULE_CAMPAIGN] = { "campaign", 0.3, 2,
                        ANY ",\"Priority\":40,\"ServiceName\":\"*\",\"Host\":\"*\","
                            "\"HTTPMethod\":\"*\",\"URLPath\":\"/campaign/*\"" },
    [RULE_SEARCH] = { "search", 0.02, 6,
                      ANY ",\"Priority\":50,\"ServiceName\":\"*\",\"Host\":\"search.*\","
                          "\"HTTPMethod\":\"*\",\"URLPath\":\"*\"" },
    [RULE_JOBS] = { "jobs", 0.1, 1,
                    ANY ",\"Priority\":60,\"ServiceName\":\"nightly-*\",\"Host\":\"*\","
                        "\"HTTPMethod\":\"*\",\"URLPath\":\"*\"" },
    [RULE_DEFAULT] = { "Default", 0.05, 1, NULL },
};

static const xray_sampling_attribute beta[] = { { "tier", "Beta" } };

#define REQUEST(name, ...)                                                  \
    {                                                                       \
        .size = sizeof(xray_sampling_request), .service = name, __VA_ARGS__ \
    }
#define HTTP(name, to, method, path) \
    REQUEST(name, .host = to, .http_method = method, .url_path = path)

const struct shape shapes[SHAPE_COUNT] = {
    { 8, RULE_HEALTH, HTTP("shop", "a.example.com", "GET", "/healthz") },
    { 4, RULE_BETA,
      REQUEST("shop", .host = "a.example.com", .http_method = "GET", .url_path = "/cart",
              .attributes = beta, .attribute_count = 1) },
    { 12, RULE_PAYMENTS, HTTP("shop", "www.example.com", "POST", "/pay/4711/card") },
    { 10, RULE_CAMPAIGN, HTTP("shop", "www.example.com", "GET", "/campaign/spring") },
    { 26, RULE_SEARCH, HTTP("search", "search.example.com", "GET", "/q") },
    { 10, RULE_JOBS, REQUEST("nightly-report", .host = NULL) },
    { 5, RULE_DEFAULT, REQUEST("import", .host = NULL) },
    { 25, RULE_DEFAULT, HTTP("shop", "www.example.com", "GET", "/pay/4711/card") },
};

int rule_named(const char *name)
{
    int rule = 0;

    while (rule < RULE_COUNT && name && strcmp(rules[rule].name, name) != 0)
        rule++;
    return name ? rule : RULE_COUNT;
}

uint64_t chance_next(struct chance *chance)
{
    uint64_t z = chance->state += 0x9E3779B97F4A7C15u;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

double chance_fraction(struct chance *chance)
{
    return (double)(chance_next(chance) >> 11) * 0x1p-53;
}

int64_t chance_between(struct chance *chance, int64_t least, int64_t most)
{
    return least + (int64_t)(chance_next(chance) % (uint64_t)(most - least + 1));
}

int64_t chance_wait(struct chance *chance, double per_second)
{
    return (int64_t)(-log(1 - chance_fraction(chance)) / per_second * (double)NS_PER_S) + 1;
}

const struct shape *chance_shape(struct chance *chance)
{
    int at = (int)chance_between(chance, 0, 99);
    const struct shape *shape = shapes;

    while (at >= shape->weight)
        at -= shape++->weight;
    return shape;
}
