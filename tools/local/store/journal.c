/* SPDX-License-Identifier: Apache-2.0 */
#include "local/store/journal.h"

#include "local/store/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TRANSACTION_DOCUMENTS 500u
#define TRANSACTION_SECONDS   0.1
#define SHRINK_SECONDS        10.0
#define RETRY_SECONDS         1.0
/* Of the texts that wait to be written. */
#define WAITING_BYTES_MAX ((size_t)64 << 20)
#define COMPLAIN_SECONDS  60.0

enum operation_kind {
    OPERATION_PUT,
    OPERATION_REMOVE,
    OPERATION_PIN,
    OPERATION_CLEAR,
    OPERATION_KEEP,
};

struct operation {
    enum operation_kind kind;
    bool pinned;
    struct trace_id trace;
    uint64_t id;
    double received;
    struct kept_text *text;
    struct kept_item item;
};

struct operations {
    struct operation *list;
    size_t count;
    size_t size;
};

struct journal {
    struct journal_file *file;
    pthread_mutex_t lock;
    pthread_cond_t wakes;
    pthread_cond_t room;
    pthread_t thread;
    bool started;
    bool stops;
    bool waits;    /* the writer, for a first operation */
    bool given_up; /* nothing is written any more */
    struct operations waiting;
    size_t waiting_bytes;
    size_t documents; /* of those that wait */
    double complained;
};

static double real_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void free_operation(struct operation *operation)
{
    if (operation->text)
        text_unref(operation->text);
    free(operation->item.kind);
    free(operation->item.name);
    free(operation->item.json);
}

static void free_operations(struct operations *operations)
{
    for (size_t i = 0; i < operations->count; i++)
        free_operation(&operations->list[i]);
    free(operations->list);
    *operations = (struct operations){ 0 };
}

/* With the journal's lock. What can't be noted down would leave a gap: then no more is. */
static void give_up(struct journal *journal, const char *why)
{
    if (!journal->given_up)
        fprintf(stderr,
                "xraytrace-local: %s: %s; from now on traces are in memory only. Start again "
                "when that is mended\n",
                journal_file_path(journal->file), why);
    journal->given_up = true;
    free_operations(&journal->waiting);
    journal->waiting_bytes = 0;
    journal->documents = 0;
    pthread_cond_broadcast(&journal->room);
}

static bool grow(struct operations *operations)
{
    if (operations->count < operations->size)
        return true;
    size_t size = operations->size ? operations->size * 2 : 256;
    struct operation *list = realloc(operations->list, size * sizeof *list);
    if (!list)
        return false;
    operations->list = list;
    operations->size = size;
    return true;
}

static void append(struct journal *journal, struct operation operation)
{
    pthread_mutex_lock(&journal->lock);
    if (!journal->given_up && !grow(&journal->waiting))
        give_up(journal, "out of memory");
    if (journal->given_up) {
        free_operation(&operation);
    } else {
        journal->waiting.list[journal->waiting.count++] = operation;
        journal->waiting_bytes += sizeof operation + (operation.text ? operation.text->length : 0);
        journal->documents += operation.kind == OPERATION_PUT;
        if (journal->waits || journal->documents == TRANSACTION_DOCUMENTS)
            pthread_cond_signal(&journal->wakes);
        journal->waits = false;
    }
    pthread_mutex_unlock(&journal->lock);
}

void journal_put(struct journal *journal, const struct document *document, struct kept_text *text)
{
    append(journal, (struct operation){ .kind = OPERATION_PUT,
                                        .trace = document->trace_id,
                                        .id = document->id,
                                        .received = real_now(),
                                        .text = text });
}

void journal_remove(struct journal *journal, const struct trace_id *id)
{
    append(journal, (struct operation){ .kind = OPERATION_REMOVE, .trace = *id });
}

void journal_pin(struct journal *journal, const struct trace_id *id, bool pinned)
{
    append(journal, (struct operation){ .kind = OPERATION_PIN, .trace = *id, .pinned = pinned });
}

void journal_clear(struct journal *journal)
{
    append(journal, (struct operation){ .kind = OPERATION_CLEAR });
}

void journal_keep(struct journal *journal, const char *kind, const char *name, const char *json)
{
    struct operation operation = {
        .kind = OPERATION_KEEP, .item = { strdup(kind), strdup(name), json ? strdup(json) : NULL }
    };
    if (operation.item.kind && operation.item.name && (operation.item.json || !json)) {
        append(journal, operation);
        return;
    }
    free_operation(&operation);
    pthread_mutex_lock(&journal->lock);
    give_up(journal, "out of memory");
    pthread_mutex_unlock(&journal->lock);
}

void journal_wait(struct journal *journal)
{
    pthread_mutex_lock(&journal->lock);
    while (journal->waiting_bytes > WAITING_BYTES_MAX && !journal->given_up && journal->started)
        pthread_cond_wait(&journal->room, &journal->lock);
    pthread_mutex_unlock(&journal->lock);
}

static void write_operation(struct journal_file *file, const struct operation *operation)
{
    const struct kept_item *item = &operation->item;
    switch (operation->kind) {
    case OPERATION_PUT:
        journal_file_put(file, &operation->trace, operation->id, operation->received,
                         operation->text->text, operation->text->length);
        break;
    case OPERATION_REMOVE:
        journal_file_remove(file, &operation->trace);
        break;
    case OPERATION_PIN:
        journal_file_pin(file, &operation->trace, operation->pinned);
        break;
    case OPERATION_CLEAR:
        journal_file_clear(file);
        break;
    case OPERATION_KEEP:
        journal_file_keep(file, item->kind, item->name, item->json);
        break;
    }
}

/* One transaction from `first` on; returns how many it wrote, or -EIO. */
static ssize_t write_some(struct journal *journal, const struct operations *operations,
                          size_t first)
{
    size_t end = first + TRANSACTION_DOCUMENTS;
    if (end > operations->count)
        end = operations->count;
    journal_file_begin(journal->file);
    for (size_t i = first; i < end; i++)
        write_operation(journal->file, &operations->list[i]);
    int r = journal_file_end(journal->file);
    return r < 0 ? r : (ssize_t)(end - first);
}

static void wait_for(struct journal *journal, double seconds)
{
    double until = store_now() + seconds;
    struct timespec time = { .tv_sec = (time_t)until };
    time.tv_nsec = (long)((until - floor(until)) * 1e9);
    pthread_cond_timedwait(&journal->wakes, &journal->lock, &time);
}

/* The disk may have room again in a moment. False: it is over. */
static bool may_try_again(struct journal *journal)
{
    pthread_mutex_lock(&journal->lock);
    if (store_now() >= journal->complained + COMPLAIN_SECONDS) {
        fprintf(stderr, "xraytrace-local: %s: %s; trying again\n", journal_file_path(journal->file),
                journal_file_error(journal->file));
        journal->complained = store_now();
    }
    if (journal->stops || journal->waiting_bytes > WAITING_BYTES_MAX)
        give_up(journal, journal_file_error(journal->file));
    else
        wait_for(journal, RETRY_SECONDS);
    bool again = !journal->given_up;
    pthread_mutex_unlock(&journal->lock);
    return again;
}

static void write_all(struct journal *journal, struct operations *operations)
{
    for (size_t done = 0; done < operations->count;) {
        ssize_t wrote = write_some(journal, operations, done);
        if (wrote >= 0)
            done += (size_t)wrote;
        else if (!may_try_again(journal))
            break;
    }
    free_operations(operations);
}

/* With the lock. Waits until there is enough, or what there is has waited long enough. */
static bool wait_for_work(struct journal *journal)
{
    if (!journal->waiting.count && !journal->stops) {
        journal->waits = true;
        wait_for(journal, SHRINK_SECONDS);
        journal->waits = false;
        if (!journal->waiting.count)
            return false;
    }
    double until = store_now() + TRANSACTION_SECONDS;
    while (!journal->stops && journal->documents < TRANSACTION_DOCUMENTS && store_now() < until)
        wait_for(journal, until - store_now());
    return true;
}

static void *write_journal(void *data)
{
    struct journal *journal = data;
    pthread_mutex_lock(&journal->lock);
    while (!journal->stops || journal->waiting.count) {
        bool work = wait_for_work(journal);
        struct operations operations = journal->waiting;
        journal->waiting = (struct operations){ 0 };
        journal->waiting_bytes = 0;
        journal->documents = 0;
        pthread_cond_broadcast(&journal->room);
        pthread_mutex_unlock(&journal->lock);
        if (work)
            write_all(journal, &operations);
        else if (!journal->given_up)
            journal_file_shrink(journal->file);
        pthread_mutex_lock(&journal->lock);
    }
    pthread_mutex_unlock(&journal->lock);
    return NULL;
}

const char *journal_failure(struct journal *journal)
{
    pthread_mutex_lock(&journal->lock);
    const char *failure = journal->given_up ? "the file can't be written: traces are in memory only"
                                            : NULL;
    pthread_mutex_unlock(&journal->lock);
    return failure;
}

int journal_start(struct journal *journal)
{
    int r = -pthread_create(&journal->thread, NULL, write_journal, journal);
    journal->started = r == 0;
    return r;
}

int journal_new(struct journal **ret, struct journal_file *file)
{
    struct journal *journal = calloc(1, sizeof *journal);
    pthread_condattr_t attributes;
    if (!journal)
        return -ENOMEM;
    journal->file = file;
    journal->complained = -INFINITY;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&journal->lock, NULL);
    pthread_cond_init(&journal->wakes, &attributes);
    pthread_cond_init(&journal->room, NULL);
    pthread_condattr_destroy(&attributes);
    *ret = journal;
    return 0;
}

void journal_free(struct journal *journal)
{
    if (!journal)
        return;
    if (journal->started) {
        pthread_mutex_lock(&journal->lock);
        journal->stops = true;
        pthread_cond_signal(&journal->wakes);
        pthread_mutex_unlock(&journal->lock);
        pthread_join(journal->thread, NULL);
    }
    free_operations(&journal->waiting);
    journal_file_close(journal->file);
    pthread_cond_destroy(&journal->wakes);
    pthread_cond_destroy(&journal->room);
    pthread_mutex_destroy(&journal->lock);
    free(journal);
}
