/* SPDX-License-Identifier: Apache-2.0 */
/* The one way in: whatever carries a document hands it over here, to be checked,
   kept or refused. Refusals are counted by reason and logged, each reason at most
   once a minute. */
#ifndef LOCAL_INGEST_H
#define LOCAL_INGEST_H

#include "local/intake/faults.h"
#include "local/intake/forward.h"
#include "local/intake/senders.h"
#include "local/intake/tail.h"
#include "local/store/store.h"
#include "local/trace/document.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct ingest;

struct ingest_counts {
    uint64_t received; /* documents and malformed datagrams */
    uint64_t kept;     /* in the store */
    uint64_t lost;     /* datagrams for which the socket had no room */
    uint64_t refused[REFUSED_REASONS];
};

typedef void ingest_refused(void *data, const struct refusal *refusal);

/* Lends the store and the log (NULL: no log). 0 or -ENOMEM. */
int ingest_new(struct ingest **ret, struct store *store, FILE *log);
void ingest_free(struct ingest *ingest);

/* All before anything comes in. Strict: what X-Ray would reject is refused. What is kept
   is forwarded too; faults say which datagrams are dropped. Both are lent; NULL is none. */
void ingest_set_strict(struct ingest *ingest, bool strict);
void ingest_set_forward(struct ingest *ingest, struct forward *forward);
void ingest_set_faults(struct ingest *ingest, struct faults *faults);
struct senders *ingest_senders(struct ingest *ingest);

/* From now on traces wait for a verdict before they are kept. To be called before
   anything comes. 0 or -errno. */
int ingest_add_tail(struct ingest *ingest, const struct tail_rules *rules);
/* False: there is no tail. */
bool ingest_count_tail(struct ingest *ingest, struct tail_counts *ret);

/* A document, an array of documents, or a request of OTLP behind T1S or T1U. refused (may be NULL)
   is called for each that is not kept. From any thread. */
void ingest_document(struct ingest *ingest, const char *text, size_t length,
                     ingest_refused *refused, void *data);
/* The same, of whom senders are to be told. */
void ingest_from(struct ingest *ingest, const struct sender *from, const char *text, size_t length,
                 ingest_refused *refused, void *data);
/* Datagrams of the daemon's protocol, in the order in which they came: together they
   cost less than one by one. */
struct datagram {
    const char *data;
    size_t length;
    struct sender from;
};
void ingest_datagrams(struct ingest *ingest, const struct datagram *datagrams, size_t count);
/* Counts and logs what someone else has refused. */
void ingest_refuse(struct ingest *ingest, const struct refusal *refusal);
/* A datagram that was longer than the buffer. */
void ingest_truncated(struct ingest *ingest);
/* The socket's own count of datagrams it had no room for. */
void ingest_lost(struct ingest *ingest, uint64_t total);

void ingest_count(struct ingest *ingest, struct ingest_counts *ret);

#endif
