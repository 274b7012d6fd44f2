/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the lint share. */
#ifndef LOCAL_LINT_INTERNAL_H
#define LOCAL_LINT_INTERNAL_H

#include "local/trace/lint.h"

#include <stdbool.h>

struct lint {
    lint_found *found;
    void *data;
    size_t findings;
    size_t annotations; /* in the document so far */
};

/* Where in the document: names and indices, from the inside out. */
struct lint_place {
    const struct lint_place *outer; /* NULL: the document itself */
    const char *name;
    size_t index; /* of an item, if name is NULL */
};

__attribute__((format(printf, 5, 6))) void lint_add(struct lint *lint, enum finding_level level,
                                                    const char *code,
                                                    const struct lint_place *place,
                                                    const char *format, ...);

size_t lint_characters(const char *text);
bool lint_is_id(const cJSON *item);

/* Of an object by its table: members that are unknown, of another type or too long. */
enum lint_table {
    LINT_SEGMENT,
    LINT_SUBSEGMENT,
};
void lint_members(struct lint *lint, const cJSON *object, enum lint_table table,
                  const struct lint_place *place);

#endif
