/* SPDX-License-Identifier: Apache-2.0 */
/* What others have said, such as yt-dlp: it may hold addresses with signatures, cookies and
 * tokens, and goes into logs, traces, tables and issues. */
#ifndef PIPELINE_MEDIA_FOREIGN_H
#define PIPELINE_MEDIA_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>

#include "runtime/text.h"

/* The next word of *text, which moves behind it; its length is 0 at the end. */
const char *foreign_next_word(const char **text, size_t *ret_length);

bool foreign_has_digit(const char *word, size_t length);

/* On one line; addresses show their host only, and what may be a secret is left out. */
void foreign_add(struct text *text, const char *foreign);

#endif /* PIPELINE_MEDIA_FOREIGN_H */
