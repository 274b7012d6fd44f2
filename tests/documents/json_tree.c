/* SPDX-License-Identifier: Apache-2.0 */
#include "json_tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 1000
#define CHUNK     4096

/* Memory that is freed with the root. */
struct chunk {
    struct chunk *next;
};

struct reader {
    const char *at, *end;
    const char *wrong;
    struct chunk *chunks;
    char *free_at;
    size_t free_bytes;
    int depth;
};

struct root {
    struct node node; /* first: what the caller has */
    struct chunk *chunks;
};

static void *take(struct reader *reader, size_t bytes)
{
    void *taken;

    bytes = (bytes + 15) / 16 * 16;
    if (bytes > reader->free_bytes) {
        size_t size = bytes > CHUNK ? bytes : CHUNK;
        struct chunk *chunk = malloc(sizeof(*chunk) + 8 + size);

        chunk->next = reader->chunks;
        reader->chunks = chunk;
        reader->free_at = (char *)chunk + 16;
        reader->free_bytes = size;
    }
    taken = reader->free_at;
    reader->free_at += bytes;
    reader->free_bytes -= bytes;
    return taken;
}

static bool fail(struct reader *reader, const char *wrong)
{
    if (!reader->wrong)
        reader->wrong = wrong;
    return false;
}

static int peek(const struct reader *reader)
{
    return reader->at < reader->end ? (unsigned char)*reader->at : -1;
}

static bool is_blank(int c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool expect(struct reader *reader, char c)
{
    if (peek(reader) == c) {
        reader->at++;
        return true;
    }
    return fail(reader, is_blank(peek(reader)) ? "has a blank outside of strings" : "is not JSON");
}

/* ---- Strings ---------------------------------------------------------------------- */

/* Bytes of the character at the reader, or 0: no overlong forms, surrogates, or beyond U+10FFFF. */
static size_t character_length(const struct reader *reader)
{
    static const struct {
        unsigned char low, high, second_low, second_high;
        size_t bytes;
    } forms[] = {
        { 0x00, 0x7F, 0, 0, 1 },       { 0xC2, 0xDF, 0x80, 0xBF, 2 }, { 0xE0, 0xE0, 0xA0, 0xBF, 3 },
        { 0xE1, 0xEC, 0x80, 0xBF, 3 }, { 0xED, 0xED, 0x80, 0x9F, 3 }, { 0xEE, 0xEF, 0x80, 0xBF, 3 },
        { 0xF0, 0xF0, 0x90, 0xBF, 4 }, { 0xF1, 0xF3, 0x80, 0xBF, 4 }, { 0xF4, 0xF4, 0x80, 0x8F, 4 },
    };
    const unsigned char *s = (const unsigned char *)reader->at;
    size_t left = (size_t)(reader->end - reader->at);

    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
        if (s[0] < forms[i].low || s[0] > forms[i].high || left < forms[i].bytes)
            continue;
        if (forms[i].bytes > 1 && (s[1] < forms[i].second_low || s[1] > forms[i].second_high))
            return 0;
        for (size_t j = 2; j < forms[i].bytes; j++)
            if ((s[j] & 0xC0) != 0x80)
                return 0;
        return forms[i].bytes;
    }
    return 0;
}

static bool read_hex4(struct reader *reader, unsigned *ret)
{
    *ret = 0;
    for (int i = 0; i < 4; i++) {
        const char *digits = "0123456789abcdef", *digit;
        int c = peek(reader);

        if (c >= 'A' && c <= 'F')
            c += 'a' - 'A';
        digit = c > 0 ? strchr(digits, c) : NULL;
        if (!digit)
            return fail(reader, "has a bad escape");
        *ret = *ret << 4 | (unsigned)(digit - digits);
        reader->at++;
    }
    return true;
}

static char *write_utf8(char *p, unsigned c)
{
    if (c < 0x80) {
        *p++ = (char)c;
        return p;
    }
    if (c >= 0x10000) {
        *p++ = (char)(0xF0 | c >> 18);
        *p++ = (char)(0x80 | (c >> 12 & 0x3F));
        *p++ = (char)(0x80 | (c >> 6 & 0x3F));
    } else if (c >= 0x800) {
        *p++ = (char)(0xE0 | c >> 12);
        *p++ = (char)(0x80 | (c >> 6 & 0x3F));
    } else {
        *p++ = (char)(0xC0 | c >> 6);
    }
    *p++ = (char)(0x80 | (c & 0x3F));
    return p;
}

static bool read_escape(struct reader *reader, char **p)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    unsigned c, low;
    int name = peek(reader);
    const char *found = name > 0 ? strchr(names, name) : NULL;

    reader->at++;
    if (found) {
        *(*p)++ = values[found - names];
        return true;
    }
    if (name != 'u' || !read_hex4(reader, &c))
        return fail(reader, "has a bad escape");
    if (c >= 0xDC00 && c <= 0xDFFF)
        return fail(reader, "has half a surrogate pair");
    if (c >= 0xD800 && c <= 0xDBFF) {
        if (reader->end - reader->at < 6 || strncmp(reader->at, "\\u", 2) != 0)
            return fail(reader, "has half a surrogate pair");
        reader->at += 2;
        if (!read_hex4(reader, &low) || low < 0xDC00 || low > 0xDFFF)
            return fail(reader, "has half a surrogate pair");
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    }
    *p = write_utf8(*p, c);
    return true;
}

/* A text cannot be longer than it is written. */
static bool read_string(struct reader *reader, const char **ret, size_t *ret_length,
                        size_t *ret_characters)
{
    const char *quote = reader->at + 1;
    char *start, *p;

    if (!expect(reader, '"'))
        return false;
    while (quote < reader->end && *quote != '"')
        quote += *quote == '\\' ? 2 : 1;
    if (quote >= reader->end)
        return fail(reader, "is not JSON");
    start = p = take(reader, (size_t)(quote - reader->at) + 1);
    *ret_characters = 0;
    while (peek(reader) != '"') {
        size_t bytes = character_length(reader);

        ++*ret_characters;
        if (bytes == 0)
            return fail(reader, "is not valid UTF-8");
        if (peek(reader) < 0x20)
            return fail(reader, "has a raw control character");
        if (peek(reader) == '\\') {
            reader->at++;
            if (!read_escape(reader, &p))
                return false;
            continue;
        }
        memcpy(p, reader->at, bytes);
        p += bytes;
        reader->at += bytes;
    }
    reader->at++;
    *p = '\0';
    *ret = start;
    *ret_length = (size_t)(p - start);
    return true;
}

/* ---- Values ------------------------------------------------------------------------- */

static bool read_digits(struct reader *reader)
{
    const char *start = reader->at;

    while (peek(reader) >= '0' && peek(reader) <= '9')
        reader->at++;
    return reader->at > start;
}

static bool read_number(struct reader *reader)
{
    if (peek(reader) == '-')
        reader->at++;
    if (peek(reader) == '0')
        reader->at++;
    else if (!read_digits(reader))
        return fail(reader, "is not JSON");
    if (peek(reader) == '.') {
        reader->at++;
        if (!read_digits(reader))
            return fail(reader, "is not JSON");
    }
    if (peek(reader) == 'e' || peek(reader) == 'E') {
        reader->at++;
        if (peek(reader) == '+' || peek(reader) == '-')
            reader->at++;
        if (!read_digits(reader))
            return fail(reader, "is not JSON");
    }
    return true;
}

static bool read_word(struct reader *reader, const char *word)
{
    size_t length = strlen(word);

    if ((size_t)(reader->end - reader->at) < length || memcmp(reader->at, word, length) != 0)
        return fail(reader, "is not JSON");
    reader->at += length;
    return true;
}

static bool read_value(struct reader *reader, struct node *node);

static bool read_members(struct reader *reader, struct node *node)
{
    bool object = node->type == NODE_OBJECT;
    char close = object ? '}' : ']';
    struct node **last = &node->child;
    size_t characters;

    reader->at++;
    if (peek(reader) == close) {
        reader->at++;
        return true;
    }
    if (++reader->depth > DEPTH_MAX)
        return fail(reader, "is nested too deep");
    for (;;) {
        struct node *child = take(reader, sizeof(*child));

        *child = (struct node){ .parent = node };
        if (object && (!read_string(reader, &child->key, &child->key_length, &characters) ||
                       !expect(reader, ':')))
            return false;
        *last = child;
        last = &child->next;
        if (!read_value(reader, child))
            return false;
        if (peek(reader) != ',')
            break;
        reader->at++;
    }
    reader->depth--;
    return expect(reader, close);
}

static bool read_value(struct reader *reader, struct node *node)
{
    bool done;

    node->raw = reader->at;
    switch (peek(reader)) {
    case '{':
    case '[':
        node->type = peek(reader) == '{' ? NODE_OBJECT : NODE_ARRAY;
        done = read_members(reader, node);
        break;
    case '"':
        node->type = NODE_STRING;
        done = read_string(reader, &node->text, &node->text_length, &node->characters);
        break;
    case 't':
        node->type = NODE_TRUE;
        done = read_word(reader, "true");
        break;
    case 'f':
        node->type = NODE_FALSE;
        done = read_word(reader, "false");
        break;
    case 'n':
        node->type = NODE_NULL;
        done = read_word(reader, "null");
        break;
    default:
        node->type = NODE_NUMBER;
        done = is_blank(peek(reader)) ? fail(reader, "has a blank outside of strings")
                                      : read_number(reader);
    }
    node->raw_length = (size_t)(reader->at - node->raw);
    return done;
}

struct node *tree_parse(const char *text, size_t length, struct json_error *ret)
{
    struct reader reader = { .at = text, .end = text + length };
    struct root *root = calloc(1, sizeof(*root));

    if (read_value(&reader, &root->node) && reader.at < reader.end)
        fail(&reader, is_blank(*reader.at) ? "has a blank outside of strings" : "is not JSON");
    root->chunks = reader.chunks;
    if (!reader.wrong)
        return &root->node;
    *ret = (struct json_error){ reader.wrong, (size_t)(reader.at - text) };
    tree_free(&root->node);
    return NULL;
}

void tree_free(struct node *node)
{
    struct root *root = (struct root *)node;

    if (!root)
        return;
    while (root->chunks) {
        struct chunk *next = root->chunks->next;

        free(root->chunks);
        root->chunks = next;
    }
    free(root);
}

/* ---- Looking at it ------------------------------------------------------------------ */

const struct node *tree_member(const struct node *object, const char *name)
{
    for (const struct node *one = object && object->type == NODE_OBJECT ? object->child : NULL; one;
         one = one->next)
        if (strcmp(one->key, name) == 0 && one->key_length == strlen(name))
            return one;
    return NULL;
}

static size_t index_of(const struct node *node)
{
    size_t index = 0;

    for (const struct node *one = node->parent->child; one != node; one = one->next)
        index++;
    return index;
}

void tree_path(const struct node *node, char *ret, size_t size)
{
    size_t used;

    if (!node->parent) {
        snprintf(ret, size, "%s", "");
        return;
    }
    tree_path(node->parent, ret, size);
    used = strlen(ret);
    if (node->key)
        snprintf(ret + used, size - used, "%s%.40s", used ? "." : "", node->key);
    else
        snprintf(ret + used, size - used, "[%zu]", index_of(node));
}
