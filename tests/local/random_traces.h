/* SPDX-License-Identifier: Apache-2.0 */
/* Traces made up at random, from a seed: several services that call each other, call
   AWS and databases, and send their documents in parts. */
#ifndef LOCAL_TESTS_RANDOM_TRACES_H
#define LOCAL_TESTS_RANDOM_TRACES_H

#include "local/base/ids.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RANDOM_DOCUMENTS_MAX 200

struct random {
    uint64_t state;
};

uint32_t random_below(struct random *random, uint32_t limit);
/* True once in so many times. */
bool random_once_in(struct random *random, uint32_t times);

enum random_kind {
    RANDOM_WHOLE, /* complete, and every service called says so itself */
    RANDOM_ANY,   /* parts miss, go on, come twice, share ids, or are their own parents */
};

struct random_trace {
    struct trace_id id;
    char *texts[RANDOM_DOCUMENTS_MAX];
    size_t count;
};

void random_trace_make(struct random_trace *ret, enum random_kind kind, struct random *random);
void random_trace_free(struct random_trace *trace);

#endif
