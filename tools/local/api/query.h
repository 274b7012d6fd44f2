/* SPDX-License-Identifier: Apache-2.0 */
/* What requests for traces have in common: times, ids, groups, and tokens for the next
   page. A problem is a sentence for the client, NULL if there is none. */
#ifndef LOCAL_QUERY_H
#define LOCAL_QUERY_H

#include "local/api/api.h"
#include "local/filter/filter.h"
#include "local/store/store.h"

/* Not even a problem of these is there twice, so their text is kept here. */
struct query_problem {
    char text[320];
};

/* Whether these members of the request, where there are any, are of their types:
   "sGroupName nPeriod" and so on, with s for a string, n number, b boolean, o object,
   S list of strings, l list. Null is none. */
bool query_fits(const cJSON *request, const char *members, struct query_problem *problem);

/* StartTime and EndTime. The command line tool cuts times to whole seconds, so an end
   that is one is meant with the whole second. */
const char *query_times(const cJSON *request, struct store_query *ret);

/* TraceIds, at most `most`. On success *ret is to be freed; repeated ids come once. */
const char *query_trace_ids(const cJSON *request, size_t most, struct trace_id **ret,
                            size_t *ret_count);

/* FilterExpression; a NULL filter, which matches all, if there is none. 0, -ENOMEM, or
   -EINVAL with the problem. */
int query_filter(const struct api *api, const cJSON *request, struct filter **ret,
                 struct query_problem *problem);
/* GroupName or GroupARN as a filter, likewise. */
int query_group(const struct api *api, const cJSON *request, struct filter **ret,
                struct query_problem *problem);
/* Replies to one of these. */
void query_reply_problem(struct http_reply *reply, int r, const struct query_problem *problem);

bool query_matches(const struct filter *filter, const struct facts *facts);

/* Where a page ended: after this trace, in the order of the store's answers. Bound to
   the other arguments of the request. */
#define QUERY_TOKEN_LENGTH 80
struct query_token {
    uint64_t arguments;
    struct trace_id id;
    double start;
};

/* Of all members but NextToken. */
uint64_t query_arguments(const cJSON *request);
void query_token_format(const struct query_token *token, char ret[QUERY_TOKEN_LENGTH + 1]);
/* NextToken: false in *ret_given if there is none. */
const char *query_token(const cJSON *request, bool *ret_given, struct query_token *ret);
bool query_is_after(const struct facts *facts, const struct query_token *token);

/* "Services" of the map of these traces; NULL when out of memory. */
cJSON *api_services_of_traces(const struct api *api, const struct trace_id *ids, size_t count);

/* Operations that have just one page here. */
const char *query_no_token(const cJSON *request);

#endif
