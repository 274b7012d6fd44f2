/* SPDX-License-Identifier: Apache-2.0 */
/* JSON as text. Documents are handed on byte by byte as they came, so they must
   be strictly JSON (cJSON takes more than that), and 64-bit numbers must survive:
   members are found in the text, not printed again from a parsed tree. */
#ifndef LOCAL_JSON_TEXT_H
#define LOCAL_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* cJSON's own limit, which also bounds every recursion over a document. */
#define JSON_NESTING_MAX 1000
/* cJSON reads no longer ones. */
#define JSON_NUMBER_MAX 63

struct json_error {
    const char *reason; /* static text */
    size_t offset;
    bool too_deep;
};

/* True if the text is exactly one JSON value of valid UTF-8, blanks around it. */
bool json_text_check(const char *text, size_t length, struct json_error *ret);

/* A member of the outermost object: its name without the quotes, escapes as they are
   written, and the text of its value. */
struct json_member {
    const char *name;
    size_t name_length;
    const char *value;
    size_t length;
};

typedef void json_visitor(void *data, const struct json_member *member);

/* The check, which calls back for each member on the way; whether all of the text is
   good is known only at the end. */
bool json_text_members(const char *text, size_t length, json_visitor *visitor, void *data,
                       struct json_error *ret);

/* The bytes of the UTF-8 sequence of a character beyond ASCII, or 0: no overlong form, no
   surrogate. */
size_t json_utf8_length(const char *text, const char *end);

/* For text that was cut, or is someone else's: what is no UTF-8 in it becomes "?". */
void json_text_repair(char *text);

/* For text that has passed the check: the first byte after blanks, and the first
   byte after the value that begins at `at`. */
const char *json_skip_space(const char *at, const char *end);
const char *json_skip_value(const char *at, const char *end);

#endif
