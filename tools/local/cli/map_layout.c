/* SPDX-License-Identifier: Apache-2.0 */
/* Where the boxes of a map stand: in ranks from the clients to the right, each edge
   from a rank to a later one, ordered so that few lines cross. */
#include "local/cli/map_internal.h"

#include <errno.h>
#include <stdlib.h>

#define SWEEPS    4
#define ITEMS_MAX 500u /* with more, nobody could follow a line */
#define LINES_MAX 700u

enum visit {
    VISIT_NEW,
    VISIT_OPEN, /* the walk is below it */
    VISIT_DONE,
};

struct walk {
    const struct map *map;
    enum visit visits[MAP_DRAWN_NODES_MAX];
    size_t ranks[MAP_DRAWN_NODES_MAX];
    size_t order[MAP_DRAWN_NODES_MAX]; /* as the nodes were met */
    size_t met;
    bool back[MAP_DRAWN_EDGES_MAX]; /* edges that close a circle */
};

/* Depth first: an edge to a node that is still open would go back. */
static void visit_node(struct walk *walk, size_t node)
{
    walk->visits[node] = VISIT_OPEN;
    walk->order[walk->met++] = node;
    for (size_t i = 0; i < walk->map->edge_count; i++) {
        const struct map_edge *edge = &walk->map->edges[i];
        if (edge->from != node || edge->to == node)
            continue;
        if (walk->visits[edge->to] == VISIT_OPEN)
            walk->back[i] = true;
        else if (walk->visits[edge->to] == VISIT_NEW)
            visit_node(walk, edge->to);
    }
    walk->visits[node] = VISIT_DONE;
}

/* The nodes nobody calls first; what is left is in circles. */
static void walk_map(struct walk *walk)
{
    const struct map *map = walk->map;
    for (size_t i = 0; i < map->node_count; i++) {
        bool called = false;
        for (size_t k = 0; k < map->edge_count; k++)
            called = called || (map->edges[k].to == i && map->edges[k].from != i);
        if (!called)
            visit_node(walk, i);
    }
    for (size_t i = 0; i < map->node_count; i++)
        if (walk->visits[i] == VISIT_NEW)
            visit_node(walk, i);
    /* The longest way to each node: no more rounds than there are nodes. */
    bool changed = true;
    while (changed) {
        changed = false;
        for (size_t k = 0; k < map->edge_count; k++) {
            const struct map_edge *edge = &map->edges[k];
            size_t rank = walk->ranks[edge->from] + 1;
            if (walk->back[k] || edge->from == edge->to || walk->ranks[edge->to] >= rank)
                continue;
            walk->ranks[edge->to] = rank;
            changed = true;
        }
    }
}

static size_t add_item(struct map_layout *layout, size_t node, size_t rank)
{
    layout->items[layout->item_count] = (struct map_item){ .node = node, .rank = rank };
    if (layout->rank_count <= rank)
        layout->rank_count = rank + 1;
    return layout->item_count++;
}

static int add_lines(struct map_layout *layout, const struct walk *walk, const size_t *item_of,
                     size_t index)
{
    const struct map_edge *edge = &layout->map->edges[index];
    bool reversed = walk->back[index];
    size_t at = item_of[reversed ? edge->to : edge->from];
    size_t last = item_of[reversed ? edge->from : edge->to];
    for (bool first = true; at != last; first = false) {
        size_t next = last;
        if (layout->line_count == LINES_MAX || layout->item_count == ITEMS_MAX)
            return -E2BIG;
        if (layout->items[at].rank + 1 < layout->items[last].rank)
            next = add_item(layout, MAP_NONE, layout->items[at].rank + 1);
        layout->lines[layout->line_count++] = (struct map_line){
            .from = at,
            .to = next,
            .edge = index,
            .reversed = reversed,
            .first = first,
            .last = next == last,
            .own = reversed || edge->link || !first,
        };
        at = next;
    }
    return 0;
}

/* The mean place of those it is connected with in the rank before, or after. */
static void wish_place(struct map_layout *layout, size_t index, bool before)
{
    struct map_item *item = &layout->items[index];
    double sum = 0;
    double count = 0;
    for (size_t i = 0; i < layout->line_count; i++) {
        const struct map_line *line = &layout->lines[i];
        if ((before ? line->to : line->from) != index)
            continue;
        sum += (double)layout->items[before ? line->from : line->to].place;
        count++;
    }
    item->wish = count > 0 ? sum / count : (double)item->place;
}

/* By wish; equal ones stay as they are. */
static void sort_rank(struct map_layout *layout, size_t rank)
{
    struct map_item *items = layout->items;
    for (size_t i = 0; i < layout->item_count; i++) {
        if (items[i].rank != rank)
            continue;
        size_t place = 0;
        for (size_t k = 0; k < layout->item_count; k++) {
            const struct map_item *other = &items[k];
            place += other->rank == rank && k != i &&
                     (other->wish < items[i].wish ||
                      (other->wish == items[i].wish && other->row < items[i].row));
        }
        items[i].place = place;
    }
}

static void sort_ranks(struct map_layout *layout)
{
    for (size_t i = 0; i < layout->item_count; i++) {
        size_t place = 0;
        for (size_t k = 0; k < i; k++)
            place += layout->items[k].rank == layout->items[i].rank;
        layout->items[i].place = place;
    }
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        bool before = sweep % 2 == 0;
        for (size_t r = 1; r < layout->rank_count; r++) {
            size_t rank = before ? r : layout->rank_count - 1 - r;
            for (size_t i = 0; i < layout->item_count; i++) {
                if (layout->items[i].rank != rank)
                    continue;
                wish_place(layout, i, before);
                layout->items[i].row = (int)layout->items[i].place; /* until rows are known */
            }
            sort_rank(layout, rank);
        }
    }
}

static int centre(const struct map_item *item)
{
    return item->row + (item->height - 1) / 2;
}

static int inside(const struct map_item *item)
{
    return item->node == MAP_NONE ? item->height : item->height - 2;
}

/* A box has room for its lines of text, and for each line that comes or goes. */
static void set_heights(struct map_layout *layout)
{
    for (size_t i = 0; i < layout->item_count; i++) {
        struct map_item *item = &layout->items[i];
        int in = 0;
        int own = 0;
        int shared = 0;
        for (size_t k = 0; k < layout->line_count; k++) {
            const struct map_line *line = &layout->lines[k];
            in += line->to == i;
            own += line->from == i && line->own;
            shared |= line->from == i && !line->own;
        }
        int most = in > own + shared ? in : own + shared;
        item->height = item->node == MAP_NONE ? 1
                                              : 2 + (most > MAP_BOX_LINES ? most : MAP_BOX_LINES);
    }
}

static size_t item_at(const struct map_layout *layout, size_t rank, size_t place)
{
    for (size_t i = 0; i < layout->item_count; i++)
        if (layout->items[i].rank == rank && layout->items[i].place == place)
            return i;
    return MAP_NONE;
}

/* Each near its wish: once pushed down, once pushed up, and the mean of both, in which
   nothing overlaps either. */
static void place_rank(struct map_layout *layout, size_t rank)
{
    size_t list[ITEMS_MAX];
    int down[ITEMS_MAX];
    size_t count = 0;
    for (size_t i; (i = item_at(layout, rank, count)) != MAP_NONE;)
        list[count++] = i;
    for (size_t i = 0; i < count; i++) {
        const struct map_item *item = &layout->items[list[i]];
        int wish = (int)item->wish - (item->height - 1) / 2;
        int least = i ? down[i - 1] + layout->items[list[i - 1]].height + 1 : wish;
        down[i] = wish > least ? wish : least;
    }
    int most = 0;
    for (size_t i = count; i-- > 0;) {
        const struct map_item *item = &layout->items[list[i]];
        int wish = (int)item->wish - (item->height - 1) / 2;
        int up = i + 1 < count && wish > most - item->height - 1 ? most - item->height - 1 : wish;
        most = up;
        layout->items[list[i]].row = (down[i] + up + 20000) / 2 - 10000; /* rounds down */
    }
}

/* The mean row of those it is connected with on one side. */
static void wish_row(struct map_layout *layout, size_t index, bool before)
{
    double sum = 0;
    double count = 0;
    for (size_t i = 0; i < layout->line_count; i++) {
        const struct map_line *line = &layout->lines[i];
        if ((before ? line->to : line->from) != index)
            continue;
        sum += centre(&layout->items[before ? line->from : line->to]);
        count++;
    }
    layout->items[index].wish = count > 0 ? sum / count : centre(&layout->items[index]);
}

static void place_ranks(struct map_layout *layout)
{
    for (size_t rank = 0; rank < layout->rank_count; rank++) {
        for (size_t i = 0; i < layout->item_count; i++)
            layout->items[i].wish = 0;
        place_rank(layout, rank);
    }
    for (int sweep = 0; sweep < 3; sweep++) {
        bool before = sweep != 1;
        for (size_t r = 1; r < layout->rank_count; r++) {
            size_t rank = before ? r : layout->rank_count - 1 - r;
            for (size_t i = 0; i < layout->item_count; i++)
                if (layout->items[i].rank == rank)
                    wish_row(layout, i, before);
            place_rank(layout, rank);
        }
    }
    int least = 0;
    for (size_t i = 0; i < layout->item_count; i++)
        if (i == 0 || layout->items[i].row < least)
            least = layout->items[i].row;
    for (size_t i = 0; i < layout->item_count; i++) {
        struct map_item *item = &layout->items[i];
        item->row -= least;
        if (layout->height < item->row + item->height)
            layout->height = item->row + item->height;
    }
}

/* The row in the item of the port number `port` of `count`. */
static int port_row(const struct map_item *item, int port, int count)
{
    return item->row + (item->node != MAP_NONE) + (inside(item) - count) / 2 + port;
}

static bool is_above(const struct map_layout *layout, size_t a, size_t b, bool incoming)
{
    const struct map_line *x = &layout->lines[a];
    const struct map_line *y = &layout->lines[b];
    int row_x = centre(&layout->items[incoming ? x->from : x->to]);
    int row_y = centre(&layout->items[incoming ? y->from : y->to]);
    return row_x != row_y ? row_x < row_y : a < b;
}

/* Lines come in at the order of where they come from. Those of a box that share a way
   out leave first, at one port. */
static void set_ports(struct map_layout *layout)
{
    for (size_t i = 0; i < layout->line_count; i++) {
        struct map_line *line = &layout->lines[i];
        int in = 0;
        int in_before = 0;
        int own = 0;
        int own_before = 0;
        int shared = 0;
        for (size_t k = 0; k < layout->line_count; k++) {
            const struct map_line *other = &layout->lines[k];
            in += other->to == line->to;
            in_before += other->to == line->to && k != i && is_above(layout, k, i, true);
            shared |= other->from == line->from && !other->own;
            own += other->from == line->from && other->own;
            own_before += other->from == line->from && other->own && k != i &&
                          is_above(layout, k, i, false);
        }
        line->in_row = port_row(&layout->items[line->to], in_before, in);
        line->out_row = port_row(&layout->items[line->from], line->own ? shared + own_before : 0,
                                 shared + own);
    }
}

int map_layout_new(struct map_layout *ret, const struct map *map)
{
    struct map_layout layout = { .map = map };
    size_t item_of[MAP_DRAWN_NODES_MAX];
    int r = 0;
    if (map->node_count > MAP_DRAWN_NODES_MAX || map->edge_count > MAP_DRAWN_EDGES_MAX)
        return -E2BIG;
    struct walk walk = { .map = map };
    layout.items = calloc(ITEMS_MAX, sizeof *layout.items);
    layout.lines = calloc(LINES_MAX, sizeof *layout.lines);
    if (!layout.items || !layout.lines)
        r = -ENOMEM;
    if (r == 0) {
        walk_map(&walk);
        for (size_t i = 0; i < walk.met; i++)
            item_of[walk.order[i]] = add_item(&layout, walk.order[i], walk.ranks[walk.order[i]]);
    }
    for (size_t i = 0; i < map->edge_count && r == 0; i++)
        if (map->edges[i].from != map->edges[i].to)
            r = add_lines(&layout, &walk, item_of, i);
    if (r < 0) {
        map_layout_free(&layout);
        return r;
    }
    sort_ranks(&layout);
    set_heights(&layout);
    place_ranks(&layout);
    set_ports(&layout);
    *ret = layout;
    return 0;
}

void map_layout_free(struct map_layout *layout)
{
    free(layout->items);
    free(layout->lines);
    *layout = (struct map_layout){ 0 };
}
