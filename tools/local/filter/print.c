/* SPDX-License-Identifier: Apache-2.0 */
/* A tree as text again: lower-case words, AND and OR, texts in quotes. */
#include "local/filter/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void print_quoted(struct buffer *buffer, const char *text)
{
    buffer_puts(buffer, "\"");
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            buffer_puts(buffer, "\\");
        buffer_append(buffer, text, 1);
    }
    buffer_puts(buffer, "\"");
}

void print_number(struct buffer *buffer, double number)
{
    char text[64];
    char plain[64];
    for (int digits = 15; digits <= 17; digits++) {
        double again;
        size_t length = 0;
        snprintf(text, sizeof text, "%.*g", digits, number);
        /* The locale's decimal sign may be any bytes. */
        for (const char *c = text; *c; c++) {
            if (strchr("0123456789+-e", *c))
                plain[length++] = *c;
            else if (length == 0 || plain[length - 1] != '.')
                plain[length++] = '.';
        }
        plain[length] = '\0';
        if (read_number(plain, length, &again) == 0 && again == number)
            break;
    }
    buffer_puts(buffer, plain);
}

static void print_constant(struct buffer *buffer, const struct constant *value)
{
    switch (value->type) {
    case VALUE_STRING:
        print_quoted(buffer, value->string);
        break;
    case VALUE_NUMBER:
        print_number(buffer, value->number);
        break;
    case VALUE_BOOLEAN:
        buffer_puts(buffer, value->boolean ? "true" : "false");
        break;
    }
}

static void print_comparison(struct buffer *buffer, const struct node *node)
{
    if (node->compare == COMPARE_NONE)
        return;
    buffer_printf(buffer, " %s ", comparison_texts[node->compare]);
    print_constant(buffer, &node->value);
}

static void print_annotation_key(struct buffer *buffer, const char *key)
{
    bool plain = true;
    bool bare = true;
    for (const char *c = key; *c; c++) {
        bare = bare && scan_is_bare(*c) && (unsigned char)*c < 0x80;
        plain = plain && bare && !strchr(".:/-", *c);
    }
    /* A key that is a keyword can't stand in the brackets as it is. */
    bare = bare && !word_equal(key, strlen(key), "and") && !word_equal(key, strlen(key), "or") &&
           !word_equal(key, strlen(key), "not");
    if (plain) {
        buffer_printf(buffer, "annotation.%s", key);
        return;
    }
    buffer_puts(buffer, "annotation[");
    if (bare)
        buffer_puts(buffer, key);
    else
        print_quoted(buffer, key);
    buffer_puts(buffer, "]");
}

static void print_part(struct buffer *buffer, const char *name, const char *text, bool *more)
{
    if (!text)
        return;
    buffer_printf(buffer, "%s%s: ", *more ? ", " : "", name);
    print_quoted(buffer, text);
    *more = true;
}

static void print_reference(struct buffer *buffer, const struct reference *reference)
{
    bool more = false;
    if (!reference->type && !reference->account_id) {
        if (reference->name)
            print_quoted(buffer, reference->name);
        return;
    }
    buffer_puts(buffer, "id(");
    print_part(buffer, "name", reference->name, &more);
    print_part(buffer, "type", reference->type, &more);
    print_part(buffer, "account.id", reference->account_id, &more);
    buffer_puts(buffer, ")");
}

static bool is_any(const struct reference *reference)
{
    return !reference->name && !reference->type && !reference->account_id;
}

static void print_node(struct buffer *buffer, const struct node *node);

static void print_braces(struct buffer *buffer, const struct node *inner)
{
    if (!inner)
        return;
    buffer_puts(buffer, " {");
    print_node(buffer, inner);
    buffer_puts(buffer, "}");
}

static void print_edge(struct buffer *buffer, const struct node *node)
{
    buffer_puts(buffer, "edge(");
    print_reference(buffer, &node->from);
    if (!is_any(&node->from) || !is_any(&node->to)) {
        buffer_puts(buffer, ",");
        buffer_puts(buffer, is_any(&node->to) ? "" : " ");
    }
    print_reference(buffer, &node->to);
    buffer_puts(buffer, ")");
    print_braces(buffer, node->first);
}

static const char *cause_name(int cause)
{
    switch (cause) {
    case CAUSE_FAULT:
        return ".fault";
    case CAUSE_ERROR:
        return ".error";
    case CAUSE_RESPONSE_TIME:
        return ".responsetime";
    default:
        return "";
    }
}

static void print_cause_json(struct buffer *buffer, const struct node *node)
{
    char *json = cJSON_PrintUnformatted(node->json);
    buffer_printf(buffer, "rootcause%s.json %s #", cause_name(node->cause),
                  comparison_texts[node->compare]);
    if (json)
        buffer_puts(buffer, json);
    else
        buffer->failed = true;
    cJSON_free(json);
}

static void print_in_parentheses(struct buffer *buffer, const struct node *node)
{
    buffer_puts(buffer, "(");
    print_node(buffer, node);
    buffer_puts(buffer, ")");
}

static void print_list(struct buffer *buffer, const struct node *node)
{
    for (const struct node *operand = node->first; operand; operand = operand->next) {
        if (node->kind == NODE_AND && operand->kind == NODE_OR)
            print_in_parentheses(buffer, operand);
        else
            print_node(buffer, operand);
        if (operand->next)
            buffer_puts(buffer, node->kind == NODE_AND ? " AND " : " OR ");
    }
}

static void print_not(struct buffer *buffer, const struct node *operand)
{
    buffer_puts(buffer, "!");
    if (operand->kind == NODE_AND || operand->kind == NODE_OR || operand->compare != COMPARE_NONE)
        print_in_parentheses(buffer, operand);
    else
        print_node(buffer, operand);
}

static void print_node(struct buffer *buffer, const struct node *node)
{
    static const char *const levels[] = { "service", "entity", "exception" };
    switch (node->kind) {
    case NODE_ALL:
        break;
    case NODE_AND:
    case NODE_OR:
        print_list(buffer, node);
        break;
    case NODE_NOT:
        print_not(buffer, node->first);
        break;
    case NODE_WORD:
        buffer_puts(buffer, word_text(node->word));
        print_comparison(buffer, node);
        break;
    case NODE_ANNOTATION:
        print_annotation_key(buffer, node->key);
        print_comparison(buffer, node);
        break;
    case NODE_SERVICE:
        buffer_puts(buffer, "service(");
        print_reference(buffer, &node->from);
        buffer_puts(buffer, ")");
        print_braces(buffer, node->first);
        break;
    case NODE_EDGE:
        print_edge(buffer, node);
        break;
    case NODE_CAUSE:
        buffer_printf(buffer, "rootcause%s.%s", cause_name(node->cause),
                      levels[node->level - SCOPE_CAUSE_SERVICE]);
        print_braces(buffer, node->first);
        break;
    case NODE_CAUSE_JSON:
        print_cause_json(buffer, node);
        break;
    case NODE_GROUP:
        buffer_printf(buffer, "group.%s", node->is_arn ? "arn" : "name");
        print_comparison(buffer, node);
        break;
    }
}

void filter_print(const struct filter *filter, struct buffer *buffer)
{
    print_node(buffer, filter->root);
}
