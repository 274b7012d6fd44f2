/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The document is checked first, then compiled into one block: the conditions,
 * their operations, and the operations' texts. Nothing changes it from there.
 */
#include "sampling/adaptive.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "sampling/adaptive_status.h"
#include "sampling/adaptive_yaml.h"

#define NS_PER_MS             ((int64_t)1000000)
#define LATENCY_MS_MAX        86400000.0 /* a day */
#define TRACES_PER_SECOND_MAX 1e6

struct operation {
    const char *text;
    size_t length;
};

struct condition {
    struct xr_status_set statuses;
    int64_t latency_ns;
    const struct operation *operations;
    uint32_t operation_count;
    unsigned usage; /* XR_ANOMALY_… */
    bool has_statuses;
    bool has_latency;
    bool has_operations;
};

struct xr_adaptive {
    size_t bytes; /* of this block */
    double traces_per_second;
    size_t condition_count;
    bool has_conditions; /* there may be none in them */
    struct condition conditions[];
};

/* ---- Checking -------------------------------------------------------------------- */

/* The underscores are those of one of the readers, and "span" that of the service's manual. */
static const struct usage {
    const char *name;
    unsigned flags;
} usages[] = {
    { "both", XR_ANOMALY_BOOST | XR_ANOMALY_CAPTURE },
    { "sampling-boost", XR_ANOMALY_BOOST },
    { "anomaly-trace-capture", XR_ANOMALY_CAPTURE },
    { "anomaly-span-capture", XR_ANOMALY_CAPTURE },
    { "anomaly_trace_capture", XR_ANOMALY_CAPTURE },
    { "neither", 0 },
};

static const struct usage *usage_of(const cJSON *item)
{
    const char *text = cJSON_IsString(item) ? xr_yaml_text(item) : "";

    for (size_t i = 0; i < sizeof(usages) / sizeof(*usages); i++)
        if (strcmp(text, usages[i].name) == 0)
            return &usages[i];
    return NULL;
}

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

#define REFUSE(reason, item, ...) (xr_yaml_say(reason, xr_yaml_line(item), __VA_ARGS__), -EINVAL)

/* A name that is not known may be one that is misspelt, so it is not passed over. */
static int check_names(const cJSON *object, const char *owner, const char *const names[],
                       const char *all, const struct xr_yaml_reason *reason)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, object)
    {
        size_t i = 0;

        while (names[i] && strcmp(names[i], item->string) != 0)
            i++;
        if (!names[i])
            return REFUSE(reason, item, "%s%.40s is unknown: there can be %s", owner, item->string,
                          all);
    }
    return 0;
}

static bool is_number_within(const cJSON *item, double least, double most)
{
    return cJSON_IsNumber(item) && item->valuedouble >= least && item->valuedouble <= most;
}

static int check_regex(const cJSON *item, int index, const struct xr_yaml_reason *reason)
{
    struct xr_status_set set;
    const char *wrong;
    size_t at;

    /* 500 without quotes is a number to YAML, and what was meant to everyone else. */
    if (!cJSON_IsString(item) && !cJSON_IsNumber(item))
        return REFUSE(reason, item,
                      "anomalyConditions[%d].errorCodeRegex must be text, such as '5\\d\\d'",
                      index);
    wrong = xr_status_set_from_regex(&set, xr_yaml_text(item), &at);
    if (wrong)
        return REFUSE(reason, item,
                      "anomalyConditions[%d].errorCodeRegex is refused at character %zu: %s", index,
                      at + 1, wrong);
    return 0;
}

/* Adds how many there are, and what their texts need. */
static int check_operations(const cJSON *item, int index, size_t *count, size_t *bytes,
                            const struct xr_yaml_reason *reason)
{
    const cJSON *operation;
    int here = 0;

    if (!cJSON_IsArray(item))
        return REFUSE(reason, item,
                      "anomalyConditions[%d].operations must be a list, such as ['GET /api']",
                      index);
    cJSON_ArrayForEach(operation, item)
    {
        if (++here > XR_ADAPTIVE_OPERATIONS_MAX)
            return REFUSE(
                reason, operation,
                "anomalyConditions[%d].operations has more than %d: use another condition", index,
                XR_ADAPTIVE_OPERATIONS_MAX);
        if (!xr_yaml_text(operation) || cJSON_IsNull(operation))
            return REFUSE(reason, operation,
                          "anomalyConditions[%d].operations must hold text, such as 'GET /api'",
                          index);
        *count += 1;
        *bytes += strlen(xr_yaml_text(operation));
    }
    return 0;
}

static int check_condition(const cJSON *condition, int index, size_t *count, size_t *bytes,
                           const struct xr_yaml_reason *reason)
{
    static const char *const names[] = { "errorCodeRegex", "operations", "highLatencyMs", "usage",
                                         NULL };
    const cJSON *item;
    int r;

    if (!cJSON_IsObject(condition))
        return REFUSE(reason, condition,
                      "anomalyConditions[%d] must be a mapping, such as {highLatencyMs: 300}",
                      index);
    r = check_names(condition, "", names, "errorCodeRegex, operations, highLatencyMs and usage",
                    reason);
    if (r >= 0 && (item = member(condition, "errorCodeRegex")))
        r = check_regex(item, index, reason);
    if (r >= 0 && (item = member(condition, "operations")))
        r = check_operations(item, index, count, bytes, reason);
    if (r < 0)
        return r;

    item = member(condition, "highLatencyMs");
    if (item && !is_number_within(item, 0, LATENCY_MS_MAX))
        return REFUSE(
            reason, item,
            "anomalyConditions[%d].highLatencyMs must be a number of milliseconds, at most "
            "a day of them",
            index);
    item = member(condition, "usage");
    if (item && !usage_of(item))
        return REFUSE(reason, item,
                      "anomalyConditions[%d].usage must be both, sampling-boost, "
                      "anomaly-trace-capture or neither",
                      index);
    return 0;
}

static int check_limit(const cJSON *limit, const struct xr_yaml_reason *reason)
{
    static const char *const names[] = { "anomalyTracesPerSecond", NULL };
    const cJSON *item;
    int r;

    if (!limit)
        return 0;
    if (!cJSON_IsObject(limit))
        return REFUSE(reason, limit,
                      "anomalyCaptureLimit must be a mapping with anomalyTracesPerSecond");
    r = check_names(limit, "anomalyCaptureLimit.", names, "anomalyTracesPerSecond", reason);
    if (r < 0)
        return r;
    item = member(limit, "anomalyTracesPerSecond");
    if (!is_number_within(item, 0, TRACES_PER_SECOND_MAX))
        return REFUSE(reason, item ? item : limit,
                      "anomalyCaptureLimit.anomalyTracesPerSecond must be a number, from 0 to a "
                      "million");
    return 0;
}

static int check_version(const cJSON *document, const struct xr_yaml_reason *reason)
{
    const cJSON *version = member(document, "version");

    if (!version)
        return REFUSE(reason, document, "version is missing: begin with \"version: 1.0\"");
    if (!cJSON_IsNumber(version) || !(version->valuedouble >= 1 && version->valuedouble < 2))
        return REFUSE(reason, version, "version must be the number 1.0: others are not known");
    return 0;
}

/* How many operations there are in all, and the bytes of their texts. */
static int check_document(const cJSON *document, size_t *ret_operations, size_t *ret_bytes,
                          const struct xr_yaml_reason *reason)
{
    static const char *const names[] = { "version", "anomalyConditions", "anomalyCaptureLimit",
                                         NULL };
    const cJSON *conditions = member(document, "anomalyConditions"), *condition;
    int index = 0, r;

    *ret_operations = *ret_bytes = 0;
    if (!cJSON_IsObject(document))
        return REFUSE(reason, document,
                      "there must be a mapping with version and anomalyConditions");
    r = check_version(document, reason);
    if (r >= 0)
        r = check_names(document, "", names, "version, anomalyConditions and anomalyCaptureLimit",
                        reason);
    if (r >= 0)
        r = check_limit(member(document, "anomalyCaptureLimit"), reason);
    if (r < 0)
        return r;

    if (conditions && !cJSON_IsArray(conditions))
        return REFUSE(reason, conditions,
                      "anomalyConditions must be a list: leave it out for the default condition, "
                      "write [] for none");
    cJSON_ArrayForEach(condition, conditions)
    {
        if (index == XR_ADAPTIVE_CONDITIONS_MAX)
            return REFUSE(reason, condition, "anomalyConditions has more than %d",
                          XR_ADAPTIVE_CONDITIONS_MAX);
        r = check_condition(condition, index++, ret_operations, ret_bytes, reason);
        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- Compiling ------------------------------------------------------------------- */

/* Where the next operation and its text go. */
struct room {
    struct operation *operations;
    char *text;
};

static void compile_condition(struct condition *ret, const cJSON *document, struct room *room)
{
    const cJSON *regex = member(document, "errorCodeRegex");
    const cJSON *latency = member(document, "highLatencyMs");
    const cJSON *operations = member(document, "operations");
    const cJSON *usage = member(document, "usage"), *operation;
    size_t at;

    *ret = (struct condition){
        .usage = usage ? usage_of(usage)->flags : XR_ANOMALY_BOOST | XR_ANOMALY_CAPTURE,
        .latency_ns = latency ? (int64_t)(latency->valuedouble * (double)NS_PER_MS) : 0,
        .operations = room->operations,
        .has_statuses = regex != NULL,
        .has_latency = latency != NULL,
        .has_operations = operations != NULL,
    };
    if (regex)
        xr_status_set_from_regex(&ret->statuses, xr_yaml_text(regex), &at);
    cJSON_ArrayForEach(operation, operations)
    {
        size_t length = strlen(xr_yaml_text(operation));

        memcpy(room->text, xr_yaml_text(operation), length);
        *room->operations++ = (struct operation){ .text = room->text, .length = length };
        room->text += length;
        ret->operation_count++;
    }
}

static struct xr_adaptive *compile(const cJSON *document, size_t operation_count, size_t text_bytes)
{
    const cJSON *conditions = member(document, "anomalyConditions"), *condition;
    const cJSON *limit = member(document, "anomalyCaptureLimit");
    size_t count = conditions ? (size_t)cJSON_GetArraySize(conditions) : 0;
    size_t bytes = sizeof(struct xr_adaptive) + count * sizeof(struct condition) +
                   operation_count * sizeof(struct operation) + text_bytes;
    struct xr_adaptive *adaptive = xr_alloc(bytes);
    struct condition *next;
    struct room room;

    if (!adaptive)
        return NULL;
    *adaptive = (struct xr_adaptive){
        .bytes = bytes,
        .traces_per_second = limit ? member(limit, "anomalyTracesPerSecond")->valuedouble
                                   : XR_ADAPTIVE_TRACES_PER_SECOND,
        .condition_count = count,
        .has_conditions = conditions != NULL,
    };
    next = adaptive->conditions;
    room.operations = (struct operation *)(adaptive->conditions + count);
    room.text = (char *)(room.operations + operation_count);
    cJSON_ArrayForEach(condition, conditions)
    {
        compile_condition(next++, condition, &room);
    }
    return adaptive;
}

int xr_adaptive_new(struct xr_adaptive **ret, const char *text, char *ret_reason,
                    size_t reason_size)
{
    const struct xr_yaml_reason reason = { .text = ret_reason, .size = reason_size };
    size_t length = strnlen(text, XR_ADAPTIVE_TEXT_MAX + 1), operations, bytes;
    struct xr_adaptive *adaptive;
    cJSON *document;
    int r;

    if (length > XR_ADAPTIVE_TEXT_MAX) {
        xr_yaml_say(&reason, 0, "it is longer than %u bytes", XR_ADAPTIVE_TEXT_MAX);
        return -EINVAL;
    }
    r = xr_yaml_parse(&document, text, length, &reason);
    if (r < 0)
        return r;
    r = check_document(document, &operations, &bytes, &reason);
    if (r >= 0) {
        adaptive = compile(document, operations, bytes);
        if (adaptive)
            *ret = adaptive;
        else
            xr_yaml_say(&reason, 0, "out of memory");
        r = adaptive ? 0 : -ENOMEM;
    }
    cJSON_Delete(document);
    return r;
}

void xr_adaptive_free(struct xr_adaptive *adaptive)
{
    if (adaptive)
        xr_free(adaptive, adaptive->bytes);
}

double xr_adaptive_traces_per_second(const struct xr_adaptive *adaptive)
{
    return adaptive ? adaptive->traces_per_second : XR_ADAPTIVE_TRACES_PER_SECOND;
}

/* ---- Judging --------------------------------------------------------------------- */

/* Measured once for all conditions. */
struct request {
    const char *name;
    const char *method;
    const char *path; /* its first segment, with the slash before it; NULL if not known */
    size_t name_length;
    size_t method_length;
    size_t path_length;
};

static struct request request_of(const struct xr_adaptive_ending *ending)
{
    struct request request = { .name = ending->name, .method = ending->http_method };

    if (request.name)
        request.name_length = strlen(request.name);
    if (request.method)
        request.method_length = strlen(request.method);
    if (ending->url_path && *ending->url_path == '/') {
        request.path = ending->url_path;
        request.path_length = 1 + strcspn(request.path + 1, "/?#");
    }
    return request;
}

static bool same(const char *a, size_t a_length, const char *b, size_t b_length)
{
    return a && b && a_length == b_length && memcmp(a, b, a_length) == 0;
}

/* Its name, "/first" or "METHOD /first". */
static bool is_operation(const struct operation *operation, const struct request *request)
{
    size_t method = request->method_length;

    if (same(operation->text, operation->length, request->name, request->name_length) ||
        same(operation->text, operation->length, request->path, request->path_length))
        return true;
    return request->method && operation->length > method + 1 && operation->text[method] == ' ' &&
           memcmp(operation->text, request->method, method) == 0 &&
           same(operation->text + method + 1, operation->length - method - 1, request->path,
                request->path_length);
}

static bool holds(const struct condition *condition, const struct xr_adaptive_ending *ending)
{
    if (!condition->has_statuses && !condition->has_latency)
        return false;
    if (condition->has_statuses && !xr_status_set_has(&condition->statuses, ending->status))
        return false;
    if (condition->has_latency && ending->duration_ns < condition->latency_ns)
        return false;
    if (condition->has_operations) {
        struct request request = request_of(ending);

        for (uint32_t i = 0; i < condition->operation_count; i++)
            if (is_operation(&condition->operations[i], &request))
                return true;
        return false;
    }
    return true;
}

unsigned xr_adaptive_judge(const struct xr_adaptive *adaptive,
                           const struct xr_adaptive_ending *ending)
{
    unsigned result = 0;

    if (!adaptive || !adaptive->has_conditions) {
        if (ending->status > 499 || (ending->status == 0 && ending->fault))
            result = XR_ANOMALY_BOOST | XR_ANOMALY_CAPTURE | XR_ANOMALY_DEFAULT;
        return result;
    }
    for (size_t i = 0; i < adaptive->condition_count; i++) {
        const struct condition *condition = &adaptive->conditions[i];

        if ((condition->usage & ~result) && holds(condition, ending))
            result |= condition->usage;
    }
    return result;
}
