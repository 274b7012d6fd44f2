/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that decide while rules arrive, change, and go away with their sampler. */
#include "stress.h"

#include "../api/script.h"

#define THREADS   8
#define ROUNDS    30
#define DECISIONS 2000

static struct script script;
static xray_sampler sampler;
static atomic_int asked_rules, wrong, stop;
static atomic_ulong by_rule, by_fallback;

static void decide_by_no_rule(void *data, const xray_sampling_request *request,
                              xray_sampling_decision *ret)
{
    (void)data;
    (void)request;
    ret->sampled = 0;
}

static const xray_sampler fallback = { .size = sizeof(fallback), .decide = decide_by_no_rule };

/* Other rules each time; and each report is answered with word of a change. */
static int exchange(void *data, xray_http_exchange *one)
{
    static const char *const rules[] = {
        SCRIPT_RULES("first", "1"),
        "{\"SamplingRuleRecords\":[" SCRIPT_RULE("second", "1") "," SCRIPT_RULE("third", "1") "]}",
        SCRIPT_RULES("third", "1"),
    };
    static _Thread_local char targets[200];

    (void)data;
    one->status = 200;
    if (strstr(one->url, "/GetSamplingRules")) {
        one->reply = rules[atomic_fetch_add(&asked_rules, 1) % 3];
    } else {
        snprintf(targets, sizeof(targets),
                 "{\"SamplingTargetDocuments\":[],\"LastRuleModification\":%lld}",
                 (long long)time(NULL) + 1);
        one->reply = targets;
    }
    one->reply_length = strlen(one->reply);
    return 0;
}

static void make(int (*by)(void *, xray_http_exchange *))
{
    xray_transport transport = script_transport(&script);

    script_set_up(&script);
    transport.exchange = by;
    sampler.size = sizeof(sampler);
    if (xray_sampler_central(&sampler, "127.0.0.1:2000", &transport, &fallback) < 0)
        exit(99);
}

static void decide_once(void)
{
    char rule[33];
    bool sampled = script_decide(&sampler, rule);

    /* What names a rule is whole, and decided as the rule says. */
    if (sampled ? strcmp(rule, "first") != 0 && strcmp(rule, "second") != 0 &&
                      strcmp(rule, "third") != 0
                : rule[0])
        atomic_fetch_add(&wrong, 1);
    atomic_fetch_add(sampled ? &by_rule : &by_fallback, 1);
}

static void *decide_some(void *unused)
{
    for (int i = 0; i < DECISIONS; i++)
        decide_once();
    return unused;
}

static void *decide_until_told(void *unused)
{
    while (!atomic_load(&stop)) {
        xray_sampling_outcome outcome = { .size = sizeof(outcome), .rule = "first" };

        for (int i = 0; i < 100; i++)
            decide_once();
        sampler.report(sampler.data, &outcome);
        script_pause();
    }
    return unused;
}

/* The first decision starts a thread: eight that decide at once start one. */
static void decide_while_rules_arrive(void)
{
    int ended = 0;

    for (int round = 0; round < ROUNDS; round++) {
        make(exchange);
        run_threads(THREADS, decide_some);
        sampler.destroy(sampler.data);
        ended += script.ends;
    }
    expect(ended == ROUNDS, "samplers that many threads have used end");
}

/* Ten seconds until the first report, which is answered with a change. */
static void decide_while_rules_change(void)
{
    pthread_t threads[THREADS];

    atomic_store(&asked_rules, 0);
    make(exchange);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, decide_until_told, NULL) != 0)
            exit(99);
    expect(script_wait_for(&asked_rules, 2), "rules are fetched again when they have changed");
    for (int i = 0; i < 200; i++)
        script_pause();
    atomic_store(&stop, 1);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    sampler.destroy(sampler.data);
}

/* One ends its sampler while the thread hangs, and the next one begins. */
static void leave_hanging_threads(void)
{
    static struct script scripts[ROUNDS];
    char rule[33];

    for (int i = 0; i < ROUNDS; i++) {
        xray_transport transport = script_transport(&scripts[i]);

        script_set_up(&scripts[i]);
        scripts[i].hangs = true;
        if (xray_sampler_central(&sampler, "127.0.0.1:2000", &transport, &fallback) < 0)
            exit(99);
        (void)script_decide(&sampler, rule);
        if (i % 2)
            (void)script_wait(&scripts[i], 1);
        /* It may come back at the very moment when nobody waits for it any more. */
        if (i % 3)
            script_hang(&scripts[i], false);
        sampler.destroy(sampler.data);
    }
    for (int i = 0; i < ROUNDS; i++) {
        script_hang(&scripts[i], false);
        if (!script_wait_for(&scripts[i].ends, 1))
            atomic_fetch_add(&wrong, 1);
    }
}

int main(void)
{
    decide_while_rules_arrive();
    expect(by_fallback > 0, "the fallback decides before there are rules");
    decide_while_rules_change();
    expect(by_rule > 0, "rules decide");
    leave_hanging_threads();
    expect(wrong == 0, "each decision is whole, and each thread ends");
    return report();
}
