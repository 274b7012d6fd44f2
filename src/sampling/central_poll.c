/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked, when, and what becomes of the replies. */
#include "sampling/central_state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/random.h"

#define RULES_JITTER_S 5
#define RETRY_FIRST_NS XR_NS_PER_S
#define TELL_EVERY_NS  (60 * XR_NS_PER_S)

static const struct {
    const char *path;
    const char *action; /* as permissions name it */
    int64_t every_ns;
} OPERATIONS[XR_ASKED_COUNT] = {
    [XR_ASKED_RULES] = { "/GetSamplingRules", "GetSamplingRules",
                         XR_CENTRAL_RULES_EVERY_S *XR_NS_PER_S },
    [XR_ASKED_TARGETS] = { "/SamplingTargets", "GetSamplingTargets",
                           XR_CENTRAL_TARGETS_EVERY_S *XR_NS_PER_S },
};

/* ---- Failures ---------------------------------------------------------------- */

/* From a second upwards, twice as long each time, but never longer than it is asked anyway. */
static int64_t retry_after(enum xr_central_asked asked, unsigned failures)
{
    int64_t wait = RETRY_FIRST_NS, most = OPERATIONS[asked].every_ns;

    while (--failures > 0 && wait < most)
        wait *= 2;
    if (wait > most)
        wait = most;
    return wait - (int64_t)(xr_random_u64() % (uint64_t)(wait / 2));
}

static void describe(char *ret, size_t size, int status)
{
    if (status == -EBADMSG)
        snprintf(ret, size, "the reply is not one of X-Ray: is the address that of a daemon?");
    else if (status == -E2BIG)
        snprintf(ret, size, "the reply is larger than any of X-Ray's");
    else if (status == -ENOMEM)
        snprintf(ret, size, "out of memory");
    else if (status < 0)
        snprintf(ret, size, "%s: is a daemon at the address?", strerror(-status));
    else if (status == 403)
        snprintf(ret, size, "HTTP status 403: allow the daemon's role to call it");
    else
        snprintf(ret, size, "HTTP status %d", status);
}

static void fail(struct xr_central *central, enum xr_central_asked asked, int status,
                 int64_t now_ns)
{
    struct xr_attempts *attempts = &central->poll.attempts[asked];
    int64_t since = now_ns - attempts->told_ns;
    char reason[160];
    bool quiet;

    attempts->failures += attempts->failures < UINT32_MAX;
    if (attempts->told && since >= 0 && since < TELL_EVERY_NS)
        return;
    attempts->told = true;
    attempts->told_ns = now_ns;
    describe(reason, sizeof(reason), status);
    /* Programs run where there is no daemon, too; but what has worked should go on. */
    quiet = status < 0 && status != -EBADMSG && status != -E2BIG && !central->set;
    xr_log(&central->logger, quiet ? XR_LOG_INFO : XR_LOG_WARNING,
           "central sampling: %s failed: %s; %s until it works again", OPERATIONS[asked].action,
           reason, central->set ? "the rules stay as they are" : "local rules decide");
}

static void succeed(struct xr_central *central, enum xr_central_asked asked)
{
    struct xr_attempts *attempts = &central->poll.attempts[asked];

    if (attempts->told)
        xr_log(&central->logger, XR_LOG_INFO, "central sampling: %s works again",
               OPERATIONS[asked].action);
    *attempts = (struct xr_attempts){ 0 };
}

/* ---- Rules ------------------------------------------------------------------- */

static bool ask_rules(struct xr_central_poll *poll)
{
    const char *token = poll->drafts.token;
    size_t length = token ? strlen(token) : 0;
    size_t bytes = XR_JSON_STRING_MAX(length) + 32;
    char *p = xr_alloc(bytes);

    if (!p)
        return false;
    poll->body = p;
    poll->body_bytes = bytes;
    *p++ = '{';
    if (token) {
        p = XR_JSON_LITERAL(p, "\"NextToken\":");
        p = xr_json_string(p, token, length, NULL);
    }
    *p++ = '}';
    poll->body_length = (size_t)(p - poll->body);
    return true;
}

static void tell_of_skipped(struct xr_central *central)
{
    struct xr_central_poll *poll = &central->poll;
    size_t skipped = poll->drafts.skipped + poll->drafts.excess;

    if (skipped > 0 && skipped != poll->skipped)
        xr_log(&central->logger, XR_LOG_WARNING,
               "central sampling: %zu rules are left out: %zu are broken or not of version 1, and "
               "%zu are more than %d",
               skipped, poll->drafts.skipped, poll->drafts.excess, XR_CENTRAL_RULES_MAX);
    poll->skipped = skipped;
}

static int publish(struct xr_central *central, int64_t now_ns)
{
    struct xr_central_poll *poll = &central->poll;
    struct xr_rule_set *set;
    int r;

    xr_drafts_sort(&poll->drafts);
    r = xr_rule_set_new(&set, &poll->drafts, central->set, now_ns);
    if (r < 0)
        return r;
    if (set->boosted > 0 && !atomic_load(&central->seen))
        atomic_store(&central->seen, xr_alloc_zero(sizeof(struct xr_seen)));

    central->set = set;
    xr_published_replace(&central->rules, set);
    return 0;
}

int64_t xr_central_refresh_ns(const struct xr_central *central)
{
    return central->set->fetched_ns + XR_CENTRAL_RULES_EVERY_S * XR_NS_PER_S +
           (int64_t)(central->poll.share * RULES_JITTER_S * (double)XR_NS_PER_S);
}

/* 1 when there are more pages. */
static int take_rules(struct xr_central *central, const char *body, size_t length, int64_t now_ns)
{
    struct xr_central_poll *poll = &central->poll;
    int r = xr_drafts_add(&poll->drafts, body, length);

    if (r < 0)
        return r;
    if (poll->drafts.token) {
        poll->rules_due_ns = now_ns;
        return 1;
    }
    r = publish(central, now_ns);
    if (r < 0)
        return r;
    tell_of_skipped(central);
    xr_drafts_clear(&poll->drafts);
    poll->rules_due_ns = xr_central_refresh_ns(central);
    if (poll->targets_due_ns > now_ns + XR_CENTRAL_TARGETS_EVERY_S * XR_NS_PER_S)
        poll->targets_due_ns = now_ns + XR_CENTRAL_TARGETS_EVERY_S * XR_NS_PER_S; /* of new rules */
    return 0;
}

/* ---- The poller's view ------------------------------------------------------- */

static void drop_body(struct xr_central_poll *poll)
{
    xr_free(poll->body, poll->body_bytes);
    poll->body = NULL;
    poll->body_bytes = 0;
    poll->body_length = 0;
}

static enum xr_central_asked choose(struct xr_central *central, int64_t now_ns)
{
    struct xr_central_poll *poll = &central->poll;
    int64_t most = (XR_CENTRAL_RULES_EVERY_S + RULES_JITTER_S) * XR_NS_PER_S;

    if (xr_central_is_due(poll->rules_due_ns, now_ns, most) && ask_rules(poll))
        return XR_ASKED_RULES;
    if (xr_central_report_next(central, now_ns))
        return XR_ASKED_TARGETS;
    return XR_ASKED_NOTHING;
}

/* At least a little: without memory for a question it is due all the same. */
static int64_t wait_until(const struct xr_central *central, int64_t now_ns)
{
    const struct xr_central_poll *poll = &central->poll;
    int64_t until = poll->rules_due_ns;

    if (central->set && poll->targets_due_ns < until)
        until = poll->targets_due_ns;
    return until > now_ns ? until : now_ns + RETRY_FIRST_NS;
}

void xr_central_next(struct xr_central *central, int64_t now_ns, struct xr_central_call *ret)
{
    struct xr_central_poll *poll = &central->poll;

    atomic_store(&central->polling, true);
    xr_published_collect(&central->rules);
    if (poll->asked == XR_ASKED_NOTHING)
        poll->asked = choose(central, now_ns);
    *ret = (struct xr_central_call){ .path = OPERATIONS[poll->asked].path };
    if (poll->asked == XR_ASKED_NOTHING) {
        ret->wait_until_ns = wait_until(central, now_ns);
    } else {
        ret->body = poll->body;
        ret->body_length = poll->body_length;
    }
    atomic_store(&central->polling, false);
}

static void give_up(struct xr_central *central, enum xr_central_asked asked, int status,
                    int64_t now_ns)
{
    struct xr_central_poll *poll = &central->poll;
    int64_t due_ns;

    fail(central, asked, status, now_ns);
    due_ns = now_ns + retry_after(asked, poll->attempts[asked].failures);
    if (asked == XR_ASKED_RULES) {
        xr_drafts_clear(&poll->drafts);
        poll->rules_due_ns = due_ns;
    } else {
        poll->targets_due_ns = due_ns;
        poll->round_ns = 0;
    }
}

void xr_central_reply(struct xr_central *central, int status, const char *body, size_t length,
                      int64_t now_ns)
{
    struct xr_central_poll *poll = &central->poll;
    enum xr_central_asked asked = poll->asked;

    if (asked == XR_ASKED_NOTHING)
        return;
    atomic_store(&central->polling, true);
    drop_body(poll);
    poll->asked = XR_ASKED_NOTHING;
    if (status == 200 && asked == XR_ASKED_RULES)
        status = take_rules(central, body, length, now_ns);
    else if (status == 200)
        status = xr_central_take_targets(central, body, length, now_ns);
    else if (status == 0 || status == 1)
        status = -EBADMSG; /* neither a status nor an error */
    if (status == 0)
        succeed(central, asked);
    else if (status != 1)
        give_up(central, asked, status, now_ns);
    atomic_store(&central->polling, false);
}
