/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the targets share. Each is one file with LLVMFuzzerTestOneInput(), which
 * libFuzzer calls with what it invents and replay.c with what is kept in corpus/.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An input that is too large for a file here: for replay.c alone. */
struct fuzz_large {
    const char *name; /* NULL ends the list */
    const char *head;
    const char *piece; /* comes so many times */
    size_t count;
    const char *tail;
};

extern const struct fuzz_large fuzz_large[];

/* Like assert(), also in a release build. */
#define CHECK(condition)                                                                        \
    do {                                                                                        \
        if (!(condition)) {                                                                     \
            fprintf(stdout, "%s:%d: this does not hold: %s\n", __FILE__, __LINE__, #condition); \
            fflush(stdout);                                                                     \
            abort();                                                                            \
        }                                                                                       \
    } while (0)

static inline void *fuzz_allocate(size_t size)
{
    void *memory = malloc(size > 0 ? size : 1);

    if (!memory)
        abort();
    return memory;
}

/* A copy with a NUL and not a byte more, so that the sanitizers see what is read behind it. */
static inline char *fuzz_text(const void *data, size_t size)
{
    char *text = fuzz_allocate(size + 1);

    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

/* What is left of an input. */
struct fuzz_input {
    const uint8_t *data;
    size_t size;
};

/* What comes before the next such byte, which is passed over. */
static inline struct fuzz_input fuzz_take(struct fuzz_input *input, char end)
{
    const uint8_t *found = input->size > 0 ? memchr(input->data, end, input->size) : NULL;
    size_t length = found ? (size_t)(found - input->data) : input->size;
    struct fuzz_input taken = { input->data, length };

    input->data += length + (found != NULL);
    input->size -= length + (found != NULL);
    return taken;
}

/* The same as a text of its own. */
static inline char *fuzz_until(struct fuzz_input *input, char end)
{
    struct fuzz_input taken = fuzz_take(input, end);

    return fuzz_text(taken.data, taken.size);
}

/* Messages that the library would write to stderr are formatted, and thrown away. */
static inline void fuzz_quiet(void)
{
    static FILE *nowhere;

    if (!nowhere && (nowhere = fopen("/dev/null", "w")))
        stderr = nowhere;
}

#endif /* FUZZ_FUZZ_H */
