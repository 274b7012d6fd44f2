/* SPDX-License-Identifier: Apache-2.0 */
#include "local/cli/open_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Fewer documents are there before anybody could read it. */
#define PROGRESS_FROM 10000

static void show_progress(void *data, uint64_t done, uint64_t total)
{
    if (total >= PROGRESS_FROM)
        fprintf(stderr, "\rloading %s: %3" PRIu64 " %%%s", (const char *)data, done * 100 / total,
                done == total ? "\n" : "");
}

static int open_file(struct store *store, const char *path)
{
    char message[STORE_MESSAGE_SIZE];
    uint64_t skipped = 0;
    store_progress *progress = isatty(STDERR_FILENO) ? show_progress : NULL;
    if (store_open_file(store, path, progress, (void *)(uintptr_t)path, &skipped, message) < 0) {
        fprintf(stderr, "xraytrace-local: %s\n", message);
        return EXIT_NOT_FOUND;
    }
    if (skipped)
        fprintf(stderr, "xraytrace-local: %" PRIu64 " documents in %s are damaged and left out\n",
                skipped, path);
    return 0;
}

int open_store(struct store **ret, const struct options *options)
{
    struct store *store;
    int r = store_new(&store, &options->limits);
    if (r < 0) {
        fprintf(stderr, "xraytrace-local: cannot start: %s\n", strerror(-r));
        return EXIT_NOT_FOUND;
    }
    r = options->database ? open_file(store, options->database) : 0;
    if (r == 0)
        *ret = store;
    else
        store_free(store);
    return r;
}

int open_ingest(struct ingest **ret, struct store *store, const struct options *options)
{
    struct ingest *ingest;
    int r = ingest_new(&ingest, store, stderr);
    if (r < 0)
        return r;
    if (options->tail)
        r = ingest_add_tail(ingest, &options->tail_rules);
    if (r < 0)
        ingest_free(ingest);
    else
        *ret = ingest;
    return r;
}
