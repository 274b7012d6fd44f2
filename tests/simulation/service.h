/* SPDX-License-Identifier: Apache-2.0 */
/*
 * X-Ray's side: the sampling service of xraytrace-local, reached over a network
 * that loses requests and replies, and what was really reported to it.
 */
#ifndef SIMULATION_SERVICE_H
#define SIMULATION_SERVICE_H

#include <cjson/cJSON.h>

#include "local/sampling/service.h"
#include "traffic.h"

struct counts {
    uint64_t requests, sampled, borrowed;
};

struct service {
    struct sampling_service *insides;
    struct chance chance;
    bool down; /* nobody answers */
    bool campaign;
    struct counts reported[RULE_COUNT]; /* by what arrived */
    uint64_t calls, failures, lost_replies;
    int wrong; /* totals that it does not agree with */
};

struct answer {
    int status; /* or -errno */
    char *body; /* to be freed */
    int64_t after_ns;
};

void service_begin(struct service *ret, uint64_t seed, int64_t now_ns);
void service_end(struct service *service);

void service_ask(struct service *service, const char *path, const char *body, size_t length,
                 int64_t now_ns, struct answer *ret);

/* The rule comes, and goes. */
void service_set_campaign(struct service *service, bool on, int64_t now_ns);
void service_set_rate(struct service *service, int rule, double fixed_rate, int64_t now_ns);

/* Compares what it has of a rule with what arrived. */
void service_check_totals(struct service *service, int rule, int64_t now_ns);

#endif /* SIMULATION_SERVICE_H */
