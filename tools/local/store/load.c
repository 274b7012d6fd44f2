/* SPDX-License-Identifier: Apache-2.0 */
/* Begins with what an earlier run has left in the file. */
#include "local/store/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct loading {
    struct store *store;
    store_progress *progress;
    void *data;
    double now;            /* monotonic */
    double now_real;       /* seconds since 1970 */
    struct trace_id *pins; /* sorted */
    size_t pin_count;
};

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct trace_id));
}

static int load_document(void *data, const char *text, size_t length, double received)
{
    const struct loading *loading = data;
    struct document document;
    struct refusal refusal;
    int r = document_parse(text, length, &document, &refusal);
    if (r < 0)
        return r;
    struct kept_text *copy = text_new(text, length);
    if (!copy)
        return -ENOMEM;
    double age = loading->now_real - received;
    pthread_mutex_lock(&loading->store->lock);
    r = table_put(loading->store, &document, copy, loading->now - (age > 0 ? age : 0));
    /* At once, or it might have to make room for those that follow. */
    if (r == 1 && loading->pin_count &&
        bsearch(&document.trace_id, loading->pins, loading->pin_count, sizeof *loading->pins,
                by_bytes))
        table_pin(loading->store, table_find(loading->store, &document.trace_id), true);
    pthread_mutex_unlock(&loading->store->lock);
    return r == -ENOMEM ? r : 0;
}

/* They come sorted, and before the documents. */
static int load_pin(void *data, const struct trace_id *id)
{
    struct loading *loading = data;
    struct trace_id *pins = realloc(loading->pins, (loading->pin_count + 1) * sizeof *pins);
    if (!pins)
        return -ENOMEM;
    pins[loading->pin_count++] = *id;
    loading->pins = pins;
    return 0;
}

static int load_item(void *data, const char *kind, const char *name, const char *json)
{
    struct store *s = ((struct loading *)data)->store;
    pthread_mutex_lock(&s->lock);
    int r = items_put(s, kind, name, json);
    pthread_mutex_unlock(&s->lock);
    return r;
}

static void load_progress(void *data, uint64_t done, uint64_t total)
{
    const struct loading *loading = data;
    if (loading->progress)
        loading->progress(loading->data, done, total);
}

/* What has no room any more is removed from the file too: the journal is in place, but
   does not write yet. */
static int load(struct store *s, struct journal_file *file, store_progress *progress, void *data,
                uint64_t *ret_skipped, char message[STORE_MESSAGE_SIZE])
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct loading loading = {
        .store = s,
        .progress = progress,
        .data = data,
        .now = store_now(),
        .now_real = (double)now.tv_sec + (double)now.tv_nsec / 1e9,
    };
    struct journal_reader reader = { load_document, load_pin, load_item, load_progress, &loading };
    int r = journal_file_read(file, &reader, ret_skipped, message);
    free(loading.pins);
    return r;
}

int store_open_file(struct store *s, const char *path, store_progress *progress, void *data,
                    uint64_t *ret_skipped, char ret_message[STORE_MESSAGE_SIZE])
{
    struct journal_file *file;
    struct journal *journal;
    int r = journal_file_open(&file, path, ret_message);
    if (r < 0)
        return r;
    r = journal_new(&journal, file);
    if (r < 0) {
        journal_file_close(file);
        snprintf(ret_message, STORE_MESSAGE_SIZE, "%s", strerror(-r));
        return r;
    }
    pthread_mutex_lock(&s->lock);
    s->journal = journal;
    s->loading = true;
    pthread_mutex_unlock(&s->lock);
    r = load(s, file, progress, data, ret_skipped, ret_message);
    pthread_mutex_lock(&s->lock);
    s->loading = false;
    workers_wake(s);
    pthread_mutex_unlock(&s->lock);
    if (r == 0) {
        r = journal_start(journal);
        if (r < 0)
            snprintf(ret_message, STORE_MESSAGE_SIZE, "%s", strerror(-r));
    }
    return r;
}

const char *store_file_failure(struct store *s)
{
    return s->journal ? journal_failure(s->journal) : NULL;
}
