/* SPDX-License-Identifier: Apache-2.0 */
/* Documents, segments and subsegments. */
#include "rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "name_ranges.h"
#include "rules_inside.h"

static const char *const rule_texts[] = { "",
#define RULE(name, text) text,
                                          RULES(RULE)
#undef RULE
};

bool broken(struct check *check, enum rule rule, const struct node *node)
{
    char path[300];

    tree_path(node, path, sizeof(path));
    check->ret->rule = rule;
    snprintf(check->ret->text, sizeof(check->ret->text), "%s %s", *path ? path : "it",
             rule_texts[rule]);
    return false;
}

/* ---- Sets of ids ------------------------------------------------------------------- */

static uint64_t *place_of(const struct id_set *set, uint64_t id)
{
    size_t at = (size_t)(id * 0x9E3779B97F4A7C15u >> 32) & (set->size - 1);

    while (set->ids[at] != 0 && set->ids[at] != id)
        at = (at + 1) & (set->size - 1);
    return &set->ids[at];
}

static void grow(struct id_set *set)
{
    struct id_set larger = { .size = set->size ? 2 * set->size : 64, .count = set->count };

    larger.ids = calloc(larger.size, sizeof(*larger.ids));
    for (size_t i = 0; i < set->size; i++)
        if (set->ids[i])
            *place_of(&larger, set->ids[i]) = set->ids[i];
    free(set->ids);
    *set = larger;
}

bool id_set_add(struct id_set *set, uint64_t id)
{
    if (2 * set->count >= set->size)
        grow(set);
    if (*place_of(set, id) == id)
        return false;
    *place_of(set, id) = id;
    set->count++;
    return true;
}

bool id_set_has(const struct id_set *set, uint64_t id)
{
    return set->size > 0 && *place_of(set, id) == id;
}

void id_set_clear(struct id_set *set)
{
    free(set->ids);
    *set = (struct id_set){ 0 };
}

/* ---- Members of entities ------------------------------------------------------------- */

static bool is_name_character(unsigned c)
{
    size_t low = 0, high = sizeof(name_ranges) / sizeof(*name_ranges);

    if (c < 0x80)
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               (c != 0 && strchr(" _.:/%&#=+-@", (int)c));
    while (low < high) {
        size_t middle = (low + high) / 2;

        if (c < name_ranges[middle].first)
            high = middle;
        else if (c > name_ranges[middle].last)
            low = middle + 1;
        else
            return true;
    }
    return false;
}

/* The character at p, which is valid. */
static unsigned next_character(const unsigned char **p)
{
    unsigned c = *(*p)++;

    if (c >= 0xC0) {
        c &= c >= 0xF0 ? 0x07 : c >= 0xE0 ? 0x0F : 0x1F;
        while ((**p & 0xC0) == 0x80)
            c = c << 6 | (*(*p)++ & 0x3F);
    }
    return c;
}

static bool check_name(struct check *check, const struct node *node, unsigned where)
{
    const unsigned char *p = (const unsigned char *)node->text;

    (void)where;
    if (!check_type(check, node, NODE_STRING))
        return false;
    if (node->characters == 0)
        return broken(check, RULE_NAME_EMPTY, node);
    if (node->characters > 200)
        return broken(check, RULE_NAME_LENGTH, node);
    while (p < (const unsigned char *)node->text + node->text_length)
        if (!is_name_character(next_character(&p)))
            return broken(check, RULE_NAME_CHARACTER, node);
    return true;
}

static bool check_own_id(struct check *check, const struct node *node, unsigned where)
{
    uint64_t id = 0;

    if (!check_id(check, node, where))
        return false;
    read_id(node, &id);
    return id_set_add(&check->entities, id) || broken(check, RULE_ID_TWICE, node);
}

static bool check_parent_id(struct check *check, const struct node *node, unsigned where)
{
    const struct node *own = tree_member(node->parent, "id");

    if (!check_id(check, node, where))
        return false;
    return !own || strcmp(own->text, node->text) != 0 || broken(check, RULE_OWN_PARENT, node);
}

static bool check_subsegment_type(struct check *check, const struct node *node, unsigned where)
{
    (void)where;
    return check_type(check, node, NODE_STRING) &&
           (strcmp(node->text, "subsegment") == 0 || broken(check, RULE_SUBSEGMENT_TYPE, node));
}

static bool check_namespace(struct check *check, const struct node *node, unsigned where)
{
    (void)where;
    return check_type(check, node, NODE_STRING) &&
           (strcmp(node->text, "aws") == 0 || strcmp(node->text, "remote") == 0 ||
            broken(check, RULE_NAMESPACE, node));
}

/* In nanoseconds: no locale reads it, and no digit is lost. */
static bool read_time(const struct node *node, uint64_t *ret)
{
    const char *p = node->raw, *end = node->raw + node->raw_length;
    uint64_t value = 0;
    int decimals = -1;

    for (; p < end; p++) {
        if (*p == '.' && decimals < 0) {
            decimals = 0;
            continue;
        }
        if (*p < '0' || *p > '9' || decimals == 9 || value > UINT64_MAX / 100)
            return false;
        decimals += decimals >= 0;
        value = 10 * value + (uint64_t)(*p - '0');
    }
    for (decimals = decimals < 0 ? 0 : decimals; decimals < 9; decimals++)
        value *= 10;
    *ret = value;
    return true;
}

static bool check_time(struct check *check, const struct node *node, unsigned where)
{
    const struct node *start = tree_member(node->parent, "start_time");
    uint64_t time, start_time;

    (void)where;
    if (!check_type(check, node, NODE_NUMBER))
        return false;
    if (!read_time(node, &time))
        return broken(check, RULE_TIME, node);
    if (strcmp(node->key, "end_time") == 0 && start && start->type == NODE_NUMBER &&
        read_time(start, &start_time) && time < start_time)
        return broken(check, RULE_END_BEFORE_START, node);
    return true;
}

static bool check_throttle(struct check *check, const struct node *node, unsigned where)
{
    return check_mark(check, node, where) &&
           (tree_member(node->parent, "error") || broken(check, RULE_THROTTLE_ALONE, node));
}

static bool check_entity(struct check *check, const struct node *node, unsigned where);

static bool check_embedded(struct check *check, const struct node *node, unsigned where)
{
    (void)where;
    return check_entity(check, node, EMBEDDED);
}

static bool check_children(struct check *check, const struct node *node, unsigned where)
{
    return check_array(check, node, where, check_embedded);
}

#define ANYWHERE    (SEGMENT | SUBSEGMENT | EMBEDDED)
#define INDEPENDENT (SEGMENT | SUBSEGMENT)
#define PARTS       (SUBSEGMENT | EMBEDDED)

static const struct member_rule entity_members[] = {
    { "id", check_own_id, ANYWHERE },
    { "trace_id", check_trace_id, INDEPENDENT },
    { "parent_id", check_parent_id, INDEPENDENT },
    { "type", check_subsegment_type, SUBSEGMENT },
    { "name", check_name, ANYWHERE },
    { "start_time", check_time, ANYWHERE },
    { "end_time", check_time, ANYWHERE },
    { "in_progress", check_mark, ANYWHERE },
    { "service", check_service, SEGMENT },
    { "user", check_text, SEGMENT },
    { "origin", check_text, SEGMENT },
    { "resource_arn", check_text, SEGMENT },
    { "links", check_links, SEGMENT },
    { "namespace", check_namespace, PARTS },
    { "traced", check_truth, PARTS },
    { "precursor_ids", check_precursors, PARTS },
    { "sql", check_sql, PARTS },
    { "http", check_http, ANYWHERE },
    { "aws", check_aws, ANYWHERE },
    { "annotations", check_annotations, ANYWHERE },
    { "metadata", check_metadata, ANYWHERE },
    { "error", check_mark, ANYWHERE },
    { "throttle", check_throttle, ANYWHERE },
    { "fault", check_mark, ANYWHERE },
    { "cause", check_cause, ANYWHERE },
    { "subsegments", check_children, ANYWHERE },
    { NULL, NULL, 0 },
};

static bool check_entity(struct check *check, const struct node *node, unsigned where)
{
    if (!check_type(check, node, NODE_OBJECT))
        return false;
    if (!node->child || strcmp(node->child->key, "id") != 0)
        return broken(check, RULE_ID_FIRST, node);
    if (!check_object(check, node, where, entity_members) || !check_required(check, node, "name") ||
        !check_required(check, node, "start_time"))
        return false;
    if ((where & INDEPENDENT) && !check_required(check, node, "trace_id"))
        return false;
    if (where == SUBSEGMENT && !check_required(check, node, "parent_id"))
        return false;
    if (!tree_member(node, "end_time") == !tree_member(node, "in_progress"))
        return broken(check, RULE_END_OR_PROGRESS, node);
    return true;
}

/* ---- Documents ------------------------------------------------------------------------ */

/* No object anywhere, in the program's own metadata neither, has a member twice. */
static bool check_members_once(struct check *check, const struct node *node)
{
    for (const struct node *one = node->child; one; one = one->next) {
        if (node->type == NODE_OBJECT)
            for (const struct node *other = one->next; other; other = other->next)
                if (one->key_length == other->key_length &&
                    memcmp(one->key, other->key, one->key_length) == 0)
                    return broken(check, RULE_MEMBER_TWICE, other);
        if (!check_members_once(check, one))
            return false;
    }
    return true;
}

/* What the daemon's log shows of a refused document it finds by patterns, the first match. */
static bool check_first_matches(struct check *check, const struct node *root)
{
    const struct node *trace_id = tree_member(root, "trace_id");
    const char *found = memmem(root->raw, root->raw_length, "\"id\":\"", 6);

    if (!found || found != root->raw + 1)
        return broken(check, RULE_ID_FIRST, root);
    found = memmem(root->raw, root->raw_length, "\"trace_id\":\"", 12);
    return !found || !trace_id || found + 11 == trace_id->raw ||
           broken(check, RULE_TRACE_ID_FIRST, root);
}

static void add_entities(struct check *check, const struct node *node, bool *twice)
{
    const struct node *list = tree_member(node, "subsegments");
    struct documents *documents = check->documents;
    uint64_t id = 0;

    read_id(tree_member(node, "id"), &id);
    if (!id_set_add(tree_member(node, "in_progress") ? &documents->in_progress : &documents->ended,
                    id) &&
        !*twice) {
        broken(check, RULE_ID_TWICE, tree_member(node, "id"));
        *twice = true;
    }
    for (const struct node *one = list ? list->child : NULL; one; one = one->next)
        add_entities(check, one, twice);
}

static bool check_against_others(struct check *check, const struct node *root)
{
    struct documents *documents = check->documents;
    bool twice = false;

    for (size_t i = 0; i < check->exceptions.size; i++)
        if (check->exceptions.ids[i])
            id_set_add(&documents->exceptions, check->exceptions.ids[i]);
    for (size_t i = 0; i < check->causes.size; i++)
        if (check->causes.ids[i])
            id_set_add(&documents->causes, check->causes.ids[i]);
    add_entities(check, root, &twice);
    return !twice;
}

static bool check_causes(struct check *check, const struct id_set *exceptions,
                         const struct id_set *causes)
{
    for (size_t i = 0; i < causes->size; i++)
        if (causes->ids[i] && !id_set_has(exceptions, causes->ids[i])) {
            check->ret->rule = RULE_CAUSE_UNRESOLVED;
            snprintf(check->ret->text, sizeof(check->ret->text), "cause %016llx %s",
                     (unsigned long long)causes->ids[i], rule_texts[RULE_CAUSE_UNRESOLVED]);
            return false;
        }
    return true;
}

static bool check_root(struct check *check, const struct node *root)
{
    unsigned where = tree_member(root, "type") ? SUBSEGMENT : SEGMENT;

    if (!check_type(check, root, NODE_OBJECT) || !check_members_once(check, root) ||
        !check_entity(check, root, where) || !check_first_matches(check, root))
        return false;
    return check->documents ? check_against_others(check, root)
                            : check_causes(check, &check->exceptions, &check->causes);
}

/* Without the blanks that may stand before the last brace; to be freed. */
static char *without_padding(const char *text, size_t *length)
{
    char *copy = malloc(*length + 1);
    size_t kept = *length;

    memcpy(copy, text, *length);
    if (kept > 0 && copy[kept - 1] == '}') {
        for (kept--; kept > 0 && copy[kept - 1] == ' ';)
            kept--;
        copy[kept++] = '}';
    }
    *length = kept;
    return copy;
}

bool document_check(const char *text, size_t length, unsigned flags, struct documents *documents,
                    struct violation *ret)
{
    struct check check = { .ret = ret, .documents = documents };
    struct json_error error;
    struct node *root;
    char *copy = NULL;
    bool valid;

    *ret = (struct violation){ .rule = RULE_NONE };
    if (length > DOCUMENT_MAX) {
        ret->rule = RULE_SIZE;
        snprintf(ret->text, sizeof(ret->text), "it %s: %zu bytes", rule_texts[RULE_SIZE], length);
        return false;
    }
    if (flags & DOCUMENT_PADDED)
        text = copy = without_padding(text, &length);
    root = tree_parse(text, length, &error);
    if (root) {
        valid = check_root(&check, root);
    } else {
        ret->rule = RULE_JSON;
        snprintf(ret->text, sizeof(ret->text), "it %s: byte %zu %s", rule_texts[RULE_JSON],
                 error.at, error.what);
        valid = false;
    }
    tree_free(root);
    free(copy);
    id_set_clear(&check.entities);
    id_set_clear(&check.exceptions);
    id_set_clear(&check.causes);
    return valid;
}

void documents_declare(struct documents *documents, uint64_t exception)
{
    id_set_add(&documents->exceptions, exception);
}

bool documents_end(struct documents *documents, struct violation *ret)
{
    struct check check = { .ret = ret };
    bool valid;

    *ret = (struct violation){ .rule = RULE_NONE };
    valid = check_causes(&check, &documents->exceptions, &documents->causes);
    id_set_clear(&documents->ended);
    id_set_clear(&documents->in_progress);
    id_set_clear(&documents->exceptions);
    id_set_clear(&documents->causes);
    return valid;
}
