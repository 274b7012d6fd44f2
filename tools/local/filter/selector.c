/* SPDX-License-Identifier: Apache-2.0 */
/* What GetTimeSeriesServiceStatistics counts: all calls, one service, or the calls
   between two. */
#include "local/filter/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct filter_selector {
    enum filter_selected kind;
    struct node *node; /* NULL of SELECTED_EDGES */
};

bool reference_matches(const struct reference *reference, const struct facts_segment *segment)
{
    const struct facts_item *item = &segment->item;
    return (!reference->name || (item->name && strcmp(reference->name, item->name) == 0)) &&
           (!reference->type || (item->type && strcmp(reference->type, item->type) == 0)) &&
           (!reference->account_id ||
            (item->account_id && strcmp(reference->account_id, item->account_id) == 0));
}

/* The map's node before a root: it has the root's name and no segment of its own. */
bool reference_is_client(const struct reference *reference)
{
    return reference->type && strcmp(reference->type, "client") == 0;
}

static bool parse_selector(struct parser *p, struct filter_selector *selector)
{
    scan_blanks(p);
    size_t position = p->at;
    if (scan_keyword(p, "service")) {
        selector->kind = SELECTED_SERVICE;
        selector->node = parse_service(p, position);
    } else if (scan_keyword(p, "edge")) {
        selector->kind = SELECTED_EDGE;
        selector->node = parse_edge(p, position);
    } else {
        return scan_peek(p) < 0 || parse_unexpected(p, "service(…) or edge(…, …)");
    }
    if (!selector->node)
        return false;
    if (selector->node->first)
        return parse_fail(p, position, "a selector has no braces; see %zu", position);
    return scan_peek(p) < 0 || parse_unexpected(p, "the end");
}

int filter_selector_parse(struct filter_selector **ret, const char *text, size_t length,
                          struct filter_error *ret_error)
{
    struct filter_selector *selector = calloc(1, sizeof *selector);
    struct parser p = { .text = text, .length = length, .error = ret_error };
    if (!selector)
        return -ENOMEM;
    if (!parse_check_text(&p) || !parse_selector(&p, selector)) {
        filter_selector_free(selector);
        return p.failure;
    }
    *ret = selector;
    return 0;
}

void filter_selector_free(struct filter_selector *selector)
{
    if (!selector)
        return;
    node_free(selector->node);
    free(selector);
}

enum filter_selected filter_selector_kind(const struct filter_selector *selector)
{
    return selector->kind;
}

bool filter_selector_takes_segment(const struct filter_selector *selector,
                                   const struct facts_segment *segment)
{
    return selector->kind == SELECTED_SERVICE && reference_matches(&selector->node->from, segment);
}

bool filter_selector_takes_call(const struct filter_selector *selector, const struct facts *facts,
                                const struct facts_call *call)
{
    if (selector->kind == SELECTED_EDGES)
        return true;
    return selector->kind == SELECTED_EDGE &&
           reference_matches(&selector->node->from, &facts->segments[call->from]) &&
           reference_matches(&selector->node->to, &facts->segments[call->to]);
}
