/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The entities of a document, read without a JSON library: millions of them have
 * to be looked at while threads run. Anything that is not a document as X-Ray
 * wants it, with the entity's own id first, is refused. And a set of ids.
 */
#ifndef TESTS_THREADS_ENTITIES_H
#define TESTS_THREADS_ENTITIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct entity {
    uint64_t id;
    uint64_t parent; /* 0: none */
};

struct entity_reader {
    const char *p, *end;
    bool bad;
    void *data;
    void (*found)(void *data, const struct entity *entity);
};

static inline bool entity_skip(struct entity_reader *reader, char wanted)
{
    if (reader->p < reader->end && *reader->p == wanted) {
        reader->p++;
        return true;
    }
    return false;
}

static inline void entity_expect(struct entity_reader *reader, char wanted)
{
    if (!entity_skip(reader, wanted)) {
        reader->bad = true;
        reader->p = reader->end;
    }
}

/* What is between the quotes, escapes and all. */
static inline size_t entity_text(struct entity_reader *reader, const char **ret)
{
    entity_expect(reader, '"');
    *ret = reader->p;
    while (reader->p < reader->end && *reader->p != '"') {
        if ((unsigned char)*reader->p < 0x20)
            reader->bad = true;
        reader->p += *reader->p == '\\' && reader->p + 1 < reader->end ? 2 : 1;
    }
    size_t length = (size_t)(reader->p - *ret);
    entity_expect(reader, '"');
    return length;
}

static inline void entity_skip_value(struct entity_reader *reader)
{
    const char *text;
    int depth = 0;

    do {
        if (reader->p >= reader->end) {
            reader->bad = true;
            return;
        }
        if (*reader->p == '"') {
            (void)entity_text(reader, &text);
            continue;
        }
        depth += *reader->p == '{' || *reader->p == '[';
        depth -= *reader->p == '}' || *reader->p == ']';
        reader->p++;
    } while (depth > 0);
    /* The rest of a number or a literal. */
    while (reader->p < reader->end && !strchr(",}]", *reader->p))
        reader->p++;
}

static inline uint64_t entity_hex(struct entity_reader *reader)
{
    const char *text;
    uint64_t value = 0;

    if (entity_text(reader, &text) != 16)
        reader->bad = true;
    else
        for (int i = 0; i < 16; i++) {
            const char *digits = "0123456789abcdef", *digit = strchr(digits, text[i]);

            if (!digit || !*digit)
                reader->bad = true;
            else
                value = value << 4 | (uint64_t)(digit - digits);
        }
    return value;
}

static inline void entity_read(struct entity_reader *reader, uint64_t parent);

static inline void entity_read_children(struct entity_reader *reader, uint64_t parent)
{
    entity_expect(reader, '[');
    do
        entity_read(reader, parent);
    while (!reader->bad && entity_skip(reader, ','));
    entity_expect(reader, ']');
}

static inline void entity_read(struct entity_reader *reader, uint64_t parent)
{
    struct entity entity = { .parent = parent };

    entity_expect(reader, '{');
    do {
        const char *key;
        size_t length = entity_text(reader, &key);

        entity_expect(reader, ':');
        if (entity.id == 0 && (length != 2 || memcmp(key, "id", 2) != 0))
            reader->bad = true;
        if (reader->bad)
            return;
        if (length == 2 && memcmp(key, "id", 2) == 0)
            entity.id = entity_hex(reader);
        else if (length == 9 && memcmp(key, "parent_id", 9) == 0)
            entity.parent = entity_hex(reader);
        else if (length == 11 && memcmp(key, "subsegments", 11) == 0)
            entity_read_children(reader, entity.id);
        else
            entity_skip_value(reader);
    } while (!reader->bad && entity_skip(reader, ','));
    /* Only a queue makes documents of one size, with blanks. */
    while (entity_skip(reader, ' '))
        ;
    entity_expect(reader, '}');
    if (!reader->bad)
        reader->found(reader->data, &entity);
}

/* Calls found() for the document's entity and all that are embedded in it. */
static inline bool read_entities(const char *json, size_t length,
                                 void (*found)(void *data, const struct entity *entity), void *data)
{
    struct entity_reader reader = { json, json + length, false, data, found };

    entity_read(&reader, 0);
    return !reader.bad && reader.p == reader.end;
}

/* ---- Sets of ids --------------------------------------------------------------- */

struct id_set {
    uint64_t *ids; /* 0: a free place */
    size_t count, places;
};

static inline uint64_t *id_set_place(const struct id_set *set, uint64_t id)
{
    size_t i = (size_t)(id * 0x9E3779B97F4A7C15u >> 16) & (set->places - 1);

    while (set->ids[i] != 0 && set->ids[i] != id)
        i = (i + 1) & (set->places - 1);
    return &set->ids[i];
}

static inline bool id_set_has(const struct id_set *set, uint64_t id)
{
    return set->count > 0 && *id_set_place(set, id) == id;
}

/* Room for so many, in memory that is really there. */
static inline void id_set_reserve(struct id_set *set, size_t count)
{
    struct id_set larger = { .count = set->count, .places = 1024 };

    while (larger.places < 2 * count)
        larger.places *= 2;
    larger.ids = malloc(larger.places * sizeof(*larger.ids));
    if (!larger.ids)
        abort();
    /* Written one by one, since malloc() with memset() becomes calloc(), whose pages come later. */
    for (size_t i = 0; i < larger.places; i++)
        ((volatile uint64_t *)larger.ids)[i] = 0;
    for (size_t i = 0; i < set->places; i++)
        if (set->ids[i] != 0)
            *id_set_place(&larger, set->ids[i]) = set->ids[i];
    free(set->ids);
    *set = larger;
}

/* False for one that is there already, or is 0. */
static inline bool id_set_add(struct id_set *set, uint64_t id)
{
    uint64_t *place;

    if (2 * set->count >= set->places)
        id_set_reserve(set, 2 * set->count + 1);
    place = id_set_place(set, id);
    if (id == 0 || *place == id)
        return false;
    *place = id;
    set->count++;
    return true;
}

static inline void id_set_end(struct id_set *set)
{
    free(set->ids);
    *set = (struct id_set){ 0 };
}

#endif /* TESTS_THREADS_ENTITIES_H */
