/* SPDX-License-Identifier: Apache-2.0 */
/* X-Ray's side of central sampling: it keeps the rules, divides the reservoir of each
   between the clients that report, and adds up what they report. No I/O, no thread and
   no clock: the time is an argument, in ns of Unix time. One thread at a time. */
#ifndef LOCAL_SAMPLING_SERVICE_H
#define LOCAL_SAMPLING_SERVICE_H

#include "local/sampling/rule.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SAMPLING_RULES_MAX      25   /* beside Default, as in the service */
#define SAMPLING_DOCUMENTS_MAX  25   /* statistics in one call, as in the service */
#define SAMPLING_CLIENTS_MAX    1000 /* of one rule; beyond, the one that was silent longest goes */
#define SAMPLING_INTERVAL_S     10
#define SAMPLING_ACTIVE_S       (3 * SAMPLING_INTERVAL_S) /* a silent client keeps its share */
#define SAMPLING_QUOTA_TTL_S    300
#define SAMPLING_BOOST_S        60
#define SAMPLING_FILE_MAX_BYTES ((size_t)1024 * 1024)

struct sampling_service;

struct sampling_settings {
    double fixed_rate;       /* of Default */
    uint32_t reservoir_size; /* of Default */
    size_t rules_max;        /* 0: SAMPLING_RULES_MAX */
    size_t page;             /* rules in a reply; 0: all of them, as SDKs expect that ask once */
};

/* What the real service begins with. */
#define SAMPLING_SETTINGS_CLOUD \
    ((struct sampling_settings){ .fixed_rate = 0.05, .reservoir_size = 1 })

/* A service with the rule Default alone. 0 or -ENOMEM. */
int sampling_service_new(struct sampling_service **ret, const struct sampling_settings *settings,
                         int64_t now_ns);
void sampling_service_free(struct sampling_service *service);

/* Adds the rules of a file: the API's JSON (what GetSamplingRules returns, or what
   CreateSamplingRule takes) or the local rules of SDKs, version 1 or 2, whose order
   becomes the priority. 0, -EINVAL with the problem and nothing added, or -ENOMEM. */
int sampling_service_load(struct sampling_service *service, const char *text, size_t length,
                          int64_t now_ns, struct sampling_problem *problem);

/* A request to the service, and its reply: status 200 and the operation's, or a status
   and type of error and {"Message": …}. A NULL body: out of memory. */
struct sampling_reply {
    unsigned status;
    const char *error_type; /* static */
    cJSON *body;
};

typedef void sampling_operation(struct sampling_service *service, const cJSON *request,
                                int64_t now_ns, struct sampling_reply *ret);

/* The operation at the path, such as "/GetSamplingRules", or NULL. */
sampling_operation *sampling_operation_find(const char *path);

/* The same as text, for those who have no server between. Returns the status; *ret_body
   is to be freed, and NULL if memory ran out (500). */
unsigned sampling_service_post(struct sampling_service *service, const char *path, const char *body,
                               size_t length, int64_t now_ns, char **ret_body);

/* Not of X-Ray: the clients of each rule and its boost; which rule decides on a request;
   a boost that begins now. */
sampling_operation sampling_inspect;
sampling_operation sampling_try;
sampling_operation sampling_boost;

/* What was reported for a rule since it was made, and by how many who are active. */
struct sampling_totals {
    uint64_t requests;
    uint64_t sampled;
    uint64_t borrowed;
    size_t clients;
};

/* False if there is no such rule. */
bool sampling_service_totals(const struct sampling_service *service, const char *rule_name,
                             int64_t now_ns, struct sampling_totals *ret);

#endif
