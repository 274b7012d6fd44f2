/* SPDX-License-Identifier: Apache-2.0 */
/* Lines, arrows and texts on a grid of cells. */
#ifndef LOCAL_MAP_CANVAS_H
#define LOCAL_MAP_CANVAS_H

#include "local/base/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CANVAS_BOX 1u /* the number of all borders; lines have higher ones */

enum canvas_arm {
    ARM_LEFT = 1,
    ARM_RIGHT = 2,
    ARM_UP = 4,
    ARM_DOWN = 8,
};

enum canvas_arrow {
    ARROW_NONE,
    ARROW_RIGHT,
    ARROW_LEFT,
};

struct canvas_cell {
    uint32_t line; /* 0: empty */
    uint8_t arms;
    uint8_t arrow;
    bool dashed;
    const char *paint; /* NULL: as lines are */
};

struct canvas_text {
    size_t row;
    size_t column;
    size_t width;
    const char *text; /* NULL: own */
    char own[96];
    const char *paint;
};

struct canvas {
    size_t width;
    size_t height;
    struct canvas_cell *cells;
    struct canvas_text *texts;
    size_t text_count;
    size_t texts_size;
};

/* 0 or -ENOMEM. */
int canvas_new(struct canvas *ret, size_t width, size_t height, size_t texts);
void canvas_free(struct canvas *canvas);

/* From the middle of one cell to the middle of another. Lines of two numbers cross; those
   of one number join, and all join borders. */
void canvas_across(struct canvas *canvas, size_t row, size_t from, size_t to, uint32_t line,
                   bool dashed);
void canvas_down(struct canvas *canvas, size_t column, size_t from, size_t to, uint32_t line,
                 bool dashed);
void canvas_box(struct canvas *canvas, size_t row, size_t column, size_t width, size_t height,
                const char *paint);
void canvas_arrow(struct canvas *canvas, size_t row, size_t column, enum canvas_arrow arrow,
                  const char *paint);
/* A text to point somewhere, or to write into own; it covers so many cells. */
struct canvas_text *canvas_add_text(struct canvas *canvas, size_t row, size_t column, size_t width,
                                    const char *paint);

void canvas_write(struct canvas *canvas, struct buffer *buffer, bool unicode, bool colour);

#endif
