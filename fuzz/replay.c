/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a target with all files of the given directories, and its large inputs: for any compiler. */
#include "fuzz.h"

#include <dirent.h>

static unsigned long count;

static void run(const char *name, const void *data, size_t size)
{
    /* A copy of its own, so that the sanitizers see what is read behind it. */
    uint8_t *copy = fuzz_allocate(size);

    printf("%s: %zu bytes\n", name, size);
    fflush(stdout); /* the last line tells what it crashed with */
    if (size > 0)
        memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    count++;
}

static void run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    size_t size = 0, room = 0, n;

    if (!file) {
        perror(path);
        exit(1);
    }
    do {
        if (size == room && !(data = realloc(data, room = room * 2 + 4096)))
            abort();
        n = fread(data + size, 1, room - size, file);
        size += n;
    } while (n > 0);
    fclose(file);
    run(path, data, size);
    free(data);
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void run_directory(const char *path)
{
    struct dirent **entries;
    int n = scandir(path, &entries, visible, alphasort);

    if (n < 0) {
        perror(path);
        exit(1);
    }
    for (int i = 0; i < n; i++) {
        char file[4096];

        snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
        run_file(file);
        free(entries[i]);
    }
    free(entries);
}

static void run_large(const struct fuzz_large *large)
{
    size_t head = strlen(large->head), piece = strlen(large->piece), tail = strlen(large->tail);
    size_t size = head + piece * large->count + tail;
    char *text = fuzz_allocate(size), *p = text;

    memcpy(p, large->head, head);
    p += head;
    for (size_t i = 0; i < large->count; i++, p += piece)
        memcpy(p, large->piece, piece);
    memcpy(p, large->tail, tail);
    run(large->name, text, size);
    free(text);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        run_directory(argv[i]);
    if (count == 0) {
        printf("usage: %s DIRECTORY…\nThere was nothing to run.\n", argv[0]);
        return 1;
    }
    for (const struct fuzz_large *large = fuzz_large; large->name; large++)
        run_large(large);
    printf("%lu inputs\n", count);
    return 0;
}
