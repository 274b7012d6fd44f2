/* SPDX-License-Identifier: Apache-2.0 */
/* One program of the twelve: a recorder that captures, and central sampling with its poller. */
#ifndef SIMULATION_CLIENT_H
#define SIMULATION_CLIENT_H

#include <xraytrace/xraytrace.h>

#include "sampling/central.h"
#include "view.h"

#define CLIENTS        12
#define SLOWER_THAN_NS (1500 * NS_PER_MS)
#define BUDGET         1.0 /* captured traces a second */

/* All decisions of one rule, and what they should have been. */
struct tally {
    uint64_t requests, sampled, granted, borrowed;
    double expected, variance;
};

/* What must not happen, how often it did. */
struct wrongs {
    uint64_t rule, grant, report, document;
};

struct world {
    int64_t now_ns;
    struct chance chance;
    struct service service;
    struct tally tallies[DECIDER_COUNT];
    struct wrongs wrongs;
    uint64_t reports;
    struct counts arrived[RULE_COUNT]; /* as the clients' views have it */

    const struct shape *shape; /* of the request that begins */
    bool sampled;              /* what was decided of it */
    unsigned documents;        /* since the last look */
    uint32_t flags;            /* of the last one */
};

struct client {
    struct world *world;
    int number, weight;
    xray_recorder *recorder;
    xray_sampler local;
    struct xr_central *central; /* NULL: not there */
    struct view view;

    int64_t poll_ns;
    bool waits; /* for answer, to what was asked */
    bool targets;
    struct answer answer;
};

/* A machine with a recorder, on which no program runs yet. */
void client_init(struct client *ret, struct world *world, int number, int weight);
void client_free(struct client *client);

/* The program starts, and ends: another one, as X-Ray sees it. */
void client_come(struct client *client);
void client_go(struct client *client);

/* What its poller does at poll_ns. */
void client_poll(struct client *client);

#endif /* SIMULATION_CLIENT_H */
