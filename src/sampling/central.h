/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Central sampling as a state machine: it decides by the rules it was given,
 * says what is to be asked of X-Ray, and takes the replies. No I/O, no thread,
 * and no clock: the time is an argument, in ns of Unix time.
 */
#ifndef XR_SAMPLING_CENTRAL_H
#define XR_SAMPLING_CENTRAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xraytrace/sampler.h>

#include "base/log.h"

#define XR_CLIENT_ID_LENGTH 24 /* hex digits */

/* What the other SDKs do: rules every five minutes, and none that are over an hour old. */
#define XR_CENTRAL_RULES_EVERY_S   300
#define XR_CENTRAL_RULES_VALID_S   3600
#define XR_CENTRAL_TARGETS_EVERY_S 10 /* unless a target has an Interval */

/* GetSamplingTargets takes so many documents of each kind. */
#define XR_CENTRAL_DOCUMENTS_MAX 25

/* Ours: far more than any account has, and what a page of them could take. */
#define XR_CENTRAL_RULES_MAX 10000 /* beside the default one */
#define XR_CENTRAL_PAGES_MAX 400
#define XR_CENTRAL_REPLY_MAX (8U << 20) /* bytes of a reply, and of all pages together */

struct xr_central;

/* 0 or -ENOMEM. The logger is copied; its data has to outlive the central. */
int xr_central_new(struct xr_central **ret, const char client_id[XR_CLIENT_ID_LENGTH],
                   const struct xr_logger *logger);

/* While nobody else is in it. NULL is allowed. */
void xr_central_free(struct xr_central *central);

/*
 * In a forked child: another client, which has asked and counted nothing yet,
 * with the same rules but no quotas. A thread of the parent's may have been
 * within any of these functions when the process forked.
 */
void xr_central_after_fork(struct xr_central *central, const char client_id[XR_CLIENT_ID_LENGTH]);

/*
 * Any thread. False without rules, or with rules that are too old, or when none
 * matches: somebody else has to decide. *ret is then left alone.
 */
bool xr_central_decide(struct xr_central *central, const xray_sampling_request *request,
                       int64_t now_ns, xray_sampling_decision *ret);

/* Any thread. Boost statistics: of the caller's rule if it names one, else of the own one. */
void xr_central_report(struct xr_central *central, const xray_sampling_outcome *outcome);

/* What is to be asked. */
struct xr_central_call {
    const char *path; /* "/GetSamplingRules", "/SamplingTargets"; NULL: nothing now */
    const char *body; /* the central's, until the reply is given to it */
    size_t body_length;
    int64_t wait_until_ns; /* without a path: when to ask again */
};

/*
 * One thread at a time, as the next function. The same call again, until it has
 * its reply.
 */
void xr_central_next(struct xr_central *central, int64_t now_ns, struct xr_central_call *ret);

/*
 * What became of it: an HTTP status and a body, or -errno in status when there
 * was no reply. Without a call it does nothing. body is not needed later.
 */
void xr_central_reply(struct xr_central *central, int status, const char *body, size_t length,
                      int64_t now_ns);

#endif /* XR_SAMPLING_CENTRAL_H */
