/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the documents in a file: one a line, JSON one after the other however it is
   broken into lines, lists of them, what BatchGetTraces and `show --json` print, and
   requests of OTLP in JSON. */
#ifndef LOCAL_IMPORT_H
#define LOCAL_IMPORT_H

#include <stdbool.h>
#include <stddef.h>

#define IMPORT_FILE_MAX ((size_t)1024 * 1024 * 1024)

/* What is found, in the order of the file; `line` is where it begins, from 1. Each returns
   0, or what ends the reading. */
struct import_sink {
    int (*document)(void *data, const char *json, size_t length, size_t line);
    int (*otlp)(void *data, const char *json, size_t length, size_t line);
    int (*wrong)(void *data, const char *reason, size_t line);
    void (*progress)(void *data, size_t offset);
    void *data;
};

int import_read(const char *text, size_t length, const struct import_sink *sink);

#endif
