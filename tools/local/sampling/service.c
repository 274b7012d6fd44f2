/* SPDX-License-Identifier: Apache-2.0 */
/* The rules: kept in order, listed page by page, and changed. */
#include "local/sampling/internal.h"

#include "local/base/json_text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_PREFIX "rules-"
#define TOKEN_FORMAT TOKEN_PREFIX "%05u-%s"

double sampling_time(int64_t ns)
{
    return (double)((ns + 999999) / 1000000) / 1000;
}

static void fail(struct sampling_reply *ret, unsigned status, const char *type, const char *message)
{
    *ret = (struct sampling_reply){ .status = status, .error_type = type };
    ret->body = cJSON_CreateObject();
    if (!cJSON_AddStringToObject(ret->body, "Message", message)) {
        cJSON_Delete(ret->body);
        ret->body = NULL;
    }
}

void sampling_invalid(struct sampling_reply *ret, const char *format, ...)
{
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    json_text_repair(message);
    fail(ret, 400, "InvalidRequestException", message);
}

/* ---- Entries ----------------------------------------------------------------- */

static void free_entry(struct sampling_entry *entry)
{
    sampling_rule_free(&entry->rule);
    free(entry->clients);
    free(entry);
}

static void touch(struct sampling_service *service, int64_t now_ns)
{
    if (service->last_modification_ns < now_ns)
        service->last_modification_ns = now_ns;
}

struct sampling_entry *sampling_entry_find(const struct sampling_service *service,
                                           const char *rule_name)
{
    for (size_t i = 0; i < service->count; i++)
        if (strcmp(service->entries[i]->rule.name, rule_name) == 0)
            return service->entries[i];
    return NULL;
}

/* Moves the last entry to where it belongs. */
static void sort_last(struct sampling_service *service)
{
    struct sampling_entry **entries = service->entries;
    for (size_t i = service->count - 1;
         i > 0 && sampling_rule_compare(&entries[i]->rule, &entries[i - 1]->rule) < 0; i--) {
        struct sampling_entry *moved = entries[i];
        entries[i] = entries[i - 1];
        entries[i - 1] = moved;
    }
}

/* Takes it out of the list only. */
static void take_out(struct sampling_service *service, const struct sampling_entry *entry)
{
    size_t at = 0;
    while (service->entries[at] != entry)
        at++;
    service->count--;
    memmove(service->entries + at, service->entries + at + 1,
            (service->count - at) * sizeof(*service->entries));
}

static int append_entry(struct sampling_service *service, const struct sampling_rule *rule,
                        int64_t now_ns)
{
    struct sampling_entry **entries = realloc(service->entries,
                                              (service->count + 1) * sizeof(*entries));
    if (!entries)
        return -ENOMEM;
    service->entries = entries;
    struct sampling_entry *entry = calloc(1, sizeof *entry);
    if (!entry)
        return -ENOMEM;
    entry->rule = *rule;
    entry->created_ns = now_ns;
    entry->modified_ns = now_ns;
    entries[service->count++] = entry;
    sort_last(service);
    touch(service, now_ns);
    return 0;
}

int sampling_entry_add(struct sampling_service *service, const struct sampling_rule *rule,
                       int64_t now_ns, struct sampling_problem *problem)
{
    if (strcmp(rule->name, SAMPLING_DEFAULT) == 0)
        sampling_problem_set(problem, "RuleName must not be Default: that rule is always there; "
                                      "update it instead");
    else if (sampling_entry_find(service, rule->name))
        sampling_problem_set(problem, "RuleName must be new, but there is a rule %s already",
                             rule->name);
    else
        return append_entry(service, rule, now_ns);
    return -EINVAL;
}

void sampling_entry_replace(struct sampling_service *service, struct sampling_entry *entry,
                            const struct sampling_rule *rule, int64_t now_ns)
{
    sampling_rule_free(&entry->rule);
    entry->rule = *rule;
    entry->modified_ns = now_ns;
    take_out(service, entry);
    service->entries[service->count++] = entry;
    sort_last(service);
    touch(service, now_ns);
}

int sampling_service_new(struct sampling_service **ret, const struct sampling_settings *settings,
                         int64_t now_ns)
{
    struct sampling_service *service = calloc(1, sizeof *service);
    struct sampling_rule rule = { 0 };
    if (!service)
        return -ENOMEM;
    service->settings = *settings;
    if (!service->settings.rules_max)
        service->settings.rules_max = SAMPLING_RULES_MAX;
    int r = sampling_rule_default(&rule, settings->fixed_rate, settings->reservoir_size);
    if (r == 0)
        r = append_entry(service, &rule, now_ns);
    if (r < 0) {
        sampling_rule_free(&rule);
        sampling_service_free(service);
        return r;
    }
    *ret = service;
    return 0;
}

void sampling_service_free(struct sampling_service *service)
{
    if (!service)
        return;
    for (size_t i = 0; i < service->count; i++)
        free_entry(service->entries[i]);
    free(service->entries);
    free(service);
}

/* ---- Listing ----------------------------------------------------------------- */

/* To be added to the reply; NULL if memory ran out. */
static cJSON *new_record(const struct sampling_entry *entry)
{
    cJSON *record = cJSON_CreateObject();
    cJSON *rule = cJSON_Duplicate(entry->rule.json, true);
    if (!record || !rule) {
        cJSON_Delete(record);
        cJSON_Delete(rule);
        return NULL;
    }
    cJSON_AddItemToObject(record, "SamplingRule", rule);
    cJSON_AddNumberToObject(record, "CreatedAt", sampling_time(entry->created_ns));
    cJSON_AddNumberToObject(record, "ModifiedAt", sampling_time(entry->modified_ns));
    return record;
}

/* The first entry behind the one that the token names, which may be gone. False if it
   is no token of this file. */
static bool find_page(const struct sampling_service *service, const char *token, size_t *ret)
{
    unsigned priority;
    int name = 0;
    if (sscanf(token, TOKEN_PREFIX "%5u-%n", &priority, &name) != 1 || name == 0)
        return false;
    const struct sampling_rule last = { .name = token + name, .priority = priority };
    *ret = 0;
    while (*ret < service->count &&
           sampling_rule_compare(&service->entries[*ret]->rule, &last) <= 0)
        (*ret)++;
    return true;
}

static bool add_token(cJSON *body, const struct sampling_rule *rule)
{
    char token[sizeof TOKEN_PREFIX + 160];
    snprintf(token, sizeof token, TOKEN_FORMAT, rule->priority, rule->name);
    return cJSON_AddStringToObject(body, "NextToken", token) != NULL;
}

static void get_rules(struct sampling_service *service, const cJSON *request, int64_t now_ns,
                      struct sampling_reply *ret)
{
    const cJSON *token = sampling_member(request, "NextToken");
    size_t first = 0;
    (void)now_ns;
    if (token && (!cJSON_IsString(token) || !find_page(service, token->valuestring, &first))) {
        sampling_invalid(ret, "NextToken is not one that was returned here");
        return;
    }
    size_t end = service->count;
    if (service->settings.page && end - first > service->settings.page)
        end = first + service->settings.page;
    cJSON *body = cJSON_CreateObject();
    cJSON *records = cJSON_AddArrayToObject(body, "SamplingRuleRecords");
    bool good = records;
    for (size_t i = first; i < end && good; i++) {
        cJSON *record = new_record(service->entries[i]);
        good = record && cJSON_AddItemToArray(records, record);
    }
    if (good && end < service->count)
        good = add_token(body, &service->entries[end - 1]->rule);
    if (!good) {
        cJSON_Delete(body);
        body = NULL;
    }
    *ret = (struct sampling_reply){ .status = 200, .body = body };
}

/* ---- Changing ---------------------------------------------------------------- */

static void reply_record(const struct sampling_entry *entry, struct sampling_reply *ret)
{
    cJSON *body = cJSON_CreateObject();
    cJSON *record = new_record(entry);
    if (!record || !cJSON_AddItemToObject(body, "SamplingRuleRecord", record)) {
        cJSON_Delete(record);
        cJSON_Delete(body);
        body = NULL;
    }
    *ret = (struct sampling_reply){ .status = 200, .body = body };
}

/* Of a change that was not made: `what` is the member with the rule. */
static void refuse_change(struct sampling_reply *ret, int r, const char *what,
                          const struct sampling_problem *problem)
{
    if (r == -ENOMEM)
        *ret = (struct sampling_reply){ .status = 500 };
    else
        sampling_invalid(ret, "%s.%s", what, problem->text);
}

static void create_rule(struct sampling_service *service, const cJSON *request, int64_t now_ns,
                        struct sampling_reply *ret)
{
    const cJSON *input = sampling_member(request, "SamplingRule");
    struct sampling_problem problem;
    struct sampling_rule rule;
    if (!cJSON_IsObject(input)) {
        sampling_invalid(ret, "SamplingRule is missing");
        return;
    }
    if (sampling_member(input, "RuleARN")) {
        sampling_invalid(ret, "SamplingRule.RuleARN is given by the service: name a new rule by "
                              "RuleName only");
        return;
    }
    int r = sampling_rule_new(&rule, input, NULL, &problem);
    if (r == 0 && service->count > service->settings.rules_max) {
        sampling_rule_free(&rule);
        fail(ret, 400, "RuleLimitExceededException",
             "there are as many rules as can be: delete one first");
        return;
    }
    if (r == 0) {
        r = sampling_entry_add(service, &rule, now_ns, &problem);
        if (r < 0)
            sampling_rule_free(&rule);
    }
    if (r < 0)
        refuse_change(ret, r, "SamplingRule", &problem);
    else
        reply_record(sampling_entry_find(service, rule.name), ret);
}

/* The rule that an update or a deletion names. NULL after an error. */
static struct sampling_entry *find_named(const struct sampling_service *service,
                                         const cJSON *object, struct sampling_reply *ret)
{
    const cJSON *name = sampling_member(object, "RuleName");
    const cJSON *arn = sampling_member(object, "RuleARN");
    const char *text = cJSON_GetStringValue(name ? name : arn);
    if (!name == !arn || !text) {
        sampling_invalid(ret, "name the rule by RuleName or by RuleARN, and not by both");
        return NULL;
    }
    for (size_t i = 0; i < service->count; i++) {
        const struct sampling_rule *rule = &service->entries[i]->rule;
        if (strcmp(name ? rule->name : rule->arn, text) == 0)
            return service->entries[i];
    }
    sampling_invalid(ret, "there is no sampling rule %.200s", text);
    return NULL;
}

/* What else of Default may be changed than how much it samples: nothing. */
static const char *forbidden_for_default(const cJSON *update)
{
    static const char *const members[] = { "ResourceARN", "Priority",   "Host",    "ServiceName",
                                           "ServiceType", "HTTPMethod", "URLPath", "Attributes" };
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (sampling_member(update, members[i]))
            return members[i];
    return NULL;
}

static void update_rule(struct sampling_service *service, const cJSON *request, int64_t now_ns,
                        struct sampling_reply *ret)
{
    const cJSON *update = sampling_member(request, "SamplingRuleUpdate");
    struct sampling_problem problem;
    struct sampling_rule rule;
    if (!cJSON_IsObject(update)) {
        sampling_invalid(ret, "SamplingRuleUpdate is missing");
        return;
    }
    struct sampling_entry *entry = find_named(service, update, ret);
    if (!entry)
        return;
    const char *forbidden = sampling_rule_is_default(&entry->rule) ? forbidden_for_default(update)
                                                                   : NULL;
    if (forbidden) {
        sampling_invalid(ret, "SamplingRuleUpdate.%s of the rule Default can't be changed",
                         forbidden);
        return;
    }
    int r = sampling_rule_new(&rule, update, &entry->rule, &problem);
    if (r < 0) {
        refuse_change(ret, r, "SamplingRuleUpdate", &problem);
        return;
    }
    sampling_entry_replace(service, entry, &rule, now_ns);
    reply_record(entry, ret);
}

static void delete_rule(struct sampling_service *service, const cJSON *request, int64_t now_ns,
                        struct sampling_reply *ret)
{
    struct sampling_entry *entry = find_named(service, request, ret);
    if (!entry)
        return;
    if (sampling_rule_is_default(&entry->rule)) {
        sampling_invalid(ret, "the rule Default can't be deleted");
        return;
    }
    take_out(service, entry);
    touch(service, now_ns);
    reply_record(entry, ret);
    free_entry(entry);
}

/* ---- Requests ---------------------------------------------------------------- */

static const struct {
    const char *path;
    sampling_operation *run;
} operations[] = {
    { "/GetSamplingRules", get_rules },
    { "/SamplingTargets", sampling_get_targets },
    /* The name of the operation, which is not its path: easily mistaken. */
    { "/GetSamplingTargets", sampling_get_targets },
    { "/SamplingStatisticSummaries", sampling_get_statistic_summaries },
    { "/CreateSamplingRule", create_rule },
    { "/UpdateSamplingRule", update_rule },
    { "/DeleteSamplingRule", delete_rule },
};

sampling_operation *sampling_operation_find(const char *path)
{
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        if (strcmp(operations[i].path, path) == 0)
            return operations[i].run;
    return NULL;
}

unsigned sampling_service_post(struct sampling_service *service, const char *path, const char *body,
                               size_t length, int64_t now_ns, char **ret_body)
{
    sampling_operation *run = sampling_operation_find(path);
    struct sampling_reply reply;
    struct json_error error;
    cJSON *request = NULL;
    if (length == 0)
        request = cJSON_CreateObject();
    else if (json_text_check(body, length, &error))
        request = cJSON_ParseWithLength(body, length);
    if (!run)
        fail(&reply, 404, "UnknownOperationException", "there is no such operation");
    else if (!cJSON_IsObject(request))
        fail(&reply, 400, "SerializationException", "the body is not a JSON object");
    else
        run(service, request, now_ns, &reply);
    cJSON_Delete(request);
    *ret_body = reply.body ? cJSON_PrintUnformatted(reply.body) : NULL;
    cJSON_Delete(reply.body);
    return *ret_body ? reply.status : 500;
}
