/* SPDX-License-Identifier: Apache-2.0 */
/* Text that grows, and what the protocols here do to text: percent, UTF-8, hexadecimal. */
#ifndef PIPELINE_RUNTIME_TEXT_H
#define PIPELINE_RUNTIME_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <xraytrace/base.h>

/* All zero is empty. Once out of memory it stays failed, and what is added is lost. */
struct text {
    char *data; /* NUL-terminated once something was added */
    size_t length;
    size_t capacity;
    bool failed;
};

void text_add_bytes(struct text *text, const void *bytes, size_t length);
void text_add(struct text *text, const char *more);
void text_addf(struct text *text, const char *format, ...) XRAY_PRINTF(2, 3);

/* Percent-encoded: everything but letters, digits and -._~; "/" too stays when keep_slash. */
void text_add_encoded(struct text *text, const char *more, bool keep_slash);

/* "name=value" of a form, with "&" before it unless it is the first. */
void text_add_form(struct text *text, const char *name, const char *value);

/* JSON with everything beyond ASCII written as \u escapes: fit for an HTTP header. */
void text_add_ascii_json(struct text *text, const char *json);

/* Keeps the memory for the next use. */
void text_clear(struct text *text);
void text_release(struct text *text);

#define AUTO_TEXT __attribute__((__cleanup__(text_release)))

/* Makes it valid UTF-8 in place: bytes that are not become "?". A cut character at the end goes. */
void text_clean_utf8(char *text);

/* Whether it is valid UTF-8, which cJSON does not look at. */
bool text_is_utf8(const char *text);

/* The longest beginning of at most limit bytes that ends between two characters. */
size_t text_cut_length(const char *text, size_t limit);

/* SHA-256 as 64 lower-case hexadecimal digits and a NUL. */
#define TEXT_HASH_SIZE 65
bool text_hash(const void *bytes, size_t length, char ret[TEXT_HASH_SIZE]);

#endif /* PIPELINE_RUNTIME_TEXT_H */
