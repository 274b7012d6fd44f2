/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Central sampling with a service that says anything at any time. Each line is a
 * step; whatever came before, good replies make the rules decide again, and no
 * request is ever reported twice.
 */
#include "line.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "base/random.h"
#include "sampling/central.h"

/*
 *  = STATUS BODY   the reply to what is asked next
 *  + MILLISECONDS  time goes on, or back
 *  ? COUNT LINE    so many requests, as in line.h
 *  ! COUNT LINE    how a segment ended: its rule, the caller's, its service
 *  f               the process forks, and this is the child
 */
#define RULE(members)                                                     \
    "{\"SamplingRule\":{\"RuleName\":\"a\",\"Version\":1,\"Priority\":1," \
    "\"FixedRate\":0.5,\"ReservoirSize\":1,\"ResourceARN\":\"*\"" members "}}"
#define RULES(records) "= 200 {\"SamplingRuleRecords\":[" records "]}\n"
#define NEW_RULES                                                            \
    "{\"SamplingRuleRecords\":[{\"SamplingRule\":{\"RuleName\":\"Default\"," \
    "\"Version\":1,\"FixedRate\":1,\"ReservoirSize\":1,\"ResourceARN\":\"*\"}}]}"
#define NEW_TARGETS "{\"SamplingTargetDocuments\":[]}"

#define NS_PER_MS  INT64_C(1000000)
#define NS_PER_S   INT64_C(1000000000)
#define BEGIN_NS   (INT64_C(1500000000) * NS_PER_S)
#define STEP_MAX   (INT64_C(1) << 32) /* ms */
#define COUNT_MAX  100
#define NAMES_MAX  64
#define CALLS_MAX  1000 /* until the rules decide again */
#define WAIT_MAX   (INT64_C(3600) * NS_PER_S)
#define DOCUMENTS  25
#define CLIENT     "0123456789abcdef01234567"
#define NEW_CLIENT "76543210fedcba9876543210"

const struct fuzz_large fuzz_large[] = {
    { "a key of 1 MiB", "= 200 {\"", "k", 1 << 20, "\":1}\n? 1 a\n" },
    { "a token of 1 MiB", "= 200 {\"SamplingRuleRecords\":[],\"NextToken\":\"", "t", 1 << 20,
      "\"}\n" },
    { "deep arrays", "= 200 ", "[", 1 << 20, "\n" },
    { "deep objects", "= 200 ", "{\"SamplingRuleRecords\":", 1 << 16, "\n" },
    { "one rule very often", "= 200 {\"SamplingRuleRecords\":[", RULE() ",", 30000,
      RULE() "]}\n? 9 a\n" },
    { "very many pages", "", "= 200 {\"SamplingRuleRecords\":[" RULE() "],\"NextToken\":\"t\"}\n",
      2000, "? 9 a\n" },
    { "a long pattern", RULES(RULE(",\"URLPath\":\"*a*a*a*a*a*b\"")) "? 99 ||||/", "a", 1 << 20,
      "\n" },
    { "many members", "= 200 {", "\"a\":{},", 1 << 19, "\"b\":1}\n" },
    { "many targets", RULES(RULE()) "? 9 a\n+ 11000\n= 200 {\"SamplingTargetDocuments\":[",
      "{\"RuleName\":\"a\",\"FixedRate\":1,\"ReservoirQuota\":1},", 20000, "{}]}\n? 9 a\n" },
    { "many digits", "= 200 {\"SamplingRuleRecords\":[{\"SamplingRule\":{\"FixedRate\":", "1",
      1 << 20, "}}]}\n" },
    { "many failures", "", "= 500 <html>\n+ 100000\n", 5000, "? 9 a\n" },
    { 0 },
};

/* What was decided by a rule, and of it what X-Ray knows for certain. */
struct tally {
    char name[XR_CLIENT_ID_LENGTH + 9];
    unsigned long requests, sampled;
    unsigned long known_requests, known_sampled;
};

struct state {
    struct xr_central *central;
    int64_t now_ns;
    struct tally tallies[NAMES_MAX];
    size_t count;
};

static struct tally *tally_of(struct state *state, const char *name)
{
    struct tally *tally = state->tallies;

    for (; tally < state->tallies + state->count; tally++)
        if (strcmp(tally->name, name) == 0)
            return tally;
    if (state->count == NAMES_MAX)
        return NULL;
    CHECK(strlen(name) < sizeof(tally->name));
    strcpy(tally->name, name);
    state->count++;
    return tally;
}

/* ---- What it asks ------------------------------------------------------------ */

static unsigned long number_of(const cJSON *document, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(document, name);

    CHECK(cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble < 1e9);
    return (unsigned long)item->valuedouble;
}

static const char *text_of(const cJSON *document, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(document, name));

    CHECK(text);
    return text;
}

/* known: a reply has said that X-Ray has it. */
static void check_statistics(struct state *state, const cJSON *list, bool known)
{
    const cJSON *document;

    CHECK(cJSON_IsArray(list) && cJSON_GetArraySize(list) <= DOCUMENTS);
    cJSON_ArrayForEach(document, list)
    {
        struct tally *tally = tally_of(state, text_of(document, "RuleName"));
        unsigned long requests = number_of(document, "RequestCount");
        unsigned long sampled = number_of(document, "SampledCount") +
                                number_of(document, "BorrowCount");

        CHECK(strlen(text_of(document, "ClientID")) == XR_CLIENT_ID_LENGTH);
        CHECK(cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(document, "Timestamp")));
        CHECK(requests > 0 && sampled <= requests);
        if (!tally)
            continue;
        CHECK(tally->known_requests + requests <= tally->requests);
        CHECK(tally->known_sampled + sampled <= tally->sampled);
        if (known) {
            tally->known_requests += requests;
            tally->known_sampled += sampled;
        }
    }
}

static void check_boosts(const cJSON *list)
{
    const cJSON *document;

    CHECK(!list || (cJSON_IsArray(list) && cJSON_GetArraySize(list) <= DOCUMENTS));
    cJSON_ArrayForEach(document, list)
    {
        unsigned long anomalies = number_of(document, "AnomalyCount");

        text_of(document, "RuleName");
        text_of(document, "ServiceName");
        CHECK(anomalies <= number_of(document, "TotalCount"));
        CHECK(number_of(document, "SampledAnomalyCount") <= anomalies);
    }
}

static bool is_targets(const struct xr_central_call *call)
{
    return strcmp(call->path, "/SamplingTargets") == 0;
}

static void check_call(struct state *state, const struct xr_central_call *call, bool known)
{
    struct xr_central_call again;
    cJSON *body = cJSON_ParseWithLength(call->body, call->body_length);
    const cJSON *token = cJSON_GetObjectItemCaseSensitive(body, "NextToken");

    CHECK(cJSON_IsObject(body));
    if (is_targets(call)) {
        check_statistics(
            state, cJSON_GetObjectItemCaseSensitive(body, "SamplingStatisticsDocuments"), known);
        check_boosts(cJSON_GetObjectItemCaseSensitive(body, "SamplingBoostStatisticsDocuments"));
    } else {
        CHECK(strcmp(call->path, "/GetSamplingRules") == 0);
        CHECK(!token || (cJSON_IsString(token) && token->valuestring[0] != '\0'));
    }
    cJSON_Delete(body);
    xr_central_next(state->central, state->now_ns, &again);
    CHECK(again.path == call->path && again.body == call->body);
}

/* Waits for it if need be; false when nothing is asked all the same. */
static bool next(struct state *state, struct xr_central_call *ret)
{
    for (int i = 0; i < 3; i++) {
        xr_central_next(state->central, state->now_ns, ret);
        if (ret->path)
            return true;
        CHECK(ret->wait_until_ns > state->now_ns && ret->wait_until_ns <= state->now_ns + WAIT_MAX);
        state->now_ns = ret->wait_until_ns;
    }
    return false;
}

/* ---- Steps ------------------------------------------------------------------- */

static long read_number(struct fuzz_input *input)
{
    struct fuzz_input word = fuzz_take(input, ' ');
    char text[24] = { 0 };

    if (word.size > 0)
        memcpy(text, word.data, word.size < sizeof(text) ? word.size : sizeof(text) - 1);
    return strtol(text, NULL, 10);
}

static void reply(struct state *state, int status, const void *body, size_t size)
{
    struct xr_central_call call;
    char *copy;

    if (!next(state, &call))
        return;
    /* A reply that is not known to have been understood may count or not. */
    check_call(state, &call,
               status == 200 && size == strlen(NEW_TARGETS) &&
                   memcmp(body, NEW_TARGETS, size) == 0);
    copy = fuzz_allocate(size);
    if (size > 0)
        memcpy(copy, body, size);
    xr_central_reply(state->central, status, copy, size, state->now_ns);
    free(copy);
}

/* False when no rule decides. */
static bool decide(struct state *state, const xray_sampling_request *request,
                   xray_sampling_decision *ret)
{
    struct tally *tally;

    if (!xr_central_decide(state->central, request, state->now_ns, ret))
        return false;
    CHECK(ret->sampled == 0 || ret->sampled == 1);
    CHECK(memchr(ret->rule, '\0', sizeof(ret->rule)) && ret->rule[0] != '\0');
    tally = tally_of(state, ret->rule);
    if (tally) {
        tally->requests++;
        tally->sampled += (unsigned long)ret->sampled;
    }
    return true;
}

static void decide_often(struct state *state, const struct line *line, long count)
{
    xray_sampling_request request = line_request(line);
    xray_sampling_decision decision;

    for (long i = 0; i < count && i < COUNT_MAX; i++)
        decide(state, &request, &decision);
}

static void end(struct state *state, const struct line *line, long count)
{
    xray_sampling_outcome outcome = {
        .size = sizeof(outcome),
        .rule = line->fields[0],
        .upstream = line->fields[1],
        .service = line->fields[2],
        .sampled = count & 1,
        .anomaly = (int32_t)((unsigned long)count / 2 % 3),
        .now_ns = state->now_ns,
    };

    memcpy(outcome.trace_id.bytes + 8, &count, sizeof(count));
    xr_central_report(state->central, &outcome);
}

static void step(struct state *state, struct fuzz_input input)
{
    char what = input.size > 1 ? (char)*input.data : '\0';
    struct line line;
    char *text;
    long number;

    if (input.size < 2)
        return;
    input.data += 2;
    input.size -= 2;
    number = read_number(&input);
    if (what == '=') {
        reply(state, (int)(number % 10000), input.data, input.size);
    } else if (what == '+') {
        state->now_ns += number % STEP_MAX * NS_PER_MS;
        if (state->now_ns < 0 || state->now_ns > 4 * BEGIN_NS)
            state->now_ns = BEGIN_NS;
    } else if (what == 'f') {
        xr_central_after_fork(state->central, NEW_CLIENT);
        state->count = 0;
        memset(state->tallies, 0, sizeof(state->tallies));
    } else if (what == '?' || what == '!') {
        text = fuzz_text(input.data, input.size);
        line_read(&line, text);
        if (what == '!')
            end(state, &line, number);
        else
            decide_often(state, &line, number);
        line_free(&line);
        free(text);
    }
}

/* Good replies, until there are rules again that decide what no other rule does. */
static void recover(struct state *state)
{
    for (int i = 0; i < CALLS_MAX; i++) {
        struct xr_central_call call;
        xray_sampling_decision decision;

        if (decide(state, NULL, &decision) && strcmp(decision.rule, "Default") == 0 &&
            decision.sampled)
            return;
        if (!next(state, &call))
            continue;
        if (is_targets(&call))
            reply(state, 200, NEW_TARGETS, strlen(NEW_TARGETS));
        else
            reply(state, 200, NEW_RULES, strlen(NEW_RULES));
    }
    CHECK(!"good replies are of use");
}

/* Never called with a level below the logger's; one line of text. */
static void check_message(void *data, int level, const char *message)
{
    (void)data;
    CHECK(level >= XR_LOG_DEBUG && message[0] != '\0');
    for (; *message; message++)
        CHECK((unsigned char)*message >= 0x20 && *message != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct xr_logger logger = { NULL, XR_LOG_DEBUG, check_message };
    struct fuzz_input input = { data, size };
    struct state state = { .now_ns = BEGIN_NS };

    /* The same input has the same course. */
    xr_thread_enter();
    xr_thread.random = 1;
    xr_thread.random_key = 1;
    CHECK(xr_central_new(&state.central, CLIENT, &logger) == 0);
    while (input.size > 0)
        step(&state, fuzz_take(&input, '\n'));
    recover(&state);
    xr_central_free(state.central);
    return 0;
}
