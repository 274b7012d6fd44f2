/* SPDX-License-Identifier: Apache-2.0 */
#include "local/cli/map_canvas.h"

#include "local/cli/cells.h"

#include <errno.h>
#include <stdlib.h>

#define ACROSS     (ARM_LEFT | ARM_RIGHT)
#define UP_DOWN    (ARM_UP | ARM_DOWN)
#define LINE_PAINT "2"

int canvas_new(struct canvas *ret, size_t width, size_t height, size_t texts)
{
    struct canvas canvas = { .width = width, .height = height, .texts_size = texts };
    canvas.cells = calloc(width * height + 1, sizeof *canvas.cells);
    canvas.texts = calloc(texts + 1, sizeof *canvas.texts);
    if (!canvas.cells || !canvas.texts) {
        canvas_free(&canvas);
        return -ENOMEM;
    }
    *ret = canvas;
    return 0;
}

void canvas_free(struct canvas *canvas)
{
    free(canvas->cells);
    free(canvas->texts);
    *canvas = (struct canvas){ 0 };
}

static struct canvas_cell *cell_at(struct canvas *canvas, size_t row, size_t column)
{
    return row < canvas->height && column < canvas->width
               ? &canvas->cells[row * canvas->width + column]
               : NULL;
}

/* Where two lines cross, the one across is interrupted: no branch is where none is. */
static void add_arms(struct canvas *canvas, size_t row, size_t column, uint8_t arms, uint32_t line,
                     bool dashed)
{
    struct canvas_cell *cell = cell_at(canvas, row, column);
    if (!cell)
        return;
    bool strangers = cell->line && cell->line != line && cell->line != CANVAS_BOX;
    if (strangers && cell->arms == UP_DOWN && arms == ACROSS)
        return;
    if (strangers && cell->arms == ACROSS && arms == UP_DOWN)
        cell->arms = 0;
    cell->dashed = cell->arms ? cell->dashed && dashed : dashed;
    cell->arms |= arms;
    if (cell->line != CANVAS_BOX)
        cell->line = line;
}

void canvas_across(struct canvas *canvas, size_t row, size_t from, size_t to, uint32_t line,
                   bool dashed)
{
    for (size_t column = from; column <= to && from < to; column++) {
        uint8_t arms = (uint8_t)((column > from ? ARM_LEFT : 0) | (column < to ? ARM_RIGHT : 0));
        add_arms(canvas, row, column, arms, line, dashed);
    }
}

void canvas_down(struct canvas *canvas, size_t column, size_t from, size_t to, uint32_t line,
                 bool dashed)
{
    for (size_t row = from; row <= to && from < to; row++) {
        uint8_t arms = (uint8_t)((row > from ? ARM_UP : 0) | (row < to ? ARM_DOWN : 0));
        add_arms(canvas, row, column, arms, line, dashed);
    }
}

void canvas_box(struct canvas *canvas, size_t row, size_t column, size_t width, size_t height,
                const char *paint)
{
    size_t right = column + width - 1;
    size_t bottom = row + height - 1;
    canvas_across(canvas, row, column, right, CANVAS_BOX, false);
    canvas_across(canvas, bottom, column, right, CANVAS_BOX, false);
    canvas_down(canvas, column, row, bottom, CANVAS_BOX, false);
    canvas_down(canvas, right, row, bottom, CANVAS_BOX, false);
    for (size_t y = row; y <= bottom; y++) {
        for (size_t x = column; x <= right; x++) {
            struct canvas_cell *cell = cell_at(canvas, y, x);
            if (cell && cell->arms)
                cell->paint = paint;
        }
    }
}

void canvas_arrow(struct canvas *canvas, size_t row, size_t column, enum canvas_arrow arrow,
                  const char *paint)
{
    struct canvas_cell *cell = cell_at(canvas, row, column);
    if (!cell)
        return;
    cell->arrow = (uint8_t)arrow;
    cell->paint = paint;
}

struct canvas_text *canvas_add_text(struct canvas *canvas, size_t row, size_t column, size_t width,
                                    const char *paint)
{
    static struct canvas_text spare;
    struct canvas_text *text = canvas->text_count < canvas->texts_size
                                   ? &canvas->texts[canvas->text_count++]
                                   : &spare;
    *text = (struct canvas_text){ .row = row, .column = column, .width = width, .paint = paint };
    return text;
}

static const char *glyph(const struct canvas_cell *cell, bool unicode)
{
    static const char *const lines[16] = {
        " ",      "\u2500", "\u2500", "\u2500", "\u2502", "\u256f", "\u2570", "\u2534",
        "\u2502", "\u256e", "\u256d", "\u252c", "\u2502", "\u2524", "\u251c", "\u253c",
    };
    if (cell->arrow == ARROW_RIGHT)
        return unicode ? "\u25b6" : ">";
    if (cell->arrow == ARROW_LEFT)
        return unicode ? "\u25c0" : "<";
    bool across = cell->arms && !(cell->arms & UP_DOWN);
    bool upright = cell->arms && !(cell->arms & ACROSS);
    if (cell->dashed && across)
        return unicode ? "\u2504" : ".";
    if (cell->dashed && upright)
        return unicode ? "\u2506" : ":";
    if (unicode)
        return lines[cell->arms & 15];
    return across ? "-" : upright ? "|" : cell->arms ? "+" : " ";
}

static int by_place(const void *a, const void *b)
{
    const struct canvas_text *x = a;
    const struct canvas_text *y = b;
    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    return x->column < y->column ? -1 : x->column > y->column;
}

/* Says which colour follows, if it is another one. */
static void set_paint(struct buffer *buffer, const char **paint, const char *wanted, bool colour)
{
    if (!colour || *paint == wanted)
        return;
    if (*paint)
        buffer_puts(buffer, "\033[0m");
    if (wanted)
        buffer_printf(buffer, "\033[%sm", wanted);
    *paint = wanted;
}

static size_t row_end(const struct canvas *canvas, size_t row)
{
    size_t end = canvas->width;
    while (end && !canvas->cells[row * canvas->width + end - 1].arms)
        end--;
    return end;
}

void canvas_write(struct canvas *canvas, struct buffer *buffer, bool unicode, bool colour)
{
    size_t next = 0;
    const char *paint = NULL;
    qsort(canvas->texts, canvas->text_count, sizeof *canvas->texts, by_place);
    for (size_t row = 0; row < canvas->height; row++) {
        size_t end = row_end(canvas, row);
        for (size_t column = 0; column < end;) {
            const struct canvas_text *text = next < canvas->text_count ? &canvas->texts[next]
                                                                       : NULL;
            if (text && text->row == row && text->column <= column) {
                set_paint(buffer, &paint, text->paint, colour);
                cells_put_column(buffer, text->text ? text->text : text->own, text->width, unicode);
                column += text->width;
                next++;
                continue;
            }
            const struct canvas_cell *cell = &canvas->cells[row * canvas->width + column++];
            const char *wanted = cell->paint ? cell->paint : LINE_PAINT;
            if (cell->arms)
                set_paint(buffer, &paint, wanted, colour);
            buffer_puts(buffer, cell->arms ? glyph(cell, unicode) : " ");
        }
        set_paint(buffer, &paint, NULL, colour);
        buffer_puts(buffer, "\n");
    }
}
