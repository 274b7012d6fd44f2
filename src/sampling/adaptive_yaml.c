/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks are told apart by the column where they begin, as people see them.
 * cJSON does not use the whole number of an item that is none, so the line is kept there.
 */
#include "sampling/adaptive_yaml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "sampling/adaptive_reader.h"

__attribute__((__format__(__printf__, 3, 0))) static void
say(const struct xr_yaml_reason *reason, size_t line, const char *format, va_list arguments)
{
    size_t length = 0;

    if (!reason->text || reason->size == 0)
        return;
    if (line > 0) {
        snprintf(reason->text, reason->size, "line %zu: ", line);
        length = strlen(reason->text);
    }
    vsnprintf(reason->text + length, reason->size - length, format, arguments);
    for (char *c = reason->text; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
}

void xr_yaml_say(const struct xr_yaml_reason *reason, size_t line, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(reason, line, format, arguments);
    va_end(arguments);
}

cJSON *xr_yaml_refuse_at(struct xr_yaml_reader *reader, size_t line, const char *format, ...)
{
    va_list arguments;

    reader->error = -EINVAL;
    va_start(arguments, format);
    say(reader->reason, line, format, arguments);
    va_end(arguments);
    return NULL;
}

size_t xr_yaml_line(const cJSON *item)
{
    return (size_t)item->valueint;
}

const char *xr_yaml_text(const cJSON *item)
{
    return item->valuestring;
}

static int column(const struct xr_yaml_reader *reader)
{
    return (int)(reader->p - reader->line_start);
}

/* Over blanks, comments and ends of lines, to what comes next. False if that is a tab. */
static bool skip(struct xr_yaml_reader *reader)
{
    for (;; reader->p++) {
        char c = *reader->p;

        if (c == '#' && (reader->p == reader->line_start || reader->p[-1] == ' ')) {
            reader->p += strcspn(reader->p, "\r\n");
            c = *reader->p;
        }
        if (c == '\n') {
            reader->line++;
            reader->line_start = reader->p + 1;
        } else if (c == '\t') {
            xr_yaml_refuse(reader, "there is a tab: use spaces");
            return false;
        } else if (c != ' ' && c != '\r') {
            return true;
        }
    }
}

static bool at_dash(const struct xr_yaml_reader *reader)
{
    return *reader->p == '-' && xr_yaml_blank(reader->p[1]);
}

static cJSON *container(struct xr_yaml_reader *reader, bool sequence)
{
    cJSON *item;

    if (++reader->depth > XR_YAML_DEPTH_MAX)
        return xr_yaml_refuse(reader, "it is nested too deep: at most %d are allowed",
                              XR_YAML_DEPTH_MAX);
    item = sequence ? cJSON_CreateArray() : cJSON_CreateObject();
    if (!item)
        return xr_yaml_no_memory(reader);
    item->valueint = (int)reader->line;
    return item;
}

static cJSON *finish(struct xr_yaml_reader *reader, cJSON *item)
{
    reader->depth--;
    return item;
}

static cJSON *give_up(cJSON *item)
{
    cJSON_Delete(item);
    return NULL;
}

/* Takes key and value, which may be NULL after an error. */
static bool add_member(struct xr_yaml_reader *reader, cJSON *object, cJSON *key, cJSON *value)
{
    bool added = value != NULL;

    if (value && cJSON_GetObjectItemCaseSensitive(object, key->valuestring)) {
        xr_yaml_refuse_at(reader, xr_yaml_line(key), "%.40s is there twice: leave one of them out",
                          key->valuestring);
        added = false;
    } else if (value && cJSON_GetArraySize(object) >= XR_YAML_MEMBERS_MAX) {
        xr_yaml_refuse_at(reader, xr_yaml_line(key), "a mapping has more than %d members",
                          XR_YAML_MEMBERS_MAX);
        added = false;
    } else if (value && !cJSON_AddItemToObject(object, key->valuestring, value)) {
        xr_yaml_no_memory(reader);
        added = false;
    }
    if (!added)
        cJSON_Delete(value);
    cJSON_Delete(key);
    return added;
}

/* ---- Flow: [a, b] and {a: b} ---------------------------------------------------- */

static cJSON *flow_value(struct xr_yaml_reader *reader);

static cJSON *flow_member(struct xr_yaml_reader *reader, cJSON *object)
{
    bool quoted = *reader->p == '"' || *reader->p == '\'';
    cJSON *key = xr_yaml_scalar(reader, true), *value = NULL;

    if (!key || !skip(reader))
        return give_up(key);
    if (*reader->p != ':' || reader->line != xr_yaml_line(key) ||
        (!quoted && !xr_yaml_blank(reader->p[1]) && !strchr(",[]{}", reader->p[1]))) {
        xr_yaml_refuse_at(reader, xr_yaml_line(key), "%.40s is not followed by \": \" and a value",
                          key->valuestring);
        return give_up(key);
    }
    reader->p++;
    if (skip(reader))
        value = flow_value(reader);
    return add_member(reader, object, key, value) ? object : NULL;
}

static cJSON *flow_container(struct xr_yaml_reader *reader)
{
    bool sequence = *reader->p == '[';
    char close = sequence ? ']' : '}';
    size_t line = reader->line;
    cJSON *result = container(reader, sequence), *value;

    if (!result)
        return NULL;
    reader->p++;
    while (skip(reader) && *reader->p != close) {
        if (*reader->p == '\0') {
            xr_yaml_refuse(reader, "the %c of line %zu is not closed", sequence ? '[' : '{', line);
            break;
        }
        if (sequence) {
            value = flow_value(reader);
            if (!value)
                break;
            cJSON_AddItemToArray(result, value);
        } else if (!flow_member(reader, result)) {
            break;
        }
        if (!skip(reader))
            break;
        if (*reader->p == ',') {
            reader->p++;
        } else if (*reader->p && *reader->p != close) {
            xr_yaml_refuse(reader, "there should be a comma or a %c", close);
            break;
        }
    }
    if (reader->error < 0)
        return give_up(result);
    reader->p++;
    return finish(reader, result);
}

static cJSON *flow_value(struct xr_yaml_reader *reader)
{
    return *reader->p == '[' || *reader->p == '{' ? flow_container(reader)
                                                  : xr_yaml_scalar(reader, true);
}

/* ---- Blocks: by columns ----------------------------------------------------------- */

static cJSON *block(struct xr_yaml_reader *reader);

static cJSON *null_of(struct xr_yaml_reader *reader, size_t line)
{
    cJSON *item = cJSON_CreateNull();

    if (!item)
        return xr_yaml_no_memory(reader);
    item->valueint = (int)line;
    return item;
}

/* Nothing but a comment may follow on the line of a value. */
static cJSON *to_end_of_line(struct xr_yaml_reader *reader, cJSON *value)
{
    size_t line = reader->line;

    if (!value || !skip(reader))
        return give_up(value);
    if (*reader->p && reader->line == line) {
        if (*reader->p == ':')
            xr_yaml_refuse(reader, "there are two \": \" on this line: quote the value");
        else
            xr_yaml_refuse(reader, "there is something behind a value: begin a new line");
        return give_up(value);
    }
    return value;
}

/*
 * Behind "key:" or "-", of a block that begins at this column: what is on this
 * line, or indented more on the next ones.
 */
static cJSON *block_value(struct xr_yaml_reader *reader, int from, bool of_key)
{
    size_t line = reader->line;

    if (!skip(reader))
        return NULL;
    if (*reader->p && reader->line == line) {
        if (!of_key)
            return block(reader);
        if (at_dash(reader))
            return xr_yaml_refuse(reader, "a list cannot begin behind a key: begin a new line");
        if (*reader->p == '[' || *reader->p == '{')
            return to_end_of_line(reader, flow_container(reader));
        return to_end_of_line(reader, xr_yaml_scalar(reader, false));
    }
    /* A list may begin right below its key. */
    if (*reader->p &&
        (column(reader) > from || (of_key && column(reader) == from && at_dash(reader))))
        return block(reader);
    return null_of(reader, line);
}

/* Whether the block at this column goes on. */
static bool goes_on(struct xr_yaml_reader *reader, int from)
{
    if (*reader->p && column(reader) > from)
        xr_yaml_refuse(reader, "it is indented more than the lines that it belongs to: align it, "
                               "and keep each value on one line");
    return *reader->p && column(reader) == from && reader->error == 0;
}

static cJSON *block_sequence(struct xr_yaml_reader *reader)
{
    int from = column(reader);
    cJSON *result = container(reader, true);

    while (result && goes_on(reader, from) && at_dash(reader)) {
        cJSON *value;

        reader->p++;
        value = block_value(reader, from, false);
        if (!value)
            return give_up(result);
        cJSON_AddItemToArray(result, value);
    }
    if (reader->error < 0)
        return give_up(result);
    return finish(reader, result);
}

/* Begins with a key that was read already. */
static cJSON *block_mapping(struct xr_yaml_reader *reader, cJSON *key, int from)
{
    cJSON *result = container(reader, false);

    if (!result)
        return give_up(key);
    while (key) {
        if (*reader->p != ':' || !xr_yaml_blank(reader->p[1])) {
            xr_yaml_refuse(reader, "%.40s is not followed by \": \"", key->valuestring);
            break;
        }
        reader->p++;
        if (!add_member(reader, result, key, block_value(reader, from, true)))
            return give_up(result);
        key = NULL;
        if (!goes_on(reader, from))
            break;
        key = xr_yaml_scalar(reader, false);
    }
    cJSON_Delete(key);
    if (reader->error < 0)
        return give_up(result);
    return finish(reader, result);
}

/* A node on lines of its own, or behind a dash. Leaves the reader at what follows it. */
static cJSON *block(struct xr_yaml_reader *reader)
{
    int from = column(reader);
    cJSON *scalar;

    if (at_dash(reader))
        return block_sequence(reader);
    if (*reader->p == '[' || *reader->p == '{')
        return to_end_of_line(reader, flow_container(reader));
    scalar = xr_yaml_scalar(reader, false);
    if (scalar && *reader->p == ':' && xr_yaml_blank(reader->p[1]))
        return block_mapping(reader, scalar, from);
    return to_end_of_line(reader, scalar);
}

/* ---- The document ------------------------------------------------------------------ */

/* What no scalar has to look at again. */
static int check_characters(struct xr_yaml_reader *reader)
{
    const char *p = reader->p;
    size_t line = 1;

    while (p < reader->end) {
        size_t length = xr_utf8_valid(p, (size_t)(reader->end - p));
        unsigned char c = (unsigned char)*p;

        if (length == 0 || (c < ' ' && c != '\t' && c != '\n' && (c != '\r' || p[1] != '\n')) ||
            c == 0x7f) {
            xr_yaml_say(reader->reason, line, "a byte is not text: write it as UTF-8");
            return -EINVAL;
        }
        line += c == '\n';
        p += length;
    }
    return 0;
}

static void skip_start(struct xr_yaml_reader *reader)
{
    if (strncmp(reader->p, "\xef\xbb\xbf", 3) == 0) {
        reader->p += 3;
        reader->line_start = reader->p;
    }
    if (skip(reader) && strncmp(reader->p, "---", 3) == 0 && column(reader) == 0 &&
        xr_yaml_blank(reader->p[3])) {
        reader->p += 3;
        skip(reader);
    }
}

int xr_yaml_parse(cJSON **ret, const char *text, size_t length, const struct xr_yaml_reason *reason)
{
    struct xr_yaml_reader reader = {
        .p = text, .end = text + length, .line_start = text, .line = 1, .reason = reason
    };
    cJSON *result = NULL;
    int r = check_characters(&reader);

    if (r < 0)
        return r;
    reader.scratch = xr_alloc(length + 1);
    if (!reader.scratch) {
        xr_yaml_no_memory(&reader);
        return -ENOMEM;
    }
    skip_start(&reader);
    if (reader.error == 0 && !*reader.p)
        xr_yaml_refuse(&reader, "there is nothing but blanks and comments");
    if (reader.error == 0)
        result = block(&reader);
    if (result && *reader.p) {
        xr_yaml_refuse(&reader, "it belongs to nothing above it: align it with the other lines of "
                                "its block; there can be one document only");
        cJSON_Delete(result);
    }
    xr_free(reader.scratch, length + 1);
    if (reader.error == 0)
        *ret = result;
    return reader.error;
}
