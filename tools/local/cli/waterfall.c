/* SPDX-License-Identifier: Apache-2.0 */
#include "local/cli/waterfall.h"

#include "local/cli/cells.h"
#include "local/cli/waterfall_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EXCEPTIONS_MAX      3 /* of one line */
#define EXCEPTION_LINES_MAX 4 /* of one exception */

static void reset(const struct waterfall *w)
{
    waterfall_paint(w, "0");
}

/* Removes the blanks at the end of the line. */
static void end_line(const struct waterfall *w)
{
    struct buffer *buffer = w->buffer;
    while (buffer->length && buffer->text[buffer->length - 1] == ' ')
        buffer->length--;
    buffer_puts(buffer, "\n");
}

static bool is_last(const struct waterfall *w, size_t node)
{
    if (w->trace->nodes[node].parent == TRACE_NONE)
        return node == w->last_orphan;
    return w->trace->nodes[node].next == TRACE_NONE;
}

/* The lines of the tree in front of a name: two cells for each level, the deepest ones
   if there are more than fit. `own` is false on the lines under a node's own. */
static size_t put_tree(const struct waterfall *w, size_t node, bool own)
{
    static const char *const lines[2][4] = { { "  ", "| ", "|-", "`-" },
                                             { "  ", "\u2502 ", "\u251c\u2574", "\u2570\u2574" } };
    const char *const *line = lines[w->style->unicode];
    size_t ancestors[WATERFALL_WIDTH_MAX / 2];
    size_t levels = w->trace->nodes[node].depth;
    size_t fitting = w->columns.name > WATERFALL_NAME_REST
                         ? (w->columns.name - WATERFALL_NAME_REST) / 2
                         : 0;
    size_t shown = levels < fitting ? levels : fitting;
    size_t at = node;
    for (size_t i = shown; i > 0; i--) {
        ancestors[i - 1] = at;
        at = w->trace->nodes[at].parent;
    }
    for (size_t i = 0; i < shown; i++) {
        bool last = is_last(w, ancestors[i]);
        if (own && i + 1 == shown)
            buffer_puts(w->buffer, line[last ? 3 : 2]);
        else
            buffer_puts(w->buffer, line[last ? 0 : 1]);
    }
    return 2 * shown;
}

static void put_right(const struct waterfall *w, const char *text, size_t width)
{
    size_t used = cells_width(text, w->style->unicode);
    buffer_repeat(w->buffer, " ", used < width ? width - used : 0);
    cells_put(w->buffer, text, width, w->style->unicode);
}

static void put_node(const struct waterfall *w, size_t index)
{
    const struct trace_node *node = &w->trace->nodes[index];
    const struct columns *c = &w->columns;
    char label[WATERFALL_LABEL_SIZE];
    enum outcome outcome = waterfall_outcome(node);
    bool unicode = w->style->unicode;
    char text[64];

    waterfall_paint(w, "2");
    size_t indent = put_tree(w, index, true);
    reset(w);
    if (!node->subsegment)
        waterfall_paint(w, "1");
    waterfall_label(node, label);
    cells_put_column(w->buffer, label, c->name - indent, unicode);
    if (!node->subsegment)
        reset(w);
    if (c->origin) {
        buffer_puts(w->buffer, "  ");
        waterfall_paint(w, "2");
        cells_put_column(w->buffer, waterfall_origin(node), c->origin, unicode);
        reset(w);
    }
    buffer_puts(w->buffer, "  ");
    text[0] = '+';
    waterfall_duration(node->start - w->start, unicode, text + 1, sizeof text - 1);
    put_right(w, text, c->start);
    buffer_puts(w->buffer, "  ");
    waterfall_duration(node->end - node->start, unicode, text, sizeof text);
    put_right(w, node->in_progress ? (unicode ? "\u2026" : "...") : text, c->duration);
    buffer_puts(w->buffer, "  ");
    waterfall_paint(w, waterfall_colour(outcome));
    if (c->bar) {
        waterfall_bar(w, node);
        buffer_puts(w->buffer, "  ");
    }
    waterfall_status(node, text, sizeof text);
    cells_put(w->buffer, text, c->status, unicode);
    reset(w);
    end_line(w);
}

static void put_exception(const struct waterfall *w, size_t node, const char *type,
                          const char *message)
{
    struct buffer text = { 0 };
    bool more = w->trace->nodes[node].first_child != TRACE_NONE;
    buffer_puts(&text, type ? type : "");
    buffer_puts(&text, type && message ? ": " : "");
    buffer_puts(&text, message ? message : "");
    const char *rest = text.length ? text.text : "";
    for (int line = 0; *rest && line < EXCEPTION_LINES_MAX; line++) {
        waterfall_paint(w, "2");
        size_t indent = put_tree(w, node, false);
        buffer_puts(w->buffer, more ? (w->style->unicode ? "\u2502   " : "|   ") : "    ");
        reset(w);
        waterfall_paint(w, "31");
        size_t width = w->style->width - indent - 4;
        if (line + 1 < EXCEPTION_LINES_MAX) {
            rest = cells_put_line(w->buffer, rest, width, w->style->unicode);
        } else {
            cells_put(w->buffer, rest, width, w->style->unicode);
        }
        reset(w);
        end_line(w);
    }
    w->buffer->failed = w->buffer->failed || text.failed;
    buffer_free(&text);
}

/* A cause that is only an id names an exception which another line shows. */
static void put_exceptions(const struct waterfall *w, size_t node)
{
    const cJSON *cause = trace_object(w->trace->nodes[node].json, "cause");
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(cause, "exceptions");
    const cJSON *exception;
    int count = 0;
    if (!cause)
        return;
    if (cJSON_IsArray(list)) {
        cJSON_ArrayForEach(exception, list)
        {
            const char *type = trace_string(exception, "type");
            const char *message = trace_string(exception, "message");
            if ((type || message) && count++ < EXCEPTIONS_MAX)
                put_exception(w, node, type, message);
        }
    }
    if (count == 0)
        put_exception(w, node, NULL, trace_string(cause, "message"));
}

/* The line above those whose parent is not there. */
static void put_missing(const struct waterfall *w, const struct trace_node *node)
{
    char id[ENTITY_ID_LENGTH + 1];
    entity_id_format(node->parent_id, id);
    waterfall_paint(w, "33");
    buffer_printf(w->buffer, "parent %s %s", id,
                  node->parent_state == PARENT_CIRCULAR ? "is one of its own descendants"
                                                        : "not received");
    reset(w);
    end_line(w);
}

static void put_plural(struct buffer *buffer, size_t count, const char *noun)
{
    buffer_printf(buffer, "%zu %s%s", count, noun, count == 1 ? "" : "s");
}

static void put_header(const struct waterfall *w, const struct trace_id *id)
{
    char text[64];
    size_t segments = 0;
    size_t subsegments = 0;
    size_t missing = 0;
    const struct trace *trace = w->trace;
    for (size_t i = trace->first_root; i != TRACE_NONE; i = trace_next(trace, i)) {
        const struct trace_node *node = &trace->nodes[i];
        *(node->subsegment ? &subsegments : &segments) += 1;
        missing += node->parent_state == PARENT_MISSING || node->parent_state == PARENT_CIRCULAR;
    }
    size_t root = trace_root(trace);
    enum outcome outcome = root == TRACE_NONE ? OUTCOME_OK : waterfall_outcome(&trace->nodes[root]);

    trace_id_format(id, text);
    waterfall_paint(w, "1");
    buffer_printf(w->buffer, "Trace %s", text);
    reset(w);
    buffer_puts(w->buffer, "  ");
    put_plural(w->buffer, segments, "segment");
    buffer_puts(w->buffer, ", ");
    put_plural(w->buffer, subsegments, "subsegment");
    waterfall_duration(w->end - w->start, w->style->unicode, text, sizeof text);
    buffer_printf(w->buffer, "  %s  ", text);
    if (root != TRACE_NONE) {
        waterfall_paint(w, waterfall_colour(outcome));
        buffer_puts(w->buffer, waterfall_outcome_text(outcome));
        reset(w);
    } else {
        buffer_puts(w->buffer, "no segment received");
    }
    if (missing) {
        buffer_puts(w->buffer, ", ");
        waterfall_paint(w, "33");
        buffer_printf(w->buffer, "%zu without a parent", missing);
        reset(w);
    }
    buffer_puts(w->buffer, "\n\n");
}

static void put_titles(const struct waterfall *w)
{
    const struct columns *c = &w->columns;
    waterfall_paint(w, "2");
    cells_put_column(w->buffer, "name", c->name, false);
    if (c->origin) {
        buffer_puts(w->buffer, "  ");
        cells_put_column(w->buffer, "origin", c->origin, false);
    }
    buffer_puts(w->buffer, "  ");
    put_right(w, "start", c->start);
    buffer_puts(w->buffer, "  ");
    put_right(w, "duration", c->duration);
    buffer_repeat(w->buffer, " ", c->bar ? c->bar + 4 : 2);
    buffer_puts(w->buffer, "status");
    reset(w);
    end_line(w);
}

static void find_span(struct waterfall *w)
{
    w->start = INFINITY;
    w->end = -INFINITY;
    for (size_t i = w->trace->first_root; i != TRACE_NONE; i = trace_next(w->trace, i)) {
        w->start = fmin(w->start, w->trace->nodes[i].start);
        w->end = fmax(w->end, w->trace->nodes[i].end);
    }
    if (w->trace->first_root == TRACE_NONE)
        w->start = w->end = 0;
}

static void put_tree_of(const struct waterfall *w, size_t root)
{
    size_t i = root;
    do {
        put_node(w, i);
        put_exceptions(w, i);
        i = trace_next(w->trace, i);
    } while (i != TRACE_NONE && w->trace->nodes[i].parent != TRACE_NONE);
}

struct orphan {
    uint64_t parent_id;
    size_t node;
    size_t position; /* among all orphans: by time */
    size_t group;    /* the position of the first that misses the same parent */
    int32_t state;
};

static int by_parent(const void *a, const void *b)
{
    const struct orphan *x = a;
    const struct orphan *y = b;
    if (x->state != y->state)
        return x->state < y->state ? -1 : 1;
    if (x->parent_id != y->parent_id)
        return x->parent_id < y->parent_id ? -1 : 1;
    return x->position < y->position ? -1 : 1;
}

static int by_group(const void *a, const void *b)
{
    const struct orphan *x = a;
    const struct orphan *y = b;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    return x->position < y->position ? -1 : 1;
}

/* Those who miss the same parent stand together, where the first of them would. */
static size_t sort_orphans(const struct trace *trace, struct orphan *orphans)
{
    size_t count = 0;
    for (size_t i = trace->first_root; i != TRACE_NONE; i = trace->nodes[i].next) {
        const struct trace_node *node = &trace->nodes[i];
        if (node->parent_state != PARENT_NONE) {
            orphans[count] = (struct orphan){ node->parent_id, i, count, 0, node->parent_state };
            count++;
        }
    }
    qsort(orphans, count, sizeof *orphans, by_parent);
    for (size_t i = 0; i < count; i++) {
        bool same = i && orphans[i].state == orphans[i - 1].state &&
                    orphans[i].parent_id == orphans[i - 1].parent_id;
        orphans[i].group = same ? orphans[i - 1].group : orphans[i].position;
    }
    qsort(orphans, count, sizeof *orphans, by_group);
    return count;
}

static void put_orphans(struct waterfall *w)
{
    struct orphan *orphans = calloc(w->trace->count + 1, sizeof *orphans);
    if (!orphans) {
        w->buffer->failed = true;
        return;
    }
    size_t count = sort_orphans(w->trace, orphans);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || orphans[i].group != orphans[i - 1].group) {
            size_t last = i;
            while (last + 1 < count && orphans[last + 1].group == orphans[i].group)
                last++;
            w->last_orphan = orphans[last].node;
            put_missing(w, &w->trace->nodes[orphans[i].node]);
        }
        put_tree_of(w, orphans[i].node);
    }
    free(orphans);
}

void waterfall_write(struct buffer *buffer, const struct trace *trace, const struct trace_id *id,
                     const struct waterfall_style *style)
{
    struct waterfall w = { .buffer = buffer, .trace = trace, .style = style };
    find_span(&w);
    waterfall_measure(&w);
    put_header(&w, id);
    put_titles(&w);
    for (size_t i = trace->first_root; i != TRACE_NONE; i = trace->nodes[i].next)
        if (trace->nodes[i].parent_state == PARENT_NONE)
            put_tree_of(&w, i);
    put_orphans(&w);
}
