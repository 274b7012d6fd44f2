/* SPDX-License-Identifier: Apache-2.0 */
/* Text of unknown origin for a terminal: what could move the cursor, change colours
   or turn the direction of writing never comes out raw, and width is counted in the
   cells of the screen. */
#ifndef LOCAL_CELLS_H
#define LOCAL_CELLS_H

#include "local/base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

/* With unicode false, what is not ASCII is shown as a question mark. Unicode needs a
   UTF-8 locale (setlocale of LC_CTYPE), which knows the widths. */
size_t cells_width(const char *text, bool unicode);

/* Appends at most `width` cells, the last an ellipsis if the text is longer. Returns
   the cells used. */
size_t cells_put(struct buffer *buffer, const char *text, size_t width, bool unicode);
/* The same, filled up with blanks to exactly `width`. */
void cells_put_column(struct buffer *buffer, const char *text, size_t width, bool unicode);

/* Appends what fits into a line, broken at a blank where there is one, and returns
   where the next line begins ("" at the end). */
const char *cells_put_line(struct buffer *buffer, const char *text, size_t width, bool unicode);

/* Appends JSON with the control characters in its strings escaped. */
void cells_put_json(struct buffer *buffer, const char *json);

#endif
