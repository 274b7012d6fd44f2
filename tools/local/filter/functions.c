/* SPDX-License-Identifier: Apache-2.0 */
/* The terms with parentheses and braces: service, edge, rootcause and group. */
#include "local/base/json_text.h"
#include "local/filter/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define GROUPS_MAX 4u
#define NAME_SHOWN 40

static struct node *failed(struct node *node)
{
    node_free(node);
    return NULL;
}

/* One of name, type and account.id, each once. */
static bool parse_reference_part(struct parser *p, struct reference *ret)
{
    scan_blanks(p);
    size_t position = p->at;
    size_t length = scan_key_length(p);
    const char *text = p->text + p->at;
    char **part = word_equal(text, length, "name")         ? &ret->name
                  : word_equal(text, length, "type")       ? &ret->type
                  : word_equal(text, length, "account.id") ? &ret->account_id
                                                           : NULL;
    if (!part)
        return parse_unexpected(p, "name:, type: or account.id:");
    if (*part)
        return parse_fail(p, position, "'%.*s' at %zu is there twice", (int)length, text, position);
    p->at += length;
    return scan_expect(p, ':') && scan_text(p, "text in quotes", part);
}

bool parse_reference(struct parser *p, struct reference *ret)
{
    scan_blanks(p);
    size_t position = p->at;
    if (scan_keyword(p, "id")) {
        if (scan_take(p, '(')) {
            do {
                if (!parse_reference_part(p, ret))
                    return false;
            } while (scan_take(p, ','));
            return scan_expect(p, ')');
        }
        p->at = position; /* a service of that name */
    }
    return scan_text(p, "the name of a service, or id(…)", &ret->name);
}

/* What is in the braces, if there are any, and something in them. */
static bool parse_braces(struct parser *p, enum scope_kind scope, struct node **ret)
{
    if (!scan_take(p, '{') || scan_take(p, '}'))
        return true;
    enum scope_kind outer = p->scope;
    p->scope = scope;
    *ret = parse_expression(p);
    p->scope = outer;
    return *ret && scan_expect(p, '}');
}

static void note_nested(struct parser *p, size_t position)
{
    if (p->scope != SCOPE_TRACE)
        parse_note(p, position,
                   "This is asked of the whole trace, also here in braces; the cloud may not "
                   "take it there.");
}

struct node *parse_service(struct parser *p, size_t position)
{
    struct node *node = parse_new_node(p, NODE_SERVICE);
    if (!node)
        return NULL;
    note_nested(p, position);
    if (!scan_expect(p, '('))
        return failed(node);
    if (!scan_take(p, ')') && !(parse_reference(p, &node->from) && scan_expect(p, ')')))
        return failed(node);
    return parse_braces(p, SCOPE_SERVICE, &node->first) ? node : failed(node);
}

/* edge(), edge(a), edge(a, b), edge(, b): what is left out is any service. */
static bool parse_ends(struct parser *p, struct node *node)
{
    if (scan_take(p, ')'))
        return true;
    if (scan_peek(p) != ',' && !parse_reference(p, &node->from))
        return false;
    if (!scan_expect(p, ','))
        return false;
    if (scan_take(p, ')'))
        return true;
    return parse_reference(p, &node->to) && scan_expect(p, ')');
}

struct node *parse_edge(struct parser *p, size_t position)
{
    struct node *node = parse_new_node(p, NODE_EDGE);
    if (!node)
        return NULL;
    note_nested(p, position);
    if (!scan_expect(p, '(') || !parse_ends(p, node))
        return failed(node);
    return parse_braces(p, SCOPE_EDGE, &node->first) ? node : failed(node);
}

/* The place among the names of the word between two points, or -1. */
static int find_part(const char *text, size_t length, const char *const *names, int count)
{
    for (int i = 0; i < count; i++)
        if (word_equal(text, length, names[i]))
            return i;
    return -1;
}

static bool parse_cause_json(struct parser *p, struct node *node)
{
    char reason[128];
    scan_blanks(p);
    size_t position = p->at;
    if (!parse_comparison(p, &node->compare) ||
        (node->compare != COMPARE_EQUAL && node->compare != COMPARE_NOT_EQUAL))
        return parse_fail(p, position, "rootcause.json is followed by = #[…] or != #[…], at %zu",
                          position);
    if (!scan_expect(p, '#'))
        return false;
    if (scan_peek(p) != '[')
        return parse_unexpected(p, "'['");
    struct json_error error;
    const char *start = p->text + p->at;
    size_t length = (size_t)(json_skip_value(start, p->text + p->length) - start);
    if (!json_text_check(start, length, &error))
        return parse_fail(p, p->at + error.offset, "wrong JSON at %zu: %s", p->at + error.offset,
                          error.reason);
    node->json = cJSON_ParseWithLength(start, length);
    if (!node->json)
        return parse_no_memory(p);
    if (!cause_json_check(node->json, reason, sizeof reason))
        return parse_fail(p, p->at, "rootcause.json at %zu: %s", p->at, reason);
    p->at += length;
    return true;
}

struct node *parse_cause(struct parser *p, const char *word, size_t length, size_t position)
{
    static const char *const kinds[] = { "fault", "error", "responsetime" };
    static const char *const levels[] = { "service", "entity", "exception", "json" };
    const char *end = word + length;
    const char *part = memchr(word, '.', length);
    part = part ? part + 1 : end;
    const char *point = memchr(part, '.', (size_t)(end - part));
    int cause = point ? find_part(part, (size_t)(point - part), kinds, 3) : CAUSE_ANY;
    const char *last = point ? point + 1 : part;
    int level = find_part(last, (size_t)(end - last), levels, 4);
    if (level < 0 || (cause < 0 && (point || level != 3))) {
        parse_fail(p, position,
                   "'%.*s' at %zu: it is rootcause, fault, error or responsetime, and service, "
                   "entity, exception or json, with points between",
                   length < NAME_SHOWN ? (int)length : NAME_SHOWN, word, position);
        return NULL;
    }
    struct node *node = parse_new_node(p, level == 3 ? NODE_CAUSE_JSON : NODE_CAUSE);
    if (!node)
        return NULL;
    note_nested(p, position);
    node->cause = cause;
    node->level = (enum scope_kind)(SCOPE_CAUSE_SERVICE + level);
    if (level == 3)
        return parse_cause_json(p, node) ? node : failed(node);
    return parse_braces(p, node->level, &node->first) ? node : failed(node);
}

static bool parse_group_text(struct parser *p, struct node *node, const char *text, size_t position)
{
    struct filter_error error;
    struct parser inner = {
        .text = text,
        .length = strlen(text),
        .depth = p->depth,
        .groups = p->groups + 1,
        .nodes = p->nodes,
        .scope = SCOPE_TRACE,
        .known_groups = p->known_groups,
        .error = &error,
    };
    node->first = parse_all(&inner);
    if (node->first)
        return true;
    return inner.failure == -ENOMEM
               ? parse_no_memory(p)
               : parse_fail(p, position, "in the group's expression, at %zu: %s", position,
                            error.message);
}

struct node *parse_group(struct parser *p, bool is_arn, size_t position)
{
    struct node *node = parse_new_node(p, NODE_GROUP);
    if (!node)
        return NULL;
    note_nested(p, position);
    node->is_arn = is_arn;
    scan_blanks(p);
    size_t compare_at = p->at;
    if (!parse_comparison(p, &node->compare) ||
        (node->compare != COMPARE_EQUAL && node->compare != COMPARE_NOT_EQUAL)) {
        parse_fail(p, compare_at, "a group is followed by = or != and its %s, at %zu",
                   is_arn ? "ARN" : "name", compare_at);
        return failed(node);
    }
    scan_blanks(p);
    size_t value_at = p->at;
    if (!scan_text(p, "the name of a group", &node->value.string))
        return failed(node);
    const struct filter_groups *known = p->known_groups;
    const char *text = known ? known->find(known->data, node->value.string, is_arn) : NULL;
    if (!text) {
        parse_fail(p, value_at, "there is no such group at %zu", value_at);
        return failed(node);
    }
    if (p->groups == GROUPS_MAX) {
        parse_fail(p, position, "groups that name groups, more than %u deep, at %zu", GROUPS_MAX,
                   position);
        return failed(node);
    }
    return parse_group_text(p, node, text, value_at) ? node : failed(node);
}
