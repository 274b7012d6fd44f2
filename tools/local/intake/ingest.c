/* SPDX-License-Identifier: Apache-2.0 */
#include "local/intake/ingest.h"

#include "local/base/json_text.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define LOG_INTERVAL_SECONDS 60

struct ingest {
    struct store *store;
    FILE *log;
    pthread_mutex_t lock;
    struct ingest_counts counts;
    time_t logged[REFUSED_REASONS];
    time_t logged_lost;
};

int ingest_new(struct ingest **ret, struct store *store, FILE *log)
{
    struct ingest *ingest = calloc(1, sizeof *ingest);
    if (!ingest)
        return -ENOMEM;
    ingest->store = store;
    ingest->log = log;
    pthread_mutex_init(&ingest->lock, NULL);
    *ret = ingest;
    return 0;
}

void ingest_free(struct ingest *ingest)
{
    if (!ingest)
        return;
    pthread_mutex_destroy(&ingest->lock);
    free(ingest);
}

/* True if it is time for a line; *logged is then the time. */
static bool may_log(const struct ingest *ingest, time_t *logged)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (!ingest->log || (*logged && now.tv_sec - *logged < LOG_INTERVAL_SECONDS))
        return false;
    *logged = now.tv_sec + !now.tv_sec;
    return true;
}

static void count_refused(struct ingest *ingest, const struct refusal *refusal)
{
    pthread_mutex_lock(&ingest->lock);
    uint64_t count = ++ingest->counts.refused[refusal->reason];
    ingest->counts.received++;
    if (may_log(ingest, &ingest->logged[refusal->reason]))
        fprintf(ingest->log, "refused: %s%s%s (%" PRIu64 " for this reason so far)\n",
                refusal->message, *refusal->id ? ", id " : "", refusal->id, count);
    pthread_mutex_unlock(&ingest->lock);
}

static void ingest_one(struct ingest *ingest, const char *text, size_t length,
                       ingest_refused *refused, void *data)
{
    struct document document;
    struct refusal refusal;
    int r = document_parse(text, length, &document, &refusal);
    if (r == 0) {
        r = store_put(ingest->store, &document);
        if (r == -ENOSPC)
            refusal_set(&refusal, REFUSED_TRACE_FULL,
                        "the trace has reached its limit of documents or bytes");
        else if (r < 0)
            refusal_set(&refusal, REFUSED_MEMORY, "out of memory");
    }
    if (r < 0) {
        count_refused(ingest, &refusal);
        if (refused)
            refused(data, &refusal);
        return;
    }
    pthread_mutex_lock(&ingest->lock);
    ingest->counts.received++;
    ingest->counts.kept++;
    pthread_mutex_unlock(&ingest->lock);
}

void ingest_document(struct ingest *ingest, const char *text, size_t length,
                     ingest_refused *refused, void *data)
{
    const char *end = text + length;
    const char *at = json_skip_space(text, end);
    struct json_error error;
    /* The service also takes an array of subsegments. */
    if (at == end || *at != '[' || !json_text_check(text, length, &error)) {
        ingest_one(ingest, text, length, refused, data);
        return;
    }
    for (at = json_skip_space(at + 1, end); *at != ']';) {
        const char *item_end = json_skip_value(at, end);
        ingest_one(ingest, at, (size_t)(item_end - at), refused, data);
        at = json_skip_space(item_end, end);
        if (*at == ',')
            at = json_skip_space(at + 1, end);
    }
}

void ingest_datagram(struct ingest *ingest, const char *datagram, size_t length)
{
    const char *body;
    size_t body_length;
    struct refusal refusal;
    if (datagram_body(datagram, length, &body, &body_length, &refusal) < 0)
        count_refused(ingest, &refusal);
    else
        ingest_document(ingest, body, body_length, NULL, NULL);
}

void ingest_truncated(struct ingest *ingest)
{
    struct refusal refusal = { 0 };
    refusal_set(&refusal, REFUSED_TRUNCATED, "a datagram of more than 64 KiB");
    count_refused(ingest, &refusal);
}

void ingest_lost(struct ingest *ingest, uint64_t total)
{
    pthread_mutex_lock(&ingest->lock);
    bool more = total > ingest->counts.lost;
    ingest->counts.lost = total;
    if (more && may_log(ingest, &ingest->logged_lost))
        fprintf(ingest->log, "lost: %" PRIu64 " datagrams came faster than they could be read\n",
                total);
    pthread_mutex_unlock(&ingest->lock);
}

void ingest_count(struct ingest *ingest, struct ingest_counts *ret)
{
    pthread_mutex_lock(&ingest->lock);
    *ret = ingest->counts;
    pthread_mutex_unlock(&ingest->lock);
}
