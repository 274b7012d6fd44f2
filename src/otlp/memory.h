/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of one conversion: pieces that all go at once, and a text that grows. What
   fails is remembered and asked for once, at the end. */
#ifndef XR_OTLP_MEMORY_H
#define XR_OTLP_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct xr_slice {
    const char *text; /* not NUL-terminated; NULL: there is none */
    size_t length;
};

#define XR_SLICE(literal) ((struct xr_slice){ literal, sizeof(literal) - 1 })

static inline bool xr_slice_is(struct xr_slice slice, const char *text)
{
    return slice.text && slice.length == strlen(text) &&
           memcmp(slice.text, text, slice.length) == 0;
}

static inline bool xr_slice_begins(struct xr_slice slice, const char *text)
{
    size_t length = strlen(text);

    return slice.text && slice.length >= length && memcmp(slice.text, text, length) == 0;
}

static inline bool xr_slice_same(struct xr_slice a, struct xr_slice b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.text, b.text, a.length) == 0);
}

static inline struct xr_slice xr_slice_from(struct xr_slice slice, size_t at)
{
    return (struct xr_slice){ slice.text + at, slice.length - at };
}

struct xr_arena {
    struct xr_arena_block *blocks;
    size_t left; /* in the newest */
    bool failed;
};

/* All zero; NULL when out of memory. */
void *xr_arena_take(struct xr_arena *arena, size_t bytes);
void xr_arena_free(struct xr_arena *arena);
struct xr_slice xr_arena_copy(struct xr_arena *arena, const char *text, size_t length);

struct xr_text {
    char *data;
    size_t length;
    size_t capacity;
    bool failed;
};

/* Room for so many bytes behind the end; NULL when out of memory. */
char *xr_text_reserve(struct xr_text *text, size_t bytes);
void xr_text_put(struct xr_text *text, const char *data, size_t length);
void xr_text_free(struct xr_text *text);
/* Hands it over, NUL-terminated, in memory of *ret_length + 1 bytes. 0 or -ENOMEM. */
int xr_text_take(struct xr_text *text, char **ret, size_t *ret_length);

static inline void xr_text_puts(struct xr_text *text, const char *string)
{
    xr_text_put(text, string, strlen(string));
}

/* ---- JSON. A comma comes by itself, unless what is before it opens something. ---- */

/* key may be NULL, in arrays. Returns what close takes. */
size_t xr_text_open(struct xr_text *text, const char *key, char bracket);
/* What has stayed empty goes, its key with it, unless keep. */
void xr_text_close(struct xr_text *text, size_t mark, char bracket, bool keep);

void xr_text_key(struct xr_text *text, struct xr_slice key); /* no text: only the comma */
void xr_text_string(struct xr_text *text, const char *key, struct xr_slice value);
void xr_text_raw(struct xr_text *text, const char *key, struct xr_slice json);
void xr_text_truth(struct xr_text *text, const char *key, bool value);
void xr_text_integer(struct xr_text *text, const char *key, int64_t value);

/* Without key and comma. */
void xr_text_quoted(struct xr_text *text, struct xr_slice value);
void xr_text_int64(struct xr_text *text, int64_t value);
void xr_text_double(struct xr_text *text, double value); /* NaN and infinities in quotes */
void xr_text_hex(struct xr_text *text, const uint8_t *bytes, size_t count);
void xr_text_base64(struct xr_text *text, struct xr_slice bytes);

/* Of text that may be in either alphabet, padded or not; false if it is none. */
bool xr_base64_read(struct xr_arena *arena, struct xr_slice text, struct xr_slice *ret);
/* Exactly so many bytes, digits of any case. */
bool xr_hex_read(struct xr_slice text, uint8_t *ret, size_t count);

#endif
