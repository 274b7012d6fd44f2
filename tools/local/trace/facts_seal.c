/* SPDX-License-Identifier: Apache-2.0 */
/* Finished facts are one block: the struct, its arrays, and each text once. */
#include "local/trace/facts_builder.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct sealed {
    struct facts facts; /* first */
    atomic_uint references;
    alignas(max_align_t) char data[];
};

/* Texts by content; a text's copy is where the block will have it. */
struct texts {
    struct text {
        const char *from;
        const char *copy;
        size_t length;
    } * slots;
    size_t mask;
    size_t bytes;
    uint64_t seed; /* texts come from outside, and could be chosen to collide */
};

typedef void visit_text(struct texts *texts, const char **text);

static struct text *find_slot(const struct texts *texts, const char *text, size_t length)
{
    uint64_t hash = texts->seed;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3u;
    size_t at = (size_t)(hash ^ (hash >> 29)) & texts->mask;
    while (texts->slots[at].from &&
           (texts->slots[at].length != length || memcmp(texts->slots[at].from, text, length) != 0))
        at = (at + 1) & texts->mask;
    return &texts->slots[at];
}

static void note_text(struct texts *texts, const char **text)
{
    if (!*text)
        return;
    size_t length = strlen(*text);
    struct text *slot = find_slot(texts, *text, length);
    if (slot->from)
        return;
    *slot = (struct text){ .from = *text, .length = length };
    texts->bytes += length + 1;
}

static void move_text(struct texts *texts, const char **text)
{
    if (*text)
        *text = find_slot(texts, *text, strlen(*text))->copy;
}

static void visit_item(struct texts *texts, struct facts_item *item, visit_text *visit)
{
    visit(texts, &item->name);
    visit(texts, &item->type);
    visit(texts, &item->account_id);
    visit(texts, &item->user);
    visit(texts, &item->operation);
}

/* An array without items has no memory. */
#define EACH(type, variable, array)                                              \
    for (type *variable = (array)->items,                                        \
              *end_##variable = variable ? variable + (array)->count : variable; \
         variable < end_##variable; variable++)

static void visit_all(struct builder *b, struct texts *texts, visit_text *visit)
{
    EACH(struct facts_segment, segment, &b->segments)
    {
        visit_item(texts, &segment->item, visit);
        visit(texts, &segment->availability_zone);
        visit(texts, &segment->instance_id);
        visit(texts, &segment->resource_arn);
    }
    EACH(struct facts_call, call, &b->calls)
    visit_item(texts, &call->item, visit);
    EACH(struct facts_http, http, &b->https)
    {
        visit(texts, &http->url);
        visit(texts, &http->method);
        visit(texts, &http->user_agent);
        visit(texts, &http->client_ip);
    }
    EACH(struct facts_annotation, annotation, &b->annotations)
    {
        visit(texts, &annotation->key);
        visit(texts, &annotation->value.string);
    }
    EACH(struct facts_exception, exception, &b->exceptions)
    {
        visit(texts, &exception->type);
        visit(texts, &exception->message);
    }
    EACH(struct facts_cause_entity, entity, &b->cause_entities)
    visit(texts, &entity->name);
}

static size_t aligned(size_t size)
{
    return (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
}

/* Copies an array to *at, which moves on. */
static void *place(char **at, const struct array *array, size_t item_size)
{
    void *to = *at;
    if (array->count)
        memcpy(to, array->items, array->count * item_size);
    *at += aligned(array->count * item_size);
    return to;
}

static void place_texts(struct texts *texts, char *at)
{
    for (size_t i = 0; i <= texts->mask; i++) {
        struct text *slot = &texts->slots[i];
        if (!slot->from)
            continue;
        memcpy(at, slot->from, slot->length + 1);
        slot->copy = at;
        at += slot->length + 1;
    }
}

static void place_arrays(struct builder *b, struct facts *facts, char *at)
{
    struct facts_http *https = place(&at, &b->https, sizeof *https);
    /* Where the items point moves with the array. */
    EACH(struct facts_segment, segment, &b->segments)
    if (segment->item.http)
        segment->item.http = https + (segment->item.http - (struct facts_http *)b->https.items);
    EACH(struct facts_call, call, &b->calls)
    if (call->item.http)
        call->item.http = https + (call->item.http - (struct facts_http *)b->https.items);
    facts->segments = place(&at, &b->segments, sizeof *facts->segments);
    facts->calls = place(&at, &b->calls, sizeof *facts->calls);
    facts->annotations = place(&at, &b->annotations, sizeof *facts->annotations);
    facts->exceptions = place(&at, &b->exceptions, sizeof *facts->exceptions);
    facts->links = place(&at, &b->links, sizeof *facts->links);
    facts->causes = place(&at, &b->causes, sizeof *facts->causes);
    facts->cause_services = place(&at, &b->cause_services, sizeof *facts->cause_services);
    facts->cause_entities = place(&at, &b->cause_entities, sizeof *facts->cause_entities);
    facts->segment_count = b->segments.count;
    facts->call_count = b->calls.count;
    facts->annotation_count = b->annotations.count;
    facts->exception_count = b->exceptions.count;
    facts->link_count = b->links.count;
    facts->cause_count = b->causes.count;
}

static size_t array_bytes(const struct builder *b)
{
    return aligned(b->https.count * sizeof(struct facts_http)) +
           aligned(b->segments.count * sizeof(struct facts_segment)) +
           aligned(b->calls.count * sizeof(struct facts_call)) +
           aligned(b->annotations.count * sizeof(struct facts_annotation)) +
           aligned(b->exceptions.count * sizeof(struct facts_exception)) +
           aligned(b->links.count * sizeof(struct facts_link)) +
           aligned(b->causes.count * sizeof(struct facts_cause)) +
           aligned(b->cause_services.count * sizeof(struct facts_cause_service)) +
           aligned(b->cause_entities.count * sizeof(struct facts_cause_entity));
}

/* At most so many texts that differ; the table stays at most half full. */
static size_t table_size(const struct builder *b)
{
    size_t texts = (size_t)b->segments.count * 8 + (size_t)b->calls.count * 5 +
                   (size_t)b->https.count * 4 + (size_t)b->annotations.count * 2 +
                   (size_t)b->exceptions.count * 2 + b->cause_entities.count;
    size_t size = 16;
    while (size < texts * 2)
        size *= 2;
    return size;
}

struct facts *builder_seal(struct builder *b)
{
    struct texts texts = { .mask = table_size(b) - 1 };
    if (getrandom(&texts.seed, sizeof texts.seed, 0) != (ssize_t)sizeof texts.seed)
        return NULL;
    texts.slots = calloc(texts.mask + 1, sizeof *texts.slots);
    if (!texts.slots)
        return NULL;
    visit_all(b, &texts, note_text);
    size_t arrays = array_bytes(b);
    struct sealed *sealed = malloc(sizeof *sealed + arrays + texts.bytes);
    if (sealed) {
        sealed->facts = b->facts;
        sealed->facts.size = sizeof *sealed + arrays + texts.bytes;
        atomic_init(&sealed->references, 1);
        place_texts(&texts, sealed->data + arrays);
        visit_all(b, &texts, move_text);
        place_arrays(b, &sealed->facts, sealed->data);
    }
    free(texts.slots);
    return sealed ? &sealed->facts : NULL;
}

struct facts *facts_ref(struct facts *facts)
{
    atomic_fetch_add_explicit(&((struct sealed *)facts)->references, 1, memory_order_relaxed);
    return facts;
}

void facts_unref(struct facts *facts)
{
    struct sealed *sealed = (struct sealed *)facts;
    if (sealed && atomic_fetch_sub_explicit(&sealed->references, 1, memory_order_acq_rel) == 1)
        free(sealed);
}
