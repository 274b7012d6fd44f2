/* SPDX-License-Identifier: Apache-2.0 */
/* No request is lost or counted twice: whatever happens, in whatever order, and to a child. */
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/random.h"
#include "central.h"
#include "sampling/central_state.h"

#define DUE (NOW + 11 * NS_PER_S)

#define NAMES        6
#define STEPS        3000
#define OTHER_CLIENT "fedcba987654321001234567"

/* What the test knows to be true. */
struct tally {
    double requests, sampled; /* decided; of a rule that went, none */
    double told_requests, told_sampled;
};

/* ---- Any order --------------------------------------------------------------- */

static unsigned below(unsigned most)
{
    return (unsigned)(xr_random_u64() % most);
}

static void add_report(const struct xr_central_call *call, struct tally *tally, const bool *told)
{
    for (int i = 0; i < NAMES; i++) {
        const char name[] = { (char)('a' + i), '\0' };
        struct report report = report_of(call, name);

        cr_assert_leq(report.documents, 1);
        cr_assert_leq(report.sampled + report.borrowed, report.requests);
        if (told[i]) {
            tally[i].told_requests += report.requests;
            tally[i].told_sampled += report.sampled + report.borrowed;
        }
    }
}

/* A random choice of the rules, in a random order; what one that is not in it had is forgotten. */
static void give_some_rules(struct xr_central *central, struct tally *tally, int64_t now_ns)
{
    char text[NAMES * 256], *p = text;
    unsigned pages = below(3);
    bool there[NAMES];

    for (int i = 0; i < NAMES; i++)
        there[i] = below(8) > 0;
    for (unsigned page = 0; page <= pages; page++) {
        bool first = true;

        p = text + sprintf(text, "{\"SamplingRuleRecords\":[");
        for (int i = NAMES - 1; i >= 0; i--) {
            if (!there[i] || (unsigned)i % (pages + 1) != page)
                continue;
            p += sprintf(p,
                         "%s{\"SamplingRule\":{\"RuleName\":\"%c\",\"Version\":1,\"Priority\":%u,"
                         "\"FixedRate\":0.5,\"ReservoirSize\":%u,\"URLPath\":\"/%c\"}}",
                         first ? "" : ",", 'a' + i, 1 + below(9), below(3), 'a' + i);
            first = false;
        }
        sprintf(p, "]%s}", page < pages ? ",\"NextToken\":\"t\"" : "");
        asked(central, "/GetSamplingRules", now_ns);
        reply(central, 200, text, now_ns);
    }
    for (int i = 0; i < NAMES; i++)
        if (!there[i]) {
            tally[i].requests = tally[i].told_requests;
            tally[i].sampled = tally[i].told_sampled;
        }
}

static void answer_targets(struct xr_central *central, const struct xr_central_call *call,
                           struct tally *tally, int64_t now_ns)
{
    static const char *const bad[] = { "", "<html>", "{}", "{\"SamplingTargetDocuments\":[" };
    bool told[NAMES];
    char text[1024], *p = text;
    unsigned refused = below(2 * NAMES);

    for (unsigned i = 0; i < NAMES; i++)
        told[i] = i != refused;
    switch (below(4)) {
    case 0:
        reply(central, 400 + (int)below(200), TARGETS(""), now_ns);
        return;
    case 1:
        reply(central, 200, bad[below(LENGTH_OF(bad))], now_ns);
        return;
    default:
        add_report(call, tally, told);
    }
    p += sprintf(p, "{\"SamplingTargetDocuments\":[");
    for (int i = 0; i < NAMES; i++)
        p += sprintf(p,
                     "%s{\"RuleName\":\"%c\",\"FixedRate\":0.%u,\"ReservoirQuota\":%u,"
                     "\"ReservoirQuotaTTL\":%lld,\"Interval\":%u}",
                     i > 0 ? "," : "", 'a' + i, below(10), below(4),
                     (long long)(now_ns / NS_PER_S) + below(30), 5 + below(20));
    p += sprintf(p, "],\"UnprocessedStatistics\":[");
    if (refused < NAMES)
        p += sprintf(p, "{\"RuleName\":\"%c\",\"ErrorCode\":\"500\"}", 'a' + (int)refused);
    sprintf(p, "],\"LastRuleModification\":%lld}",
            (long long)(now_ns / NS_PER_S) - (below(10) == 0 ? 0 : 400));
    reply(central, 200, text, now_ns);
}

static void decide_some(struct xr_central *central, struct tally *tally, int64_t now_ns)
{
    for (unsigned n = below(20); n > 0; n--) {
        unsigned i = below(NAMES);
        const char path[] = { '/', (char)('a' + i), '\0' };
        xray_sampling_request request = { .size = sizeof(request), .url_path = path };
        xray_sampling_decision decided;

        if (!xr_central_decide(central, &request, now_ns, &decided))
            continue;
        cr_assert_eq(decided.rule[0], 'a' + (int)i);
        tally[i].requests++;
        tally[i].sampled += decided.sampled;
    }
}

static void step(struct xr_central *central, struct tally *tally, int64_t *now_ns)
{
    struct xr_central_call call = next(central, *now_ns);

    decide_some(central, tally, *now_ns);
    if (!call.path) {
        cr_assert_gt(call.wait_until_ns, *now_ns);
        *now_ns = below(3) == 0 ? *now_ns + below(1000) * NS_PER_S / 100 : call.wait_until_ns;
        if (below(100) == 0)
            *now_ns += ((int64_t)below(7200) - 3600) * NS_PER_S;
    } else if (strcmp(call.path, "/SamplingTargets") == 0) {
        answer_targets(central, &call, tally, *now_ns);
    } else if (below(4) == 0) {
        reply(central, 429, "", *now_ns);
    } else {
        give_some_rules(central, tally, *now_ns);
    }
}

/* What was decided is what was told, and what will be. */
static void settle(struct xr_central *central, struct tally *tally, int64_t now_ns)
{
    const bool told[NAMES] = { true, true, true, true, true, true };
    bool done = false;

    while (!done) {
        struct xr_central_call call = wait_for_call(central, &now_ns);

        if (strcmp(call.path, "/SamplingTargets") == 0) {
            add_report(&call, tally, told);
            reply(central, 200, TARGETS(""), now_ns);
        } else {
            done = true; /* five minutes without one */
        }
    }
}

Test(central_counts, add_up_whatever_happens)
{
    for (int round = 0; round < 20; round++) {
        struct xr_central *central = central_new(NULL);
        struct tally tally[NAMES] = { 0 };
        int64_t now = NOW;
        double requests = 0;

        for (int i = 0; i < STEPS; i++)
            step(central, tally, &now);
        while (!next(central, now).path || strcmp(next(central, now).path, "/GetSamplingRules"))
            step(central, tally, &now);
        give_some_rules(central, tally, now);
        settle(central, tally, now);
        for (int i = 0; i < NAMES; i++) {
            cr_expect_eq(tally[i].told_requests, tally[i].requests, "%c: %f of %f", 'a' + i,
                         tally[i].told_requests, tally[i].requests);
            cr_expect_eq(tally[i].told_sampled, tally[i].sampled);
            requests += tally[i].requests;
        }
        cr_expect_gt(requests, 1000);
        xr_central_free(central);
    }
}

/* ---- Any thread -------------------------------------------------------------- */

#define THREADS 4
#define ROUNDS  300

struct decider {
    pthread_t thread;
    struct xr_central *central;
    atomic_bool *stop;
    atomic_int *begun;
    double requests, sampled;
};

static void *decide_on(void *data)
{
    struct decider *decider = data;

    while (!atomic_load(decider->stop)) {
        xray_sampling_decision decided;

        if (!xr_central_decide(decider->central, NULL, NOW, &decided))
            continue;
        decider->requests++;
        decider->sampled += decided.sampled;
        if (decider->requests < 2)
            atomic_fetch_add(decider->begun, 1);
    }
    return NULL;
}

static void begin(struct decider *deciders, struct xr_central *central, atomic_bool *stop)
{
    atomic_int begun = 0;

    for (int i = 0; i < THREADS; i++) {
        deciders[i] = (struct decider){ .central = central, .stop = stop, .begun = &begun };
        cr_assert_eq(pthread_create(&deciders[i].thread, NULL, decide_on, &deciders[i]), 0);
    }
    while (atomic_load(&begun) < THREADS)
        sched_yield();
}

/* Reports, and then rules, since the reply says that they have changed. */
static void poll_once(struct xr_central *central, const char *rules, struct tally *tally,
                      int64_t now_ns)
{
    struct xr_central_call call = next(central, now_ns);
    char text[128];

    if (call.path && strcmp(call.path, "/SamplingTargets") == 0) {
        struct report report = report_of(&call, "Default");

        tally->told_requests += report.requests;
        tally->told_sampled += report.sampled + report.borrowed;
        snprintf(text, sizeof(text),
                 "{\"SamplingTargetDocuments\":[],\"LastRuleModification\":%lld}",
                 (long long)(now_ns / NS_PER_S));
        reply(central, 200, text, now_ns);
        call = next(central, now_ns);
    }
    if (call.path)
        reply(central, 200, rules, now_ns);
}

Test(central_counts, add_up_while_the_rules_are_replaced)
{
    static const char *const rules[] = {
        PAGE(RULE("other", 1, 0.5, 1, PATH("/other")) "," DEFAULT(0.5, 1)),
        PAGE(DEFAULT(0.5, 1)),
        PAGE(DEFAULT(0.7, 3) "," RULE("another", 2, 0.5, 1, PATH("/other"))),
    };
    struct xr_central *central = central_with(rules[0]);
    struct decider deciders[THREADS];
    struct tally tally = { 0 };
    atomic_bool stop = false;
    int64_t now = NOW;

    begin(deciders, central, &stop);
    for (int i = 0; i < ROUNDS; i++)
        poll_once(central, rules[i % 3], &tally, now += 11 * NS_PER_S);
    atomic_store(&stop, true);
    for (int i = 0; i < THREADS; i++) {
        cr_assert_eq(pthread_join(deciders[i].thread, NULL), 0);
        tally.requests += deciders[i].requests;
        tally.sampled += deciders[i].sampled;
    }
    for (int i = 0; i < 3; i++)
        poll_once(central, rules[0], &tally, now += 11 * NS_PER_S);
    cr_expect_eq(tally.told_requests, tally.requests, "%f of %f", tally.told_requests,
                 tally.requests);
    cr_expect_eq(tally.told_sampled, tally.sampled);
    cr_expect_gt(tally.requests, 0);
    xr_central_free(central);
}

/* ---- A forked child ---------------------------------------------------------- */

/* A rule with a quota, a rate from its target, and requests that are not reported. */
static struct xr_central *central_before_fork(void)
{
    struct xr_central *central = central_with(
        PAGE(RULE("a", 1, 0.5, 9, PATH("*") ",\"SamplingRateBoost\":{}")));
    xray_sampling_outcome outcome = {
        .size = sizeof(outcome), .rule = "a", .anomaly = 1, .now_ns = NOW
    };

    decision(central, "/", NOW);
    asked(central, "/SamplingTargets", DUE);
    reply(central, 200, TARGETS(TARGET("a", 0, QUOTA(5, 1500009999))), DUE);
    sampled(central, "/", DUE, 7);
    xr_central_report(central, &outcome);
    return central;
}

Test(central_fork, leaves_the_rules_and_their_rates)
{
    struct xr_central *central = central_before_fork();

    xr_central_after_fork(central, OTHER_CLIENT);
    cr_expect_eq(sampled(central, "/", DUE + NS_PER_S, 100), 1, "it borrows, and the rate is 0");
    cr_expect_null(next(central, DUE + NS_PER_S).path);
    xr_central_free(central);
}

Test(central_fork, leaves_all_counts_to_the_parent)
{
    struct xr_central *central = central_before_fork();

    xr_central_after_fork(central, OTHER_CLIENT);
    cr_expect_null(next(central, DUE + 20 * NS_PER_S).path);
    xr_central_free(central);
}

Test(central_fork, makes_another_client)
{
    struct xr_central *central = central_before_fork();
    struct xr_central_call call;
    char text[1024];

    xr_central_after_fork(central, OTHER_CLIENT);
    decision(central, "/", DUE);
    cr_expect_null(next(central, DUE).path);
    call = asked(central, "/SamplingTargets", DUE + 20 * NS_PER_S);
    snprintf(text, sizeof(text), "%.*s", (int)call.body_length, call.body);
    cr_expect(strstr(text, OTHER_CLIENT), "%s", text);
    cr_expect_not(strstr(text, CLIENT));
    cr_expect_eq(report_of(&call, "a").requests, 1);
    xr_central_free(central);
}

Test(central_fork, reports_an_interval_after_it_began)
{
    struct xr_central *central = central_before_fork();
    int64_t began = DUE + 30 * NS_PER_S, now = began;

    xr_central_after_fork(central, OTHER_CLIENT);
    decision(central, "/", began);
    cr_expect_str_eq(wait_for_call(central, &now).path, "/SamplingTargets");
    cr_expect_geq(now, began + 10 * NS_PER_S);
    cr_expect_leq(now, began + 10 * NS_PER_S + NS_PER_S / 10);
    xr_central_free(central);
}

Test(central_fork, forgets_the_call_of_the_parent)
{
    struct xr_central *central = central_new(NULL);

    asked(central, "/GetSamplingRules", NOW);
    xr_central_after_fork(central, OTHER_CLIENT);
    reply(central, 200, PAGE(DEFAULT(1, 0)), NOW);
    cr_expect_not(decides(central, NOW));
    give_rules(central, PAGE(DEFAULT(1, 0)), NOW);
    cr_expect(decides(central, NOW));
    xr_central_free(central);
}

Test(central_fork, forgets_the_pages_of_the_parent)
{
    struct xr_central *central = central_new(NULL);

    give_rules(central, PAGE_BEFORE(RULE("a", 1, 1, 0, PATH("*")), "t"), NOW);
    xr_central_after_fork(central, OTHER_CLIENT);
    cr_expect_eq(asked(central, "/GetSamplingRules", NOW).body_length, 2);
    xr_central_free(central);
}

/* What the poller was writing may be half written. */
Test(central_fork, touches_nothing_that_the_poller_was_at_work_on)
{
    struct xr_central *central = central_before_fork();

    central->polling = true;
    central->poll.body = (char *)1;
    central->poll.body_bytes = 7;
    central->poll.drafts =
        (struct xr_drafts){ .list = (struct xr_draft **)1, .count = 3, .token = (char *)1 };
    xr_central_after_fork(central, OTHER_CLIENT);
    decision(central, "/", DUE);
    cr_expect_null(next(central, DUE).path);
    asked(central, "/SamplingTargets", DUE + 20 * NS_PER_S);
    xr_central_free(central);
}

Test(central_fork, asks_for_rules_when_the_parent_would_have)
{
    struct xr_central *central = central_before_fork();
    int64_t now = DUE;

    xr_central_after_fork(central, OTHER_CLIENT);
    cr_expect_str_eq(wait_for_call(central, &now).path, "/GetSamplingRules");
    cr_expect_geq(now, NOW + 300 * NS_PER_S);
    cr_expect_leq(now, NOW + 305 * NS_PER_S);
    xr_central_free(central);
}

Test(central_fork, spreads_the_children)
{
    struct xr_central *central = central_before_fork();
    int64_t least = INT64_MAX, most = 0;

    for (int i = 0; i < 50; i++) {
        int64_t now = DUE;

        xr_central_after_fork(central, OTHER_CLIENT);
        wait_for_call(central, &now);
        least = now < least ? now : least;
        most = now > most ? now : most;
    }
    cr_expect_geq(most - least, NS_PER_S);
    xr_central_free(central);
}

/* Threads of the parent are in the middle of everything when it forks. */
Test(central_fork, works_in_a_child_of_a_busy_parent, .timeout = 120)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(0.5, 1)));
    struct decider deciders[THREADS];
    struct tally tally = { 0 };
    atomic_bool stop = false;
    int64_t now = NOW;

    begin(deciders, central, &stop);
    for (int i = 0; i < 20; i++) {
        int status;
        pid_t child;

        poll_once(central, PAGE(DEFAULT(0.5, 1)), &tally, now += 11 * NS_PER_S);
        child = fork();
        if (child == 0) {
            struct tally own = { 0 };
            xray_sampling_decision decided;

            xr_central_after_fork(central, OTHER_CLIENT);
            for (int k = 0; k < 10; k++)
                xr_central_decide(central, NULL, now, &decided);
            for (int k = 0; k < 4; k++)
                poll_once(central, PAGE(DEFAULT(0.5, 1)), &own, now += 11 * NS_PER_S);
            _exit(own.told_requests > 10 || own.told_requests < 10);
        }
        cr_assert_gt(child, 0);
        cr_assert_eq(waitpid(child, &status, 0), child);
        cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%#x", status);
    }
    atomic_store(&stop, true);
    for (int i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_join(deciders[i].thread, NULL), 0);
    xr_central_free(central);
}
