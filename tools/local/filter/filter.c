/* SPDX-License-Identifier: Apache-2.0 */
/* A filter as others see it: made, asked, and thrown away. */
#include "local/filter/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct node *node_new(enum node_kind kind)
{
    struct node *node = calloc(1, sizeof *node);
    if (node)
        node->kind = kind;
    return node;
}

void reference_free(struct reference *reference)
{
    free(reference->name);
    free(reference->type);
    free(reference->account_id);
}

/* As deep as the tree, which the parser bounds. */
void node_free(struct node *node)
{
    while (node) {
        struct node *next = node->next;
        node_free(node->first);
        reference_free(&node->from);
        reference_free(&node->to);
        cJSON_Delete(node->json);
        free(node->key);
        free(node->value.string);
        free(node);
        node = next;
    }
}

int filter_parse(struct filter **ret, const char *text, size_t length,
                 const struct filter_groups *groups, struct filter_error *ret_error)
{
    struct filter *filter = calloc(1, sizeof *filter);
    if (!filter)
        return -ENOMEM;
    struct parser p = {
        .text = text,
        .length = length,
        .scope = SCOPE_TRACE,
        .nodes = &filter->node_count,
        .known_groups = groups,
        .filter = filter,
        .error = ret_error,
    };
    filter->root = parse_all(&p);
    if (!filter->root) {
        free(filter);
        return p.failure;
    }
    *ret = filter;
    return 0;
}

void filter_free(struct filter *filter)
{
    if (!filter)
        return;
    node_free(filter->root);
    free(filter);
}

bool filter_matches(const struct filter *filter, const struct facts *facts)
{
    struct answers answers;
    const struct scope scope = { .kind = SCOPE_TRACE, .answers = &answers, .facts = facts };
    memset(answers.known, 0, filter->node_count / 8 + 1);
    return evaluate(filter->root, &scope);
}

void filter_notes(const struct filter *filter, filter_note *note, void *data)
{
    for (size_t i = 0; i < filter->note_count; i++)
        note(data, filter->notes[i].position, filter->notes[i].sentence);
}
