/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

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
static struct documents documents;
static pid_t test_process;

__attribute__((__constructor__)) static void remember_process(void)
{
    test_process = getpid();
}

/* ---- Hooks ------------------------------------------------------------------ */

/*
 * Only where the test itself runs can it fail with words; other threads and forked children just
 * end, since what they print is not shown.
 */
static void refuse(const xray_document *document, const char *why)
{
    if (getpid() == test_process && gettid() == test_process)
        cr_assert_fail("a document breaks a rule: %s\n%.*s", why, (int)document->length,
                       document->json);
    fprintf(stderr, "a document breaks a rule: %s\n%.*s\n", why, (int)document->length,
            document->json);
    abort();
}

/* The same in a document and in what is said about it. */
static void check_flags(const xray_document *document, const cJSON *json)
{
    char trace_id[XRAY_TRACE_ID_SIZE];

    xray_trace_id_format(document->trace_id, trace_id, sizeof(trace_id));
    if (strcmp(text_at(json, "trace_id"), trace_id) != 0)
        refuse(document, "its trace is another one");
    if (!member(json, "type") != !!(document->flags & XRAY_DOCUMENT_SEGMENT))
        refuse(document, "it is a subsegment and said to be none, or the other way");
    if (true_at(json, "in_progress") != !!(document->flags & XRAY_DOCUMENT_IN_PROGRESS))
        refuse(document, "it is in progress and said not to be, or the other way");
    if ((document->flags & XRAY_DOCUMENT_CAPTURED) && (document->flags & XRAY_DOCUMENT_SEGMENT) &&
        !cJSON_IsFalse(member(json, "annotations.xray_sampled")))
        refuse(document, "it was captured and does not say so");
}

/* What is no rule of X-Ray's, but ours. */
static void check_entity(const xray_document *document, const cJSON *one)
{
    const cJSON *child;

    if (true_at(one, "fault") && !member(one, "cause") && !member(one, "http.response.status"))
        refuse(document, "a fault has no reason");
    if (!member(one, "parent_id") && member(one, "trace_id") && !member(one, "aws.xray.sdk"))
        refuse(document, "a segment does not say who made it");
    cJSON_ArrayForEach(child, member(one, "subsegments")) check_entity(document, child);
}

static void check_in(const xray_document *document, struct documents *set)
{
    struct violation violation;
    cJSON *json = cJSON_ParseWithLength(document->json, document->length);

    if (!document_check(document->json, document->length, 0, set, &violation))
        refuse(document, violation.text);
    if (!json)
        refuse(document, "cJSON cannot read it");
    check_flags(document, json);
    check_entity(document, json);
    cJSON_Delete(json);
}

void check_document(const xray_document *document)
{
    pthread_mutex_lock(&lock);
    check_in(document, &documents);
    pthread_mutex_unlock(&lock);
}

void declare_exception(xray_segment_id id)
{
    pthread_mutex_lock(&lock);
    documents_declare(&documents, id);
    pthread_mutex_unlock(&lock);
}

static int keep(void *data, const xray_document *given)
{
    struct kept one = { .length = given->length, .flags = given->flags };
    struct documents refused = { 0 };
    struct violation violation;

    (void)data;
    pthread_mutex_lock(&lock);
    if (emitter_answer >= 0) {
        check_in(given, &documents);
        one.text = strndup(given->json, given->length);
        one.service = strdup(given->service);
        kept = realloc(kept, (kept_count + 1) * sizeof(*kept));
        kept[kept_count++] = one;
    } else {
        check_in(given, &refused);
        documents_end(&refused, &violation);
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

/* Emitters of the tests' own, with documents checked before they get them. */
#define EMITTERS_MAX 4
static int (*emits[EMITTERS_MAX])(void *, const xray_document *);

#define CHECKED_EMIT(n)                                            \
    static int emit_##n(void *data, const xray_document *document) \
    {                                                              \
        check_document(document);                                  \
        return emits[n](data, document);                           \
    }
CHECKED_EMIT(0)
CHECKED_EMIT(1)
CHECKED_EMIT(2)
CHECKED_EMIT(3)

static int (*const checked[EMITTERS_MAX])(void *, const xray_document *) = { emit_0, emit_1, emit_2,
                                                                             emit_3 };

static xray_emitter with_check(const xray_emitter *emitter)
{
    xray_emitter copy = *emitter;
    int n = 0;

    while (n < EMITTERS_MAX - 1 && emits[n] && emits[n] != emitter->emit)
        n++;
    cr_assert(!emits[n] || emits[n] == emitter->emit, "more than %d emitters", EMITTERS_MAX);
    emits[n] = emitter->emit;
    copy.emit = checked[n];
    return copy;
}

void record_from_environment(xray_recorder_params params)
{
    xray_emitter emitter;

    params.size = sizeof(params);
    if (params.emitter) {
        emitter = with_check(params.emitter);
        params.emitter = &emitter;
    } else {
        params.emitter = &keeping;
    }
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

/* ---- Settling ------------------------------------------------------------------ */

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
    struct violation violation;

    cr_assert(documents_end(&documents, &violation), "%s", violation.text);
    cr_assert_eq(stats.sampled, stats.embedded + stats.emitted + stats.failed + stats.dropped,
                 "sampled %zu, embedded %zu, emitted %zu, failed %zu, dropped %zu",
                 (size_t)stats.sampled, (size_t)stats.embedded, (size_t)stats.emitted,
                 (size_t)stats.failed, (size_t)stats.dropped);
    cr_assert_geq(stats.begun, stats.sampled);
    cr_assert_eq(stats.anomalies, stats.captured + stats.refused + stats.capture_failed,
                 "anomalies %zu, captured %zu, refused %zu, failed %zu", (size_t)stats.anomalies,
                 (size_t)stats.captured, (size_t)stats.refused, (size_t)stats.capture_failed);
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
