/* SPDX-License-Identifier: Apache-2.0 */
#include "random_traces.h"

#include "local/base/buffer.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>

#define LEVELS_MAX 5

struct maker {
    struct random_trace *trace;
    struct random *random;
    enum random_kind kind;
    uint64_t last_id;
    unsigned levels;
};

/* Times are in quarters of a second, so that many are the same. */
struct span {
    uint32_t start;
    uint32_t end;
};

uint32_t random_below(struct random *random, uint32_t limit)
{
    uint64_t z = random->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ (z >> 31)) % limit);
}

bool random_once_in(struct random *random, uint32_t times)
{
    return random_below(random, times) == 0;
}

static bool sometimes(struct maker *maker, uint32_t times)
{
    return maker->kind == RANDOM_ANY && random_once_in(maker->random, times);
}

static const char *pick(struct maker *maker, const char *const *list, uint32_t count)
{
    return list[random_below(maker->random, count)];
}

/* Of two documents with one id, the later one counts: those are not made. */
static uint64_t next_id(struct maker *maker, bool document)
{
    if (!document && maker->last_id && sometimes(maker, 20))
        return 1 + random_below(maker->random, (uint32_t)maker->last_id);
    return ++maker->last_id;
}

static struct span part_of(struct maker *maker, struct span whole)
{
    struct span span;
    span.start = whole.start + random_below(maker->random, whole.end - whole.start + 1);
    span.end = span.start + random_below(maker->random, whole.end - span.start + 1);
    if (random_once_in(maker->random, 8))
        span.end += random_below(maker->random, 8); /* it goes on after its parent's end */
    return span;
}

static void put_document(struct maker *maker, struct buffer *text)
{
    char *taken = buffer_take(text, NULL);
    cr_assert_not_null(taken);
    cr_assert_lt(maker->trace->count, RANDOM_DOCUMENTS_MAX);
    if (sometimes(maker, 12))
        free(taken);
    else
        maker->trace->texts[maker->trace->count++] = taken;
}

static void put_ids(struct maker *maker, struct buffer *text, uint64_t parent, bool subsegment)
{
    char id[TRACE_ID_LENGTH + 1];
    trace_id_format(&maker->trace->id, id);
    buffer_printf(text, ",\"trace_id\":\"%s\"", id);
    if (sometimes(maker, 30))
        parent = 1 + random_below(maker->random, 20);
    if (parent)
        buffer_printf(text, ",\"parent_id\":\"%016" PRIx64 "\"", parent);
    if (subsegment)
        buffer_puts(text, ",\"type\":\"subsegment\"");
}

static void put_times(struct buffer *text, struct span span, bool in_progress)
{
    buffer_printf(text, ",\"start_time\":%.2f", 1700000000 + span.start / 4.0);
    if (in_progress)
        buffer_puts(text, ",\"in_progress\":true");
    else
        buffer_printf(text, ",\"end_time\":%.2f", 1700000000 + span.end / 4.0);
}

static void put_outcome(struct maker *maker, struct buffer *text)
{
    static const char *const outcomes[] = {
        "\"fault\":true,\"cause\":{\"exceptions\":[{\"id\":\"00000000000000ee\",\"type\":"
        "\"Broken\","
        "\"message\":\"it broke\"}]}",
        "\"error\":true,\"throttle\":true,\"http\":{\"response\":{\"status\":429}}",
        "\"error\":true,\"cause\":{\"exceptions\":[{\"type\":\"NotFound\"},{\"message\":\"gone\"}]"
        "}",
        "\"fault\":true,\"http\":{\"request\":{\"url\":\"http://h/p\",\"method\":\"GET\"},"
        "\"response\":{\"status\":500}}",
    };
    if (random_once_in(maker->random, 4))
        buffer_printf(text, ",%s", pick(maker, outcomes, 4));
}

static void put_details(struct maker *maker, struct buffer *text)
{
    static const char *const annotations[] = { "\"customer\":\"c1\"", "\"customer\":\"c2\"",
                                               "\"items\":3", "\"items\":4,\"paid\":false",
                                               "\"xray_sampled\":false" };
    if (random_once_in(maker->random, 3))
        buffer_printf(text, ",\"annotations\":{%s}", pick(maker, annotations, 5));
    if (random_once_in(maker->random, 6))
        buffer_printf(text, ",\"user\":\"user%u\"", random_below(maker->random, 3));
    if (random_once_in(maker->random, 10))
        buffer_puts(text, ",\"links\":[{\"trace_id\":\"1-6553f100-000000000000000000000001\","
                          "\"id\":\"0000000000000001\"}]");
}

static void add_segment(struct maker *maker, uint64_t parent, struct span span);

/* What makes a subsegment a call, and of whom. */
static void put_call(struct maker *maker, struct buffer *text, uint64_t id, struct span span)
{
    static const char *const calls[] = {
        "\"name\":\"DynamoDB\",\"namespace\":\"aws\",\"aws\":{\"operation\":\"GetItem\","
        "\"table_name\":\"orders\"}",
        "\"name\":\"DynamoDB\",\"namespace\":\"aws\",\"aws\":{\"operation\":\"BatchGetItem\","
        "\"table_names\":[\"orders\",\"stock\"]}",
        "\"name\":\"SQS\",\"namespace\":\"aws\",\"aws\":{\"queue_url\":\"http://q/1/jobs\"}",
        "\"name\":\"shop@db\",\"namespace\":\"remote\",\"sql\":{\"sanitized_query\":\"select 1\"}",
        "\"name\":\"example.com\",\"namespace\":\"remote\"",
    };
    if (maker->kind == RANDOM_ANY && random_once_in(maker->random, 2)) {
        buffer_printf(text, ",%s", pick(maker, calls, 5));
        return;
    }
    buffer_puts(text, ",\"name\":\"next\",\"namespace\":\"remote\"");
    if (random_once_in(maker->random, 3))
        buffer_puts(text, ",\"traced\":true");
    if (!sometimes(maker, 6))
        add_segment(maker, id, part_of(maker, span));
}

static void put_subsegments(struct maker *maker, struct buffer *text, uint64_t id,
                            struct span span);

/* Embedded: into the text. Else in a document of its own. */
static void put_subsegment(struct maker *maker, struct buffer *list, uint64_t parent,
                           struct span span)
{
    struct buffer text = { 0 };
    bool alone = random_once_in(maker->random, 3);
    uint64_t id = next_id(maker, alone);
    buffer_printf(&text, "{\"id\":\"%016" PRIx64 "\"", id);
    if (alone)
        put_ids(maker, &text, parent, true);
    put_times(&text, span, sometimes(maker, 8));
    put_outcome(maker, &text);
    put_details(maker, &text);
    maker->levels++;
    if (random_once_in(maker->random, 2) && maker->levels < LEVELS_MAX) {
        put_call(maker, &text, id, span);
    } else {
        buffer_printf(&text, ",\"name\":\"step%u\"", random_below(maker->random, 4));
        put_subsegments(maker, &text, id, span);
    }
    maker->levels--;
    buffer_puts(&text, "}");
    cr_assert_not(text.failed);
    /* Some are known from both. */
    if (!alone || sometimes(maker, 4)) {
        if (list->length)
            buffer_puts(list, ",");
        buffer_append(list, text.text, text.length);
    }
    if (alone)
        put_document(maker, &text);
    buffer_free(&text);
}

static void put_subsegments(struct maker *maker, struct buffer *text, uint64_t id, struct span span)
{
    struct buffer list = { 0 };
    bool room = maker->levels < LEVELS_MAX && maker->trace->count < RANDOM_DOCUMENTS_MAX / 2;
    uint32_t count = room ? random_below(maker->random, 4) : 0;
    for (uint32_t i = 0; i < count; i++)
        put_subsegment(maker, &list, id, part_of(maker, span));
    if (list.length)
        buffer_printf(text, ",\"subsegments\":[%s]", list.text);
    buffer_free(&list);
}

static void add_segment(struct maker *maker, uint64_t parent, struct span span)
{
    static const char *const names[] = { "shop", "stock", "mail", "pay" };
    static const char *const origins[] = { "AWS::EC2::Instance", "AWS::Lambda::Function" };
    struct buffer text = { 0 };
    uint64_t id = next_id(maker, true);
    const char *name = pick(maker, names, 4);
    if (sometimes(maker, 5)) { /* it said that it began */
        buffer_printf(&text, "{\"id\":\"%016" PRIx64 "\",\"name\":\"%s\"", id, name);
        put_ids(maker, &text, parent, false);
        put_times(&text, span, true);
        buffer_puts(&text, "}");
        put_document(maker, &text);
    }
    buffer_printf(&text, "{\"id\":\"%016" PRIx64 "\",\"name\":\"%s\"", id, name);
    put_ids(maker, &text, parent, false);
    put_times(&text, span, false);
    if (random_once_in(maker->random, 2))
        buffer_printf(&text, ",\"origin\":\"%s\"", pick(maker, origins, 2));
    put_outcome(maker, &text);
    put_details(maker, &text);
    maker->levels++;
    put_subsegments(maker, &text, id, span);
    maker->levels--;
    buffer_puts(&text, "}");
    put_document(maker, &text);
}

void random_trace_make(struct random_trace *ret, enum random_kind kind, struct random *random)
{
    struct maker maker = { .trace = ret, .random = random, .kind = kind };
    *ret = (struct random_trace){ .id = { { 0x65, 0x53, 0xf1, 0x00 } } };
    for (size_t i = 12; i < sizeof ret->id.bytes; i++)
        ret->id.bytes[i] = (uint8_t)random_below(random, 256);
    do {
        add_segment(&maker, 0, (struct span){ 0, 8 + random_below(random, 40) });
    } while (sometimes(&maker, 6) || ret->count == 0);
}

void random_trace_free(struct random_trace *trace)
{
    for (size_t i = 0; i < trace->count; i++)
        free(trace->texts[i]);
    trace->count = 0;
}
