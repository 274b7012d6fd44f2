/* SPDX-License-Identifier: Apache-2.0 */
/* Values of any member: texts, numbers, ids, and objects of known members. */
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules_inside.h"

#define HEX "0123456789abcdef"

bool check_type(struct check *check, const struct node *node, enum node_type type)
{
    if (node->type == type)
        return true;
    return broken(check, node->type == NODE_NULL ? RULE_NULL_VALUE : RULE_TYPE_OF_VALUE, node);
}

bool check_required(struct check *check, const struct node *object, const char *name)
{
    size_t length;

    if (tree_member(object, name))
        return true;
    broken(check, RULE_MISSING_MEMBER, object);
    length = strlen(check->ret->text);
    snprintf(check->ret->text + length, sizeof(check->ret->text) - length, ": %s", name);
    return false;
}

/* Why a member must not stand here. */
static enum rule misplaced(unsigned where, unsigned may)
{
    if (where == SEGMENT)
        return RULE_NOT_IN_A_SEGMENT;
    return where == EMBEDDED && (may & SUBSEGMENT) ? RULE_NOT_EMBEDDED : RULE_NOT_IN_A_SUBSEGMENT;
}

bool check_object(struct check *check, const struct node *node, unsigned where,
                  const struct member_rule *rules)
{
    if (!check_type(check, node, NODE_OBJECT))
        return false;
    if (!node->child)
        return broken(check, RULE_EMPTY, node);
    for (const struct node *one = node->child; one; one = one->next) {
        const struct member_rule *rule = rules;

        while (rule->name &&
               (strcmp(rule->name, one->key) != 0 || strlen(rule->name) != one->key_length))
            rule++;
        if (!rule->name)
            return broken(check, RULE_UNKNOWN_MEMBER, one);
        if (rule->where && !(rule->where & where))
            return broken(check, misplaced(where, rule->where), one);
        if (!rule->check(check, one, where))
            return false;
    }
    return true;
}

bool check_array(struct check *check, const struct node *node, unsigned where,
                 check_function *element)
{
    if (!check_type(check, node, NODE_ARRAY))
        return false;
    if (!node->child)
        return broken(check, RULE_EMPTY, node);
    for (const struct node *one = node->child; one; one = one->next)
        if (!element(check, one, where))
            return false;
    return true;
}

/* ---- Texts ------------------------------------------------------------------------- */

bool check_text_of(struct check *check, const struct node *node, size_t characters)
{
    return check_type(check, node, NODE_STRING) &&
           (node->characters <= characters || broken(check, RULE_TEXT_LENGTH, node));
}

bool check_text(struct check *check, const struct node *node, unsigned where)
{
    (void)where;
    return check_text_of(check, node, 250);
}

bool check_long_text(struct check *check, const struct node *node, unsigned where)
{
    (void)where;
    return check_text_of(check, node, SIZE_MAX);
}

bool check_url(struct check *check, const struct node *node, unsigned where)
{
    const char *authority, *at;

    if (!check_text(check, node, where))
        return false;
    authority = strstr(node->text, "://");
    authority = authority ? authority + 3 : node->text;
    at = strchr(authority, '@');
    if (strpbrk(node->text, "?#") || (at && at < authority + strcspn(authority, "/")))
        return broken(check, RULE_URL_SECRETS, node);
    return true;
}

/* ---- Truths and numbers --------------------------------------------------------------- */

bool check_truth(struct check *check, const struct node *node, unsigned where)
{
    (void)where;
    return node->type == NODE_FALSE || check_type(check, node, NODE_TRUE);
}

bool check_mark(struct check *check, const struct node *node, unsigned where)
{
    (void)where;
    return node->type == NODE_TRUE || broken(check, RULE_MARK, node);
}

bool check_whole(struct check *check, const struct node *node, unsigned where)
{
    (void)where;
    if (!check_type(check, node, NODE_NUMBER))
        return false;
    return strspn(node->raw, "-0123456789") == node->raw_length ||
           broken(check, RULE_WHOLE_NUMBER, node);
}

bool check_count(struct check *check, const struct node *node, unsigned where)
{
    return check_whole(check, node, where) &&
           (*node->raw != '-' || broken(check, RULE_NEGATIVE, node));
}

bool check_finite(struct check *check, const struct node *node, unsigned where)
{
    static locale_t plain;
    char text[400];

    (void)where;
    if (!check_type(check, node, NODE_NUMBER))
        return false;
    if (!plain)
        plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (node->raw_length >= sizeof(text))
        return broken(check, RULE_INFINITE, node);
    memcpy(text, node->raw, node->raw_length);
    text[node->raw_length] = '\0';
    return isfinite(strtod_l(text, NULL, plain)) || broken(check, RULE_INFINITE, node);
}

/* ---- Ids ------------------------------------------------------------------------------ */

bool read_id(const struct node *node, uint64_t *ret)
{
    if (!node || node->type != NODE_STRING || node->text_length != 16 ||
        strspn(node->text, HEX) != 16)
        return false;
    *ret = strtoull(node->text, NULL, 16);
    return *ret != 0;
}

bool check_id(struct check *check, const struct node *node, unsigned where)
{
    uint64_t id;

    (void)where;
    return check_type(check, node, NODE_STRING) &&
           (read_id(node, &id) || broken(check, RULE_ID, node));
}

bool check_trace_id(struct check *check, const struct node *node, unsigned where)
{
    const char *text = node->text;

    (void)where;
    if (!check_type(check, node, NODE_STRING))
        return false;
    if (node->text_length != 35 || strncmp(text, "1-", 2) != 0 || strspn(text + 2, HEX) != 8 ||
        text[10] != '-' || strspn(text + 11, HEX) != 24 || strspn(text + 2, "0-") == 33)
        return broken(check, RULE_TRACE_ID, node);
    return true;
}
