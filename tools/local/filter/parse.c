/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions and comparisons. Nothing here recurses but through parse_unary() and
   the braces of functions.c, which both count the depth. */
#include "local/base/json_text.h"
#include "local/filter/internal.h"

#include <stdlib.h>
#include <string.h>

#define QUOTED_MAX 40

const char *const comparison_texts[] = {
    [COMPARE_NONE] = "",
    [COMPARE_EQUAL] = "=",
    [COMPARE_NOT_EQUAL] = "!=",
    [COMPARE_LESS] = "<",
    [COMPARE_LESS_EQUAL] = "<=",
    [COMPARE_GREATER] = ">",
    [COMPARE_GREATER_EQUAL] = ">=",
    [COMPARE_CONTAINS] = "CONTAINS",
    [COMPARE_BEGINSWITH] = "BEGINSWITH",
    [COMPARE_ENDSWITH] = "ENDSWITH",
};

struct node *parse_new_node(struct parser *p, enum node_kind kind)
{
    if (p->nodes && *p->nodes == NODES_MAX) {
        parse_fail(p, p->at, "with its groups, it has more than %u conditions, at %zu", NODES_MAX,
                   p->at);
        return NULL;
    }
    struct node *node = node_new(kind);
    if (!node)
        parse_no_memory(p);
    else if (p->nodes)
        node->number = (*p->nodes)++;
    return node;
}

bool parse_comparison(struct parser *p, enum comparison *ret)
{
    int next = scan_peek(p);
    bool equal = p->at + 1 < p->length && p->text[p->at + 1] == '=';
    *ret = COMPARE_NONE;
    switch (next) {
    case '=':
        equal = false;
        *ret = COMPARE_EQUAL;
        break;
    case '!':
        /* Otherwise it negates what follows: ok !partial. */
        *ret = equal ? COMPARE_NOT_EQUAL : COMPARE_NONE;
        break;
    case '<':
        *ret = equal ? COMPARE_LESS_EQUAL : COMPARE_LESS;
        break;
    case '>':
        *ret = equal ? COMPARE_GREATER_EQUAL : COMPARE_GREATER;
        break;
    default:
        for (int i = COMPARE_CONTAINS; i <= COMPARE_ENDSWITH; i++)
            if (scan_keyword(p, comparison_texts[i])) {
                *ret = (enum comparison)i;
                return true;
            }
    }
    if (*ret != COMPARE_NONE)
        p->at += equal ? 2 : 1;
    return *ret != COMPARE_NONE;
}

static bool compares_order(enum comparison compare)
{
    return compare >= COMPARE_LESS && compare <= COMPARE_GREATER_EQUAL;
}

static bool compares_text(enum comparison compare)
{
    return compare >= COMPARE_CONTAINS;
}

/* The value has to be of the word's type. */
static bool check_word(struct parser *p, const struct node *node, size_t compare_at,
                       size_t value_at)
{
    const char *name = word_text(node->word);
    const char *sign = comparison_texts[node->compare];
    switch (word_kind(node->word)) {
    case WORD_BOOLEAN:
        if (compares_order(node->compare) || compares_text(node->compare))
            return parse_fail(p, compare_at,
                              "'%s' at %zu: %s is true or false and takes = and !=", sign,
                              compare_at, name);
        return node->value.type == VALUE_BOOLEAN ||
               parse_fail(p, value_at, "%s is compared with true or false, at %zu", name, value_at);
    case WORD_NUMBER:
        if (compares_text(node->compare))
            return parse_fail(p, compare_at,
                              "'%s' at %zu: %s is a number and takes = != < <= > >=", sign,
                              compare_at, name);
        return node->value.type == VALUE_NUMBER ||
               parse_fail(p, value_at, "%s is compared with a number without quotes, at %zu", name,
                          value_at);
    default:
        return !compares_order(node->compare) ||
               parse_fail(p, compare_at,
                          "'%s' at %zu: %s is text and takes = != CONTAINS BEGINSWITH ENDSWITH",
                          sign, compare_at, name);
    }
}

static bool check_annotation(struct parser *p, struct node *node, size_t compare_at)
{
    if (compares_text(node->compare))
        node->value.type = VALUE_STRING;
    return !compares_order(node->compare) || node->value.type == VALUE_NUMBER ||
           parse_fail(p, compare_at, "'%s' at %zu is followed by a number without quotes",
                      comparison_texts[node->compare], compare_at);
}

/* The comparison behind a word or an annotation, if there is one. Frees the node on failure. */
static struct node *parse_rest(struct parser *p, struct node *node)
{
    scan_blanks(p);
    size_t compare_at = p->at;
    if (!parse_comparison(p, &node->compare))
        return node;
    scan_blanks(p);
    size_t value_at = p->at;
    if (scan_constant(p, &node->value) &&
        (node->kind == NODE_WORD ? check_word(p, node, compare_at, value_at)
                                 : check_annotation(p, node, compare_at))) {
        if (node->kind == NODE_WORD && word_kind(node->word) == WORD_STRING)
            node->value.type = VALUE_STRING;
        return node;
    }
    node_free(node);
    return NULL;
}

static struct node *parse_word(struct parser *p, enum word word, size_t position)
{
    if (!(word_scopes(word) & 1u << p->scope)) {
        parse_fail(p, position, "'%s' at %zu means something only in the braces of %srootcause.…",
                   word_text(word), position, word == WORD_REMOTE ? "edge(…) and " : "");
        return NULL;
    }
    struct node *node = parse_new_node(p, NODE_WORD);
    if (!node)
        return NULL;
    node->word = word;
    return parse_rest(p, node);
}

static bool is_annotation_key(char byte)
{
    return scan_is_bare(byte) && (unsigned char)byte < 0x80;
}

/* Behind "annotation": a point and the key, or the key in brackets. */
static bool parse_annotation_key(struct parser *p, char **ret)
{
    if (scan_take(p, '[')) {
        if (!scan_text(p, "the key of an annotation", ret))
            return false;
        return **ret ? scan_expect(p, ']')
                     : parse_fail(p, p->at - 2, "an annotation without a key at %zu", p->at - 2);
    }
    if (!scan_expect(p, '.'))
        return false;
    size_t start = p->at;
    while (p->at < p->length && is_annotation_key(p->text[p->at]))
        p->at++;
    if (p->at == start)
        return parse_unexpected(p, "the key of an annotation");
    *ret = strndup(p->text + start, p->at - start);
    return *ret || parse_no_memory(p);
}

static struct node *parse_annotation(struct parser *p, size_t position)
{
    struct node *node = parse_new_node(p, NODE_ANNOTATION);
    if (!node)
        return NULL;
    if (!parse_annotation_key(p, &node->key)) {
        node_free(node);
        return NULL;
    }
    if (p->scope != SCOPE_TRACE)
        parse_note(p, position, "The cloud takes annotations outside of braces only.");
    return parse_rest(p, node);
}

static void unknown_word(struct parser *p, size_t length)
{
    const char *text = p->text + p->at;
    const char *near = word_near(text, length);
    int shown = length < QUOTED_MAX ? (int)length : QUOTED_MAX;
    if (near)
        parse_fail(p, p->at, "unknown word '%.*s' at %zu; did you mean %s?", shown, text, p->at,
                   near);
    else
        parse_fail(p, p->at, "unknown word '%.*s' at %zu", shown, text, p->at);
}

static struct node *parse_term(struct parser *p)
{
    static const char annotation[] = "annotation";
    const char *text = p->text + p->at;
    size_t position = p->at;
    size_t length = scan_key_length(p);
    const char *point = memchr(text, '.', length);
    size_t first = point ? (size_t)(point - text) : length;
    if (word_equal(text, first, annotation)) {
        p->at += first;
        return parse_annotation(p, position);
    }
    if (word_equal(text, first, "rootcause")) {
        p->at += length;
        return parse_cause(p, text, length, position);
    }
    enum word word = word_find(text, length);
    p->at += length;
    if (word != WORD_KEYS)
        return parse_word(p, word, position);
    if (word_equal(text, length, "service"))
        return parse_service(p, position);
    if (word_equal(text, length, "edge"))
        return parse_edge(p, position);
    if (word_equal(text, length, "group.name") || word_equal(text, length, "group.arn"))
        return parse_group(p, length == strlen("group.arn"), position);
    p->at = position;
    unknown_word(p, length);
    return NULL;
}

static bool begins_word(int byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
}

static struct node *parse_unary(struct parser *p);

static struct node *parse_not(struct parser *p)
{
    struct node *operand = parse_unary(p);
    struct node *node = operand ? parse_new_node(p, NODE_NOT) : NULL;
    if (node)
        node->first = operand;
    else
        node_free(operand);
    return node;
}

static struct node *parse_parentheses(struct parser *p)
{
    struct node *node = parse_expression(p);
    if (node && !scan_expect(p, ')')) {
        node_free(node);
        return NULL;
    }
    return node;
}

static struct node *parse_unary(struct parser *p)
{
    struct node *node = NULL;
    int next = scan_peek(p);
    size_t position = p->at;
    if (p->depth == FILTER_DEPTH_MAX) {
        parse_fail(p, position, "nested more than %u deep at %zu", FILTER_DEPTH_MAX, position);
        return NULL;
    }
    p->depth++;
    if (scan_take(p, '!')) {
        node = parse_not(p);
    } else if (scan_take(p, '(')) {
        node = parse_parentheses(p);
    } else if (scan_keyword(p, "not")) {
        parse_note(p, position, "The cloud writes ! in the place of NOT.");
        node = parse_not(p);
    } else if (begins_word(next)) {
        node = parse_term(p);
    } else {
        parse_unexpected(p, "a condition such as fault or service(\"x\")");
    }
    p->depth--;
    return node;
}

/* The operands of one AND or OR, those of the same kind in parentheses with them. */
struct operands {
    enum node_kind kind;
    struct node *list;
    struct node **end;
    size_t count;
};

static void operands_add(struct operands *operands, struct node *node)
{
    struct node *added = node;
    if (node->kind == operands->kind) {
        added = node->first;
        node->first = NULL;
        node_free(node);
    }
    *operands->end = added;
    while (*operands->end) {
        operands->end = &(*operands->end)->next;
        operands->count++;
    }
}

/* One operand is what it is; more make a node. */
static struct node *operands_finish(struct parser *p, struct operands *operands)
{
    if (operands->count == 1 && !p->failure)
        return operands->list;
    struct node *node = p->failure ? NULL : parse_new_node(p, operands->kind);
    if (node)
        node->first = operands->list;
    else
        node_free(operands->list);
    return node;
}

static bool take_twice(struct parser *p, char byte, const char *sentence)
{
    if (scan_peek(p) != byte || p->at + 1 >= p->length || p->text[p->at + 1] != byte)
        return false;
    parse_note(p, p->at, sentence);
    p->at += 2;
    return true;
}

static bool comes_or(const struct parser *p)
{
    return word_equal(p->text + p->at, scan_bare_length(p), "or");
}

static struct node *parse_and(struct parser *p)
{
    struct operands operands = { .kind = NODE_AND };
    operands.end = &operands.list;
    bool more;
    do {
        struct node *node = parse_unary(p);
        if (!node)
            break;
        operands_add(&operands, node);
        int next = scan_peek(p);
        more = take_twice(p, '&', "The cloud writes AND in the place of &&.") ||
               scan_keyword(p, "and") || next == '!' || next == '(' ||
               (begins_word(next) && !comes_or(p));
    } while (more);
    return operands_finish(p, &operands);
}

struct node *parse_expression(struct parser *p)
{
    struct operands operands = { .kind = NODE_OR };
    operands.end = &operands.list;
    do {
        struct node *node = parse_and(p);
        if (!node)
            break;
        operands_add(&operands, node);
    } while (take_twice(p, '|', "The cloud writes OR in the place of ||.") ||
             scan_keyword(p, "or"));
    return operands_finish(p, &operands);
}

/* Strings of a filter go into JSON and to terminals: they are text. */
bool parse_check_text(struct parser *p)
{
    if (p->length > FILTER_LENGTH_MAX)
        return parse_fail(p, FILTER_LENGTH_MAX, "longer than %u bytes, at %u", FILTER_LENGTH_MAX,
                          FILTER_LENGTH_MAX);
    for (size_t at = 0; at < p->length;) {
        unsigned char byte = (unsigned char)p->text[at];
        size_t length = byte == 0     ? 0
                        : byte < 0x80 ? 1
                                      : json_utf8_length(p->text + at, p->text + p->length);
        if (length == 0)
            return parse_fail(p, at, "byte 0x%02x at %zu is not text in UTF-8", (unsigned)byte, at);
        at += length;
    }
    return true;
}

struct node *parse_all(struct parser *p)
{
    if (!parse_check_text(p))
        return NULL;
    if (scan_peek(p) < 0)
        return parse_new_node(p, NODE_ALL);
    struct node *node = parse_expression(p);
    if (node && scan_peek(p) >= 0) {
        parse_unexpected(p, "AND, OR or the end");
        node_free(node);
        return NULL;
    }
    return node;
}
