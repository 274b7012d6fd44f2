/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files that draw a waterfall. */
#ifndef LOCAL_WATERFALL_INTERNAL_H
#define LOCAL_WATERFALL_INTERNAL_H

#include "local/cli/waterfall.h"

/* However deep a line is in the tree, so many cells are left for its name. */
#define WATERFALL_NAME_REST  ((size_t)10)
#define WATERFALL_LABEL_SIZE 1024 /* bytes; what is longer is cut */

enum outcome {
    OUTCOME_OK,
    OUTCOME_IN_PROGRESS,
    OUTCOME_ERROR,
    OUTCOME_THROTTLE,
    OUTCOME_FAULT,
};

struct columns {
    size_t name;
    size_t origin; /* 0: left out, as is the bar */
    size_t start;
    size_t duration;
    size_t bar;
    size_t status;
};

struct waterfall {
    struct buffer *buffer;
    const struct trace *trace;
    const struct waterfall_style *style;
    struct columns columns;
    double start;
    double end;
    size_t last_orphan; /* the last of those who miss the same parent */
};

enum outcome waterfall_outcome(const struct trace_node *node);
const char *waterfall_outcome_text(enum outcome outcome);
const char *waterfall_colour(enum outcome outcome);
/* The name, and what a call to AWS asked for: "DynamoDB UpdateItem". */
void waterfall_label(const struct trace_node *node, char ret[WATERFALL_LABEL_SIZE]);
const char *waterfall_origin(const struct trace_node *node);
void waterfall_status(const struct trace_node *node, char *ret, size_t size);

void waterfall_measure(struct waterfall *w);
void waterfall_bar(const struct waterfall *w, const struct trace_node *node);
void waterfall_paint(const struct waterfall *w, const char *code);

#endif
