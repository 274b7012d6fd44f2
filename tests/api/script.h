/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A transport that says what it is told to, for samplers that ask X-Ray: it
 * keeps what it was asked, and can be made to hang.
 */
#ifndef TESTS_API_SCRIPT_H
#define TESTS_API_SCRIPT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <xraytrace/xraytrace.h>

#define SCRIPT_QUESTIONS   64
#define SCRIPT_PATIENCE_MS 60000

struct script {
    /* Set before the first exchange, or under the lock. */
    int result; /* of an exchange */
    int status;
    const char *rules; /* replies to the two questions; NULL stays NULL */
    const char *targets;
    bool hangs; /* exchanges wait while it is set */

    pthread_mutex_t lock;
    pthread_cond_t changed;
    int asked;
    int inside; /* exchanges under way */
    struct {
        char url[400];
        char body[1000];
        char method[8];
        char header[64];
        int32_t timeout_ms;
    } questions[SCRIPT_QUESTIONS];
    _Atomic int forks, ends;
    _Atomic int recorded; /* segments that could be begun in an exchange */
};

/* One rule, "all", that samples everything, or with another name or rate. */
#define SCRIPT_RULE(name, rate)                                                        \
    "{\"SamplingRule\":{\"RuleName\":\"" name                                          \
    "\",\"RuleARN\":\"arn:aws:xray:x:1:sampling-rule/" name                            \
    "\",\"ResourceARN\":\"*\",\"Priority\":1,\"FixedRate\":" rate                      \
    ",\"ReservoirSize\":0,\"ServiceName\":\"*\",\"ServiceType\":\"*\",\"Host\":\"*\"," \
    "\"HTTPMethod\":\"*\",\"URLPath\":\"*\",\"Version\":1,\"Attributes\":{}},"         \
    "\"CreatedAt\":1.0,\"ModifiedAt\":1.0}"
#define SCRIPT_RULES(name, rate) \
    "{\"SamplingRuleRecords\":[" SCRIPT_RULE(name, rate) "],\"NextToken\":null}"

static inline void script_set_up(struct script *script)
{
    memset(script, 0, sizeof(*script));
    pthread_mutex_init(&script->lock, NULL);
    pthread_cond_init(&script->changed, NULL);
    script->status = 200;
    script->rules = SCRIPT_RULES("all", "1");
    script->targets = "{\"SamplingTargetDocuments\":[],\"LastRuleModification\":1,"
                      "\"UnprocessedStatistics\":[]}";
}

static inline int script_exchange(void *data, xray_http_exchange *exchange)
{
    struct script *script = data;
    int i, r;

    if (xray_begin_segment("of a transport"))
        atomic_fetch_add(&script->recorded, 1);
    pthread_mutex_lock(&script->lock);
    i = script->asked % SCRIPT_QUESTIONS;
    script->asked++;
    script->inside++;
    snprintf(script->questions[i].url, sizeof(script->questions[i].url), "%s", exchange->url);
    snprintf(script->questions[i].body, sizeof(script->questions[i].body), "%.*s",
             (int)exchange->body_length, exchange->body);
    snprintf(script->questions[i].method, sizeof(script->questions[i].method), "%s",
             exchange->method);
    snprintf(script->questions[i].header, sizeof(script->questions[i].header), "%s%s",
             exchange->headers[0], exchange->headers[1] ? "…" : "");
    script->questions[i].timeout_ms = exchange->timeout_ms;
    pthread_cond_broadcast(&script->changed);
    while (script->hangs)
        pthread_cond_wait(&script->changed, &script->lock);
    exchange->status = script->status;
    exchange->reply = strstr(exchange->url, "/GetSamplingRules") ? script->rules : script->targets;
    exchange->reply_length = exchange->reply ? strlen(exchange->reply) : 0;
    script->inside--;
    r = script->result;
    pthread_cond_broadcast(&script->changed);
    pthread_mutex_unlock(&script->lock);
    return r;
}

/* Its lock may have been another thread's, and what it was doing is not done here. */
static inline void script_after_fork(void *data)
{
    struct script *script = data;

    pthread_mutex_init(&script->lock, NULL);
    pthread_cond_init(&script->changed, NULL);
    script->asked = script->inside = 0;
    script->hangs = false;
    atomic_fetch_add(&script->forks, 1);
}

static inline void script_destroy(void *data)
{
    struct script *script = data;

    atomic_fetch_add(&script->ends, 1);
}

static inline xray_transport script_transport(struct script *script)
{
    return (xray_transport){
        .size = sizeof(xray_transport),
        .data = script,
        .exchange = script_exchange,
        .after_fork = script_after_fork,
        .destroy = script_destroy,
    };
}

static inline void script_hang(struct script *script, bool hangs)
{
    pthread_mutex_lock(&script->lock);
    script->hangs = hangs;
    pthread_cond_broadcast(&script->changed);
    pthread_mutex_unlock(&script->lock);
}

static inline int script_asked(struct script *script)
{
    int asked;

    pthread_mutex_lock(&script->lock);
    asked = script->asked;
    pthread_mutex_unlock(&script->lock);
    return asked;
}

static inline void script_pause(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

/* True once that many questions were asked. */
static inline bool script_wait(struct script *script, int asked)
{
    for (int i = 0; i < SCRIPT_PATIENCE_MS && script_asked(script) < asked; i++)
        script_pause();
    return script_asked(script) >= asked;
}

static inline bool script_wait_for(_Atomic int *count, int wanted)
{
    for (int i = 0; i < SCRIPT_PATIENCE_MS && atomic_load(count) < wanted; i++)
        script_pause();
    return atomic_load(count) == wanted;
}

/* The rule that decided, "" for none, and whether it sampled. */
static inline bool script_decide(const xray_sampler *sampler, char ret_rule[33])
{
    xray_sampling_request request = { .size = sizeof(request), .service = "orders" };
    xray_sampling_decision decision = { 0 };

    sampler->decide(sampler->data, &request, &decision);
    snprintf(ret_rule, 33, "%s", decision.rule);
    return decision.sampled;
}

/* True once that rule decides. */
static inline bool script_wait_for_rule(const xray_sampler *sampler, const char *rule)
{
    char decided[33] = "";

    for (int i = 0; i < SCRIPT_PATIENCE_MS; i++) {
        (void)script_decide(sampler, decided);
        if (strcmp(decided, rule) == 0)
            return true;
        script_pause();
    }
    return false;
}

#endif /* TESTS_API_SCRIPT_H */
