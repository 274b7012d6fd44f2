/* SPDX-License-Identifier: Apache-2.0 */
#include "local/intake/ingest.h"

#include "local/base/json_text.h"
#include "local/intake/otlp.h"
#include "local/trace/lint.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define LOG_INTERVAL_SECONDS 60

struct ingest {
    struct store *store;
    struct tail *tail; /* NULL: everything is kept */
    FILE *log;
    struct senders *senders;
    struct forward *forward;
    struct faults *faults;
    bool strict;
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
    if (senders_new(&ingest->senders) < 0) {
        free(ingest);
        return -ENOMEM;
    }
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
    tail_free(ingest->tail);
    pthread_mutex_destroy(&ingest->lock);
    senders_free(ingest->senders);
    free(ingest);
}

void ingest_set_strict(struct ingest *ingest, bool strict)
{
    ingest->strict = strict;
}

void ingest_set_forward(struct ingest *ingest, struct forward *forward)
{
    ingest->forward = forward;
}

void ingest_set_faults(struct ingest *ingest, struct faults *faults)
{
    ingest->faults = faults;
}

struct senders *ingest_senders(struct ingest *ingest)
{
    return ingest->senders;
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

void ingest_refuse(struct ingest *ingest, const struct refusal *refusal)
{
    pthread_mutex_lock(&ingest->lock);
    uint64_t count = ++ingest->counts.refused[refusal->reason];
    ingest->counts.received++;
    if (may_log(ingest, &ingest->logged[refusal->reason]))
        fprintf(ingest->log, "refused: %s%s%s (%" PRIu64 " for this reason so far)\n",
                refusal->message, *refusal->id ? ", id " : "", refusal->id, count);
    pthread_mutex_unlock(&ingest->lock);
}

static void refuse(struct ingest *ingest, const struct refusal *refusal, ingest_refused *refused,
                   void *data)
{
    ingest_refuse(ingest, refusal);
    if (refused)
        refused(data, refusal);
}

static void refuse_full(struct ingest *ingest, const struct document *document, int error,
                        ingest_refused *refused, void *data)
{
    struct refusal refusal = { 0 };
    if (error == -ENOSPC)
        refusal_set(&refusal, REFUSED_TRACE_FULL,
                    "the trace has reached its limit of documents or bytes");
    else
        refusal_set(&refusal, REFUSED_MEMORY, "out of memory");
    entity_id_format(document->id, refusal.id);
    refuse(ingest, &refusal, refused, data);
}

/* Documents that are good, waiting to be kept together. */
struct batch {
    struct document documents[STORE_PUT_MAX];
    const struct sender *from[STORE_PUT_MAX];
    size_t count;
    const struct sender *sender; /* of what is taken now; NULL: nobody that counts */
    bool is_datagram;
    ingest_refused *refused;
    void *data;
};

static void note_sender(struct ingest *ingest, const struct sender *sender, bool kept)
{
    if (sender)
        senders_note(ingest->senders, sender, kept);
}

/* Where all that is kept passes, at most STORE_PUT_MAX at a time. */
static void keep(struct ingest *ingest, const struct document *documents, size_t count, int *ret)
{
    uint64_t kept = 0;
    store_put_many(ingest->store, documents, count, ret);
    for (size_t i = 0; i < count; i++) {
        if (ret[i] < 0)
            continue;
        kept++;
        if (ingest->forward)
            forward_document(ingest->forward, documents[i].text, documents[i].length);
    }
    pthread_mutex_lock(&ingest->lock);
    ingest->counts.kept += kept;
    pthread_mutex_unlock(&ingest->lock);
}

/* From the tail: a tail_keeper. They have been counted when they came. */
static void keep_decided(void *data, const struct document *documents, size_t count)
{
    struct ingest *ingest = data;
    int results[STORE_PUT_MAX];
    keep(ingest, documents, count, results);
    for (size_t i = 0; i < count; i++) {
        if (results[i] == 0)
            continue;
        pthread_mutex_lock(&ingest->lock);
        ingest->counts.received--;
        pthread_mutex_unlock(&ingest->lock);
        refuse_full(ingest, &documents[i], results[i], NULL, NULL);
    }
}

static void keep_batch(struct ingest *ingest, struct batch *batch)
{
    int results[STORE_PUT_MAX];
    uint64_t taken = 0;
    if (!batch->count)
        return;
    if (ingest->tail)
        tail_put_many(ingest->tail, batch->documents, batch->count, results);
    else
        keep(ingest, batch->documents, batch->count, results);
    for (size_t i = 0; i < batch->count; i++) {
        note_sender(ingest, batch->from[i], results[i] == 0);
        if (results[i] == 0)
            taken++;
        else
            refuse_full(ingest, &batch->documents[i], results[i], batch->refused, batch->data);
    }
    batch->count = 0;
    pthread_mutex_lock(&ingest->lock);
    ingest->counts.received += taken;
    pthread_mutex_unlock(&ingest->lock);
}

/* The first reason for which X-Ray would reject it. */
static void note_error(void *data, const struct finding *finding)
{
    struct refusal *refusal = data;
    if (finding->level != FINDING_ERROR || *refusal->message)
        return;
    refusal_set(refusal, REFUSED_STRICT, "Invalid segment. ErrorCode: %s, Cause: %s%s%s",
                finding->code, finding->path, *finding->path ? " " : "", finding->message);
}

/* 0, or negative with the refusal. */
static int check_strictly(const struct document *document, struct refusal *ret)
{
    *ret = (struct refusal){ 0 };
    cJSON *json = cJSON_ParseWithLength(document->text, document->length);
    if (!json) {
        refusal_set(ret, REFUSED_MEMORY, "out of memory");
        return -ENOMEM;
    }
    entity_id_format(document->id, ret->id);
    lint_document(json, document->length, note_error, ret);
    cJSON_Delete(json);
    return *ret->message ? -EINVAL : 0;
}

static void take_one(struct ingest *ingest, const char *text, size_t length, struct batch *batch)
{
    struct refusal refusal;
    struct document *document = &batch->documents[batch->count];
    int r = document_parse(text, length, document, &refusal);
    if (r == 0 && ingest->strict)
        r = check_strictly(document, &refusal);
    if (r < 0) {
        refuse(ingest, &refusal, batch->refused, batch->data);
        note_sender(ingest, batch->sender, false);
        if (batch->is_datagram)
            senders_note_bad(ingest->senders, batch->sender, refusal.message, text, length);
    } else {
        batch->from[batch->count++] = batch->sender;
    }
    if (batch->count == STORE_PUT_MAX)
        keep_batch(ingest, batch);
}

/* A document, or an array of documents: the service takes that of subsegments. */
static void take(struct ingest *ingest, const char *text, size_t length, struct batch *batch)
{
    const char *end = text + length;
    const char *at = json_skip_space(text, end);
    struct json_error error;
    if (otlp_is_text(text, length)) {
        keep_batch(ingest, batch); /* they came before it */
        ingest_otlp_text(ingest, text, length, batch->refused, batch->data);
        return;
    }
    if (at == end || *at != '[' || !json_text_check(text, length, &error)) {
        take_one(ingest, text, length, batch);
        return;
    }
    for (at = json_skip_space(at + 1, end); *at != ']';) {
        const char *item_end = json_skip_value(at, end);
        take_one(ingest, at, (size_t)(item_end - at), batch);
        at = json_skip_space(item_end, end);
        if (*at == ',')
            at = json_skip_space(at + 1, end);
    }
}

void ingest_from(struct ingest *ingest, const struct sender *from, const char *text, size_t length,
                 ingest_refused *refused, void *data)
{
    struct batch batch;
    batch.count = 0;
    batch.sender = from;
    batch.is_datagram = false;
    batch.refused = refused;
    batch.data = data;
    take(ingest, text, length, &batch);
    keep_batch(ingest, &batch);
}

void ingest_document(struct ingest *ingest, const char *text, size_t length,
                     ingest_refused *refused, void *data)
{
    ingest_from(ingest, NULL, text, length, refused, data);
}

static void refuse_datagram(struct ingest *ingest, const struct datagram *datagram,
                            const struct refusal *refusal)
{
    ingest_refuse(ingest, refusal);
    senders_note(ingest->senders, &datagram->from, false);
    senders_note_bad(ingest->senders, &datagram->from, refusal->message, datagram->data,
                     datagram->length);
}

void ingest_datagrams(struct ingest *ingest, const struct datagram *datagrams, size_t count)
{
    struct batch batch;
    batch.count = 0;
    batch.is_datagram = true;
    batch.refused = NULL;
    batch.data = NULL;
    for (size_t i = 0; i < count; i++) {
        const char *body;
        size_t length;
        struct refusal refusal;
        if (ingest->faults && faults_drop(ingest->faults))
            continue;
        batch.sender = &datagrams[i].from;
        if (datagram_body(datagrams[i].data, datagrams[i].length, &body, &length, &refusal) < 0)
            refuse_datagram(ingest, &datagrams[i], &refusal);
        else
            take(ingest, body, length, &batch);
    }
    keep_batch(ingest, &batch);
}

void ingest_truncated(struct ingest *ingest)
{
    struct refusal refusal = { 0 };
    refusal_set(&refusal, REFUSED_TRUNCATED, "a datagram of more than 64 KiB");
    ingest_refuse(ingest, &refusal);
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

int ingest_add_tail(struct ingest *ingest, const struct tail_rules *rules)
{
    return tail_new(&ingest->tail, rules, keep_decided, ingest);
}

bool ingest_count_tail(struct ingest *ingest, struct tail_counts *ret)
{
    if (ingest->tail)
        tail_count(ingest->tail, ret);
    return ingest->tail;
}
