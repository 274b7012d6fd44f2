/* SPDX-License-Identifier: Apache-2.0 */
/* Where the lines between two ranks turn: each port's lines share a track, and lines
   of two ports never lie on each other. */
#include "local/cli/map_internal.h"

#include <stdlib.h>

/* All lines that leave from one port. */
struct net {
    int out_row;
    int top;
    int bottom;
    size_t track;
    bool placed;
};

static size_t find_net(const struct net *nets, size_t count, int out_row)
{
    size_t i = 0;
    while (i < count && nets[i].out_row != out_row)
        i++;
    return i;
}

static size_t collect_nets(const struct map_layout *layout, size_t rank, struct net *nets)
{
    size_t count = 0;
    for (size_t i = 0; i < layout->line_count; i++) {
        const struct map_line *line = &layout->lines[i];
        if (layout->items[line->from].rank != rank)
            continue;
        size_t at = find_net(nets, count, line->out_row);
        if (at == count)
            nets[count++] = (struct net){ .out_row = line->out_row,
                                          .top = line->out_row,
                                          .bottom = line->out_row };
        if (line->in_row < nets[at].top)
            nets[at].top = line->in_row;
        if (line->in_row > nets[at].bottom)
            nets[at].bottom = line->in_row;
    }
    return count;
}

/* Where one leaves in the row in which the other arrives, it has to turn first. */
static bool turns_before(const struct map_layout *layout, size_t rank, const struct net *first,
                         const struct net *second)
{
    for (size_t i = 0; i < layout->line_count; i++) {
        const struct map_line *line = &layout->lines[i];
        if (layout->items[line->from].rank == rank && line->out_row == second->out_row &&
            line->in_row == first->out_row)
            return first != second;
    }
    return false;
}

/* The least track that the net may have, or MAP_NONE while one that goes before it has
   none yet. */
static size_t least_track(const struct map_layout *layout, size_t rank, const struct net *nets,
                          size_t count, size_t index)
{
    size_t least = 0;
    for (size_t i = 0; i < count; i++) {
        if (!turns_before(layout, rank, &nets[i], &nets[index]))
            continue;
        if (!nets[i].placed)
            return MAP_NONE;
        if (least <= nets[i].track)
            least = nets[i].track + 1;
    }
    return least;
}

static bool is_taken(const struct net *nets, size_t count, const struct net *net, size_t track)
{
    for (size_t i = 0; i < count; i++)
        if (nets[i].placed && nets[i].track == track && nets[i].top != nets[i].bottom &&
            nets[i].top <= net->bottom && nets[i].bottom >= net->top)
            return true;
    return false;
}

size_t map_layout_route(struct map_layout *layout, size_t rank)
{
    size_t tracks = 0;
    struct net *nets = calloc(layout->line_count + 1, sizeof *nets);
    if (!nets)
        return MAP_NONE;
    size_t count = collect_nets(layout, rank, nets);
    for (size_t placed = 0; placed < count; placed++) {
        size_t next = MAP_NONE;
        size_t track = 0;
        for (size_t i = 0; i < count && next == MAP_NONE; i++) {
            track = nets[i].placed ? MAP_NONE : least_track(layout, rank, nets, count, i);
            if (track != MAP_NONE)
                next = i;
        }
        /* They wait for each other: somebody has to begin. */
        for (size_t i = 0; i < count && next == MAP_NONE; i++) {
            if (!nets[i].placed) {
                next = i;
                track = 0;
            }
        }
        while (nets[next].top != nets[next].bottom && is_taken(nets, count, &nets[next], track))
            track++;
        nets[next].track = track;
        nets[next].placed = true;
        if (nets[next].top != nets[next].bottom && tracks <= track)
            tracks = track + 1;
    }
    for (size_t i = 0; i < layout->line_count; i++) {
        struct map_line *line = &layout->lines[i];
        if (layout->items[line->from].rank == rank)
            line->track = nets[find_net(nets, count, line->out_row)].track;
    }
    free(nets);
    return tracks;
}
