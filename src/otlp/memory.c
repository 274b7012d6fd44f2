/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp/memory.h"

#include <errno.h>
#include <stdalign.h>

#include "base/alloc.h"

#define BLOCK_BYTES 16384

struct xr_arena_block {
    struct xr_arena_block *next;
    size_t bytes; /* of all */
    alignas(max_align_t) char data[];
};

void *xr_arena_take(struct xr_arena *arena, size_t bytes)
{
    struct xr_arena_block *block = arena->blocks;
    size_t size = (bytes + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);

    if (size < bytes || size > SIZE_MAX / 2) {
        arena->failed = true;
        return NULL;
    }
    if (!block || size > arena->left) {
        size_t room = size > BLOCK_BYTES ? size : BLOCK_BYTES;

        block = xr_alloc_zero(sizeof(*block) + room);
        if (!block) {
            arena->failed = true;
            return NULL;
        }
        block->bytes = sizeof(*block) + room;
        block->next = arena->blocks;
        arena->blocks = block;
        arena->left = room;
    }
    arena->left -= size;
    return (char *)block + block->bytes - arena->left - size;
}

void xr_arena_free(struct xr_arena *arena)
{
    while (arena->blocks) {
        struct xr_arena_block *block = arena->blocks;

        arena->blocks = block->next;
        xr_free(block, block->bytes);
    }
    *arena = (struct xr_arena){ 0 };
}

struct xr_slice xr_arena_copy(struct xr_arena *arena, const char *text, size_t length)
{
    char *copy = xr_arena_take(arena, length + 1);

    if (!copy)
        return (struct xr_slice){ 0 };
    if (length)
        memcpy(copy, text, length);
    return (struct xr_slice){ copy, length };
}

char *xr_text_reserve(struct xr_text *text, size_t bytes)
{
    size_t capacity = text->capacity ? text->capacity : 1024;
    char *data;

    if (text->failed)
        return NULL;
    if (text->data && bytes <= text->capacity - text->length)
        return text->data + text->length;
    while (capacity - text->length < bytes && capacity <= SIZE_MAX / 4)
        capacity *= 2;
    data = capacity - text->length < bytes ? NULL : xr_alloc(capacity);
    if (!data) {
        text->failed = true;
        return NULL;
    }
    if (text->length)
        memcpy(data, text->data, text->length);
    xr_free(text->data, text->capacity);
    text->data = data;
    text->capacity = capacity;
    return data + text->length;
}

void xr_text_put(struct xr_text *text, const char *data, size_t length)
{
    char *p = xr_text_reserve(text, length);

    if (p && length) {
        memcpy(p, data, length);
        text->length += length;
    }
}

void xr_text_free(struct xr_text *text)
{
    xr_free(text->data, text->capacity);
    *text = (struct xr_text){ 0 };
}

int xr_text_take(struct xr_text *text, char **ret, size_t *ret_length)
{
    char *data = text->failed ? NULL : xr_alloc(text->length + 1);

    if (data) {
        if (text->length)
            memcpy(data, text->data, text->length);
        data[text->length] = '\0';
        *ret = data;
        *ret_length = text->length;
    }
    xr_text_free(text);
    return data ? 0 : -ENOMEM;
}
