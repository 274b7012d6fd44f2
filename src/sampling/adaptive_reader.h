/* SPDX-License-Identifier: Apache-2.0 */
/* Between adaptive_yaml.c, which has YAML's structure, and adaptive_scalar.c. */
#ifndef XR_SAMPLING_ADAPTIVE_READER_H
#define XR_SAMPLING_ADAPTIVE_READER_H

#include <stdbool.h>

#include "sampling/adaptive_yaml.h"

struct xr_yaml_reader {
    const char *p;
    const char *end; /* a NUL is there */
    const char *line_start;
    size_t line;
    unsigned depth;
    int error;     /* 0, -EINVAL or -ENOMEM */
    char *scratch; /* of a scalar's length, at least: as long as the whole text */
    const struct xr_yaml_reason *reason;
};

/* Refuses what is at a line. Always NULL, as what could not be read. */
cJSON *xr_yaml_refuse_at(struct xr_yaml_reader *reader, size_t line, const char *format, ...)
    __attribute__((__format__(__printf__, 3, 4)));

#define xr_yaml_refuse(reader, ...) xr_yaml_refuse_at(reader, (reader)->line, __VA_ARGS__)

/* The same, for want of memory. */
cJSON *xr_yaml_no_memory(struct xr_yaml_reader *reader);

/* Whether c ends a word: a blank, the end of a line, or of the text. */
static inline bool xr_yaml_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\0';
}

/*
 * The scalar at reader->p, and what kind it is: cJSON's string, number, true,
 * false or null. In flow it also ends where a flow indicator does. NULL is an error.
 */
cJSON *xr_yaml_scalar(struct xr_yaml_reader *reader, bool flow);

#endif /* XR_SAMPLING_ADAPTIVE_READER_H */
