/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the sampling service share. */
#ifndef LOCAL_SAMPLING_INTERNAL_H
#define LOCAL_SAMPLING_INTERNAL_H

#include "local/sampling/service.h"

#define NS_PER_S               INT64_C(1000000000)
#define SAMPLING_CLIENT_LENGTH 24
#define SAMPLING_WINDOWS       60 /* of SAMPLING_INTERVAL_S each are remembered */

struct sampling_client {
    char id[SAMPLING_CLIENT_LENGTH * 4 + 1]; /* characters, not bytes */
    int64_t last_ns;                         /* when it last had requests to report */
    uint64_t requests;                       /* reported since it came, as what follows */
    uint64_t sampled;
    uint64_t borrowed;
};

struct sampling_window {
    int64_t start_s; /* 0: none */
    uint64_t requests;
    uint64_t sampled;
    uint64_t borrowed;
};

/* A rule with what is known of its use. */
struct sampling_entry {
    struct sampling_rule rule;
    int64_t created_ns;
    int64_t modified_ns;
    struct sampling_client *clients; /* in the order of their ids */
    size_t client_count;
    size_t client_size;
    struct sampling_totals totals; /* but for the clients */
    struct sampling_window windows[SAMPLING_WINDOWS];
    int64_t anomaly_ns;     /* the last one reported; 0: none */
    int64_t boost_ns;       /* when the last boost began; 0: never */
    int64_t boost_until_ns; /* its end */
};

/* Where the counts of the ten seconds from start_s are, if anywhere. */
static inline struct sampling_window *sampling_window_at(struct sampling_entry *entry,
                                                         int64_t start_s)
{
    return &entry->windows[(uint64_t)start_s / SAMPLING_INTERVAL_S % SAMPLING_WINDOWS];
}

struct sampling_service {
    struct sampling_settings settings;
    struct sampling_entry **entries; /* in the order of the rules; Default is the last */
    size_t count;
    int64_t last_modification_ns; /* of any rule, also one that is gone */
};

/* NULL if there is none. */
struct sampling_entry *sampling_entry_find(const struct sampling_service *service,
                                           const char *rule_name);
/* Takes the rule over on success. 0, -EINVAL with the problem, or -ENOMEM. */
int sampling_entry_add(struct sampling_service *service, const struct sampling_rule *rule,
                       int64_t now_ns, struct sampling_problem *problem);
/* The same for its successor, of the same name. */
void sampling_entry_replace(struct sampling_service *service, struct sampling_entry *entry,
                            const struct sampling_rule *rule, int64_t now_ns);

/* Seconds, as the API has times: rounded up to a ms, so that what is newer also looks so. */
double sampling_time(int64_t ns);
void sampling_invalid(struct sampling_reply *ret, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The client's part of the rule's reservoir. */
uint32_t sampling_share(const struct sampling_entry *entry, const char *client_id);

sampling_operation sampling_get_targets;
sampling_operation sampling_get_statistic_summaries;

#endif
