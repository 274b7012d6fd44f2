/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>

struct kept {
    char *text;
    size_t length;
    char *service;
    uint32_t flags;
    cJSON *json;
};

struct thread_call {
    void (*function)(void *);
    void *data;
};

xray_recorder *recorder;
int emitter_answer;
int64_t clock_ns = 1700000000000000000;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct kept *kept;
static size_t kept_count;
static char messages[64][512];
static size_t messages_count;

/* ---- Hooks ------------------------------------------------------------------ */

static int keep(void *data, const xray_document *given)
{
    struct kept one = { .length = given->length, .flags = given->flags };

    (void)data;
    pthread_mutex_lock(&lock);
    if (emitter_answer >= 0) {
        one.text = strndup(given->json, given->length);
        one.service = strdup(given->service);
        kept = realloc(kept, (kept_count + 1) * sizeof(*kept));
        kept[kept_count++] = one;
    }
    pthread_mutex_unlock(&lock);
    errno = -emitter_answer;
    return emitter_answer;
}

static void say_yes(void *data, const xray_sampling_request *request, xray_sampling_decision *ret)
{
    (void)data;
    (void)request;
    *ret = (xray_sampling_decision){ .sampled = 1 };
}

static void say_no(void *data, const xray_sampling_request *request, xray_sampling_decision *ret)
{
    (void)data;
    (void)request;
    *ret = (xray_sampling_decision){ .sampled = 0 };
}

static void keep_message(void *data, int level, const char *text)
{
    (void)data;
    (void)level;
    pthread_mutex_lock(&lock);
    if (messages_count < sizeof(messages) / sizeof(*messages))
        snprintf(messages[messages_count++], sizeof(messages[0]), "%s", text);
    pthread_mutex_unlock(&lock);
}

static int64_t read_still_clock(void *data)
{
    (void)data;
    return clock_ns;
}

static const xray_emitter keeping = { .size = sizeof(keeping), .emit = keep };
static const xray_logger keeping_logger = { .size = sizeof(keeping_logger), .log = keep_message };
const xray_sampler sampler_yes = { .size = sizeof(sampler_yes), .decide = say_yes };
const xray_sampler sampler_no = { .size = sizeof(sampler_no), .decide = say_no };
const xray_clock still_clock = { .size = sizeof(still_clock), .now_ns = read_still_clock };

void record_from_environment(xray_recorder_params params)
{
    params.size = sizeof(params);
    if (!params.emitter)
        params.emitter = &keeping;
    if (!params.logger)
        params.logger = &keeping_logger;
    cr_assert_eq(xray_recorder_new(&recorder, &params), 0);
    xray_recorder_set_default(recorder);
}

void record_with(xray_recorder_params params)
{
    params.flags |= XRAY_RECORDER_NO_ENVIRONMENT;
    if (!params.sampler)
        params.sampler = &sampler_yes;
    record_from_environment(params);
}

void record(void)
{
    record_with((xray_recorder_params){ .service = "service" });
}

/* ---- Rules of documents ------------------------------------------------------- */

static bool is_hex(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!isxdigit((unsigned char)text[i]) || isupper((unsigned char)text[i]))
            return false;
    return true;
}

static void expect_no_member_twice(const cJSON *object)
{
    for (const cJSON *a = object->child; a; a = a->next) {
        if (cJSON_IsObject(object))
            for (const cJSON *b = a->next; b; b = b->next)
                cr_assert_str_neq(a->string, b->string, "\"%s\" twice", a->string);
        expect_no_member_twice(a);
    }
}

static void expect_entity(const cJSON *one)
{
    bool unfinished = true_at(one, "in_progress");
    const char *id = text_at(one, "id");

    cr_assert_str_eq(one->child->string, "id", "the id comes first");
    cr_assert(strlen(id) == 16 && is_hex(id, 16), "id %s", id);
    cr_assert_str_neq(id, "0000000000000000");
    cr_assert(cJSON_IsString(member(one, "name")) && *text_at(one, "name"), "a name");
    cr_assert(cJSON_IsNumber(member(one, "start_time")), "a start");
    cr_assert_neq(unfinished, cJSON_IsNumber(member(one, "end_time")), "an end or in_progress");
    if (!unfinished)
        cr_assert_geq(number_at(one, "end_time"), number_at(one, "start_time"));
    if (true_at(one, "fault"))
        cr_assert(member(one, "cause") || member(one, "http.response.status"), "a fault's reason");
    if (true_at(one, "throttle"))
        cr_assert(true_at(one, "error"), "throttle is an error too");
    for (const cJSON *child = one->child; child; child = child->next)
        if (cJSON_IsObject(child) || cJSON_IsArray(child))
            cr_assert(child->child, "\"%s\" is empty", child->string);
}

static void expect_embedded(const cJSON *one)
{
    const cJSON *child;

    cJSON_ArrayForEach(child, member(one, "subsegments"))
    {
        expect_entity(child);
        cr_assert(!member(child, "trace_id") && !member(child, "parent_id") &&
                      !member(child, "type"),
                  "an embedded one says where it is by its place");
        expect_embedded(child);
    }
}

static void expect_document(const struct kept *one)
{
    const char *trace = text_at(one->json, "trace_id");
    bool is_segment = (one->flags & XRAY_DOCUMENT_SEGMENT) != 0;

    cr_assert_leq(one->length, DOCUMENT_MAX, "%zu bytes", one->length);
    cr_assert_eq(strlen(one->text), one->length, "no NUL");
    cr_assert_eq(strncmp(one->text, "{\"id\":\"", 7), 0, "no blanks, and the id first");
    expect_no_member_twice(one->json);
    expect_entity(one->json);
    cr_assert(strlen(trace) == 35 && strncmp(trace, "1-", 2) == 0 && is_hex(trace + 2, 8) &&
                  trace[10] == '-' && is_hex(trace + 11, 24),
              "trace id %s", trace);
    cr_assert_eq(strcmp(text_at(one->json, "type"), "subsegment") == 0, !is_segment);
    cr_assert(is_segment || member(one->json, "parent_id"), "a subsegment has a parent");
    cr_assert_eq(true_at(one->json, "in_progress"), (one->flags & XRAY_DOCUMENT_IN_PROGRESS) != 0);
    cr_assert(!is_segment || member(one->json, "aws.xray.sdk"), "a segment says who made it");
    expect_embedded(one->json);
}

static void count_id(const cJSON *one, const char *id, bool finished, size_t *count)
{
    const cJSON *child;

    if (strcmp(text_at(one, "id"), id) == 0 && !true_at(one, "in_progress") == finished)
        ++*count;
    cJSON_ArrayForEach(child, member(one, "subsegments")) count_id(child, id, finished, count);
}

static void expect_unique(const cJSON *one)
{
    bool finished = !true_at(one, "in_progress");
    const cJSON *child;
    size_t count = 0;

    for (size_t i = 0; i < kept_count; i++)
        count_id(kept[i].json, text_at(one, "id"), finished, &count);
    cr_assert_eq(count, 1, "%s is there %zu times", text_at(one, "name"), count);
    cJSON_ArrayForEach(child, member(one, "subsegments")) expect_unique(child);
}

static void parse_documents(void)
{
    for (size_t i = 0; i < kept_count; i++) {
        const char *end;

        if (kept[i].json)
            continue;
        kept[i].json = cJSON_ParseWithOpts(kept[i].text, &end, true);
        cr_assert(kept[i].json, "not JSON: %.200s", kept[i].text);
    }
}

void settle(void)
{
    xray_stats stats = stats_of(recorder);

    parse_documents();
    for (size_t i = 0; i < kept_count; i++)
        expect_document(&kept[i]);
    if (entity_count() <= 1000)
        for (size_t i = 0; i < kept_count; i++)
            expect_unique(kept[i].json);
    cr_assert_eq(stats.sampled, stats.embedded + stats.emitted + stats.failed + stats.dropped,
                 "sampled %zu, embedded %zu, emitted %zu, failed %zu, dropped %zu",
                 (size_t)stats.sampled, (size_t)stats.embedded, (size_t)stats.emitted,
                 (size_t)stats.failed, (size_t)stats.dropped);
    cr_assert_geq(stats.begun, stats.sampled);
    xray_recorder_set_default(NULL);
    xray_recorder_free(recorder);
    recorder = NULL;
}

xray_stats stats_of(xray_recorder *of)
{
    xray_stats stats = { .size = sizeof(stats) };

    xray_recorder_get_stats(of, &stats);
    return stats;
}

/* ---- Looking at documents ------------------------------------------------------ */

size_t document_count(void)
{
    return kept_count;
}

const char *document_text(size_t i)
{
    cr_assert_lt(i, kept_count, "there are only %zu documents", kept_count);
    return kept[i].text;
}

uint32_t document_flags(size_t i)
{
    cr_assert_lt(i, kept_count);
    return kept[i].flags;
}

const char *document_service(size_t i)
{
    cr_assert_lt(i, kept_count);
    return kept[i].service;
}

const cJSON *document(size_t i)
{
    cr_assert_lt(i, kept_count, "there are only %zu documents", kept_count);
    parse_documents();
    return kept[i].json;
}

void forget_documents(void)
{
    for (size_t i = 0; i < kept_count; i++) {
        cJSON_Delete(kept[i].json);
        free(kept[i].text);
        free(kept[i].service);
    }
    kept_count = 0;
}

static void search(const cJSON *one, const char *name, const cJSON **found, const cJSON **around)
{
    const cJSON *child;

    cJSON_ArrayForEach(child, member(one, "subsegments"))
    {
        if (strcmp(text_at(child, "name"), name) == 0) {
            cr_assert_null(*found, "%s is there twice", name);
            *found = child;
            *around = one;
        }
        search(child, name, found, around);
    }
}

static const cJSON *find(const char *name, const cJSON **around)
{
    const cJSON *found = NULL;

    *around = NULL;
    parse_documents();
    for (size_t i = 0; i < kept_count; i++) {
        if (strcmp(text_at(kept[i].json, "name"), name) == 0 &&
            !(kept[i].flags & XRAY_DOCUMENT_IN_PROGRESS)) {
            cr_assert_null(found, "%s is there twice", name);
            found = kept[i].json;
        }
        search(kept[i].json, name, &found, around);
    }
    return found;
}

const cJSON *entity(const char *name)
{
    const cJSON *around;

    return find(name, &around);
}

const cJSON *own_document(const char *name)
{
    const cJSON *around, *found = find(name, &around);

    cr_assert(found, "%s was not emitted", name);
    cr_assert_null(around, "%s is embedded", name);
    return found;
}

const cJSON *embedded(const char *name)
{
    const cJSON *around, *found = find(name, &around);

    cr_assert(found, "%s was not emitted", name);
    cr_assert(around, "%s is a document of its own", name);
    return found;
}

const cJSON *parent_of_embedded(const char *name)
{
    const cJSON *around;

    find(name, &around);
    cr_assert(around, "%s is not embedded", name);
    return around;
}

const cJSON *member(const cJSON *object, const char *path)
{
    char key[128];

    while (object && *path) {
        size_t length = strcspn(path, ".");

        snprintf(key, sizeof(key), "%.*s", (int)length, path);
        object = cJSON_GetObjectItemCaseSensitive(object, key);
        path += length + (path[length] == '.');
    }
    return object;
}

const char *text_at(const cJSON *object, const char *path)
{
    const char *text = cJSON_GetStringValue((cJSON *)member(object, path));

    return text ? text : "";
}

double number_at(const cJSON *object, const char *path)
{
    const cJSON *found = member(object, path);

    cr_assert(cJSON_IsNumber(found), "%s is no number", path);
    return found->valuedouble;
}

bool true_at(const cJSON *object, const char *path)
{
    return cJSON_IsTrue(member(object, path));
}

bool emitted_text(const char *text)
{
    for (size_t i = 0; i < kept_count; i++)
        if (strstr(kept[i].text, text))
            return true;
    return false;
}

static size_t count_entities(const cJSON *one)
{
    size_t count = 1;
    const cJSON *child;

    cJSON_ArrayForEach(child, member(one, "subsegments")) count += count_entities(child);
    return count;
}

size_t entity_count(void)
{
    size_t count = 0;

    parse_documents();
    for (size_t i = 0; i < kept_count; i++)
        count += count_entities(kept[i].json);
    return count;
}

static bool has_id(const cJSON *one, const char *id)
{
    const cJSON *child;

    if (strcmp(text_at(one, "id"), id) == 0)
        return true;
    cJSON_ArrayForEach(child, member(one, "subsegments"))
    {
        if (has_id(child, id))
            return true;
    }
    return false;
}

void expect_no_orphans(xray_segment_id known)
{
    char known_text[17];

    id_text(known_text, known);
    parse_documents();
    for (size_t i = 0; i < kept_count; i++) {
        const char *parent = text_at(kept[i].json, "parent_id");
        bool there = !*parent || strcmp(parent, known_text) == 0;

        for (size_t j = 0; j < kept_count && !there; j++)
            there = has_id(kept[j].json, parent);
        cr_assert(there, "%s has no parent", text_at(kept[i].json, "name"));
    }
}

void id_text(char ret[17], xray_segment_id id)
{
    snprintf(ret, 17, "%016llx", (unsigned long long)id);
}

/* ---- Messages and threads --------------------------------------------------------- */

size_t message_count(void)
{
    return messages_count;
}

const char *message(size_t i)
{
    return i < messages_count ? messages[i] : "";
}

bool logged_text(const char *text)
{
    for (size_t i = 0; i < messages_count; i++)
        if (strstr(messages[i], text))
            return true;
    return false;
}

static void *run(void *data)
{
    struct thread_call *call = data;

    call->function(call->data);
    return NULL;
}

void on_thread(void (*function)(void *), void *data)
{
    struct thread_call call = { function, data };
    pthread_t thread;

    cr_assert_eq(pthread_create(&thread, NULL, run, &call), 0);
    pthread_join(thread, NULL);
}
