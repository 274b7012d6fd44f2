/* SPDX-License-Identifier: Apache-2.0 */
/* The insides of a central, which its files share. */
#ifndef XR_SAMPLING_CENTRAL_STATE_H
#define XR_SAMPLING_CENTRAL_STATE_H

#include "base/clock.h"
#include "base/published.h"
#include "sampling/central.h"
#include "sampling/central_seen.h"
#include "sampling/central_set.h"

enum xr_central_asked {
    XR_ASKED_NOTHING,
    XR_ASKED_RULES,
    XR_ASKED_TARGETS,
    XR_ASKED_COUNT,
};

/* How asking for one thing goes. */
struct xr_attempts {
    unsigned failures; /* in a row */
    bool told;         /* a failure has been logged, so its end will be */
    int64_t told_ns;
};

/* What a call says of a rule, so that just this can be taken off once it is known there. */
struct xr_statistics {
    struct xr_rule_state *state;
    uint64_t counts[XR_DECIDED_COUNT]; /* all so far */
};

struct xr_boost_statistics {
    struct xr_rule_state *state;
    struct xr_boost *boost;
    uint64_t counts[XR_BOOST_COUNT];
};

/* What only the poller touches. */
struct xr_central_poll {
    enum xr_central_asked asked;
    char *body;
    size_t body_length;
    size_t body_bytes; /* allocated */

    double share; /* of the jitters: this client's, from 0 to 1 */
    int64_t rules_due_ns;
    struct xr_drafts drafts; /* of the pages so far */
    size_t skipped;          /* of the last set, as far as it was logged */
    int64_t modified_ns;     /* the last modification that X-Ray told of */
    bool modified_known;

    bool forked; /* reports begin an interval from now */
    int64_t targets_due_ns;
    int64_t round_ns; /* when the round of reports began that is under way; 0: none is */
    struct xr_statistics statistics[XR_CENTRAL_DOCUMENTS_MAX];
    size_t statistics_count;
    struct xr_boost_statistics boosts[XR_CENTRAL_DOCUMENTS_MAX];
    size_t boosts_count;

    struct xr_attempts attempts[XR_ASKED_COUNT];
};

struct xr_central {
    struct xr_published rules;      /* an xr_rule_set, or NULL: none yet */
    struct xr_rule_set *set;        /* the same, for the poller */
    _Atomic(struct xr_seen *) seen; /* NULL: no rule has a boost */
    atomic_bool polling;            /* a thread is in xr_central_next() or xr_central_reply() */
    char client_id[XR_CLIENT_ID_LENGTH + 1];
    struct xr_logger logger;
    struct xr_central_poll poll;
};

/* A time of the wall clock which has come, or is further off than ever meant: that was set back. */
static inline bool xr_central_is_due(int64_t due_ns, int64_t now_ns, int64_t most_ns)
{
    return due_ns <= now_ns || due_ns - now_ns > most_ns;
}

/* When rules that are there are asked for again. */
int64_t xr_central_refresh_ns(const struct xr_central *central);

/* What is asked for targets: true with a body, false when there is nothing to report now. */
bool xr_central_report_next(struct xr_central *central, int64_t now_ns);

/* Takes a reply to it: 0, or -EBADMSG for what is none. */
int xr_central_take_targets(struct xr_central *central, const char *body, size_t length,
                            int64_t now_ns);

#endif /* XR_SAMPLING_CENTRAL_STATE_H */
