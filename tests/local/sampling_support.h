/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to a sampling service, written with ' for ". */
#ifndef LOCAL_TESTS_SAMPLING_SUPPORT_H
#define LOCAL_TESTS_SAMPLING_SUPPORT_H

#include "local/sampling/service.h"

#define NS INT64_C(1000000000)

/* A service, what time it is, and its last reply. */
struct asked {
    struct sampling_service *service;
    int64_t now_ns;
    unsigned status;
    char *body;
};

/* Settings of the cloud, and the second 1700000000. */
struct asked ask_new(void);
struct asked ask_with(const struct sampling_settings *settings);
void ask_free(struct asked *asked);

void ask(struct asked *asked, const char *path, const char *request);
void expect_reply(const struct asked *asked, unsigned status, const char *body);
/* An InvalidRequestException that says this. */
void expect_error(const struct asked *asked, const char *message);

/* Members of a rule, and the rest that it needs. */
#define RULE(name, priority) \
    "'RuleName':'" name "','Priority':" priority ",'FixedRate':0.1,'ReservoirSize':10"
#define ANY                                                                                       \
    "'ResourceARN':'*','ServiceName':'*','ServiceType':'*','Host':'*','HTTPMethod':'*','URLPath'" \
    ":'*','Version':1"
void create(struct asked *asked, const char *name, const char *priority);

/* "rule client requests" as a statistics document; the reply is there when it returns. */
#define STATISTICS(rule, client, requests)                                                 \
    "{'RuleName':'" rule "','ClientID':'" client "00000000000000000000000','Timestamp':1," \
    "'RequestCount':" requests ",'SampledCount':2,'BorrowCount':1}"
void report(struct asked *asked, const char *statistics, const char *boosts);

#endif
