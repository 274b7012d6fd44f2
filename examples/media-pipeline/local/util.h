/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEDIA_LOCAL_UTIL_H
#define MEDIA_LOCAL_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

/*
 * What every part of media-local needs. A tool on a developer's desk that runs
 * out of memory can only say so and stop: no function here returns NULL for it.
 */

#define NS_PER_SECOND INT64_C(1000000000)
#define NS_PER_MS     INT64_C(1000000)

/* Unix time in ns. */
int64_t now_ns(void);

/* Unix time in ms. */
int64_t now_ms(void);

/* For memory and text that must be there. */
void *memory_new(size_t bytes); /* zeroed */
char *text_copy(const char *text);
char *text_copy_length(const char *text, size_t length);
char *text_format(const char *format, ...) __attribute__((__format__(__printf__, 1, 2)));

/* Bytes that grow; data is always NUL-terminated, and "" is never NULL once appended to. */
struct buffer {
    char *data;
    size_t length;
    size_t capacity;
};

void buffer_append(struct buffer *buffer, const void *bytes, size_t length);
void buffer_text(struct buffer *buffer, const char *text);
void buffer_free(struct buffer *buffer);

/* Random text: a UUID of version 4, and bytes of hex digits (buf has 2 * bytes + 1). */
#define UUID_SIZE 37
void random_uuid(char buf[UUID_SIZE]);
void random_hex(char *buf, size_t bytes);

#define SHA256_HEX_SIZE 65
void sha256_hex(const void *bytes, size_t length, char buf[SHA256_HEX_SIZE]);

/* Standard base64, both malloc()ed. Decoding gives NULL for what is not base64. */
char *base64_encode(const void *bytes, size_t length);
char *base64_decode(const char *text, size_t *ret_length);

/* application/x-www-form-urlencoded, malloc()ed. The value of a field, decoded, or NULL. */
char *form_encode(const char *text);
char *form_field(const char *form, const char *name);

/* The text of the first <tag>…</tag>, malloc()ed, or NULL. Knows entities, not attributes. */
char *xml_text(const char *xml, const char *tag);

/* Whether bytes are UTF-8 without NUL, and so can be a JSON string. */
bool is_text(const char *bytes, size_t length);

/* Lengths of time for people: "1.2 s", "35 ms"; buf of 32 bytes. */
char *duration_text(int64_t ns, char buf[32]);

/* Where a program is: the path itself, or the first of that name in PATH; NULL: nowhere. */
char *find_program(const char *name);

/* Makes a directory and those above it. 0 or -errno. */
int make_directories(const char *path);

/* Removes a directory and all that is in it; what can't be removed stays. */
void remove_tree(const char *path);

/* Replaces a file in one step; other users cannot read it. 0 or -errno. */
int write_file(const char *path, const char *text);

/* cJSON, for objects that are only built here. */
void json_text(cJSON *object, const char *name, const char *value); /* NULL value: null */
void json_number(cJSON *object, const char *name, double value);
cJSON *json_object(cJSON *parent, const char *name);
char *json_print(const cJSON *json); /* compact, malloc()ed */

/* The text of a member, or NULL. */
const char *json_get_text(const cJSON *object, const char *name);

/* A line on stdout with the time of day: what happens. Nothing after log_quiet(). */
void log_line(const char *format, ...) __attribute__((__format__(__printf__, 1, 2)));
void log_quiet(void);

/* A line on stderr: "media-local: …". */
void log_error(const char *format, ...) __attribute__((__format__(__printf__, 1, 2)));

#endif /* MEDIA_LOCAL_UTIL_H */
