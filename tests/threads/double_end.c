/* SPDX-License-Identifier: Apache-2.0 */
/* One segment that two threads end at once: one of them does, and it is one document. */
#include "entities.h"
#include "stress.h"

#include <sched.h>

#define PAIRS  2
#define ROUNDS 20000

static xray_recorder *recorder;
static _Atomic(xray_segment *) place[PAIRS];
static atomic_int met[PAIRS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct id_set ids;
static unsigned twice;

static void keep_id(void *data, const struct entity *entity)
{
    (void)data;
    twice += !id_set_add(&ids, entity->id);
}

static int keep_ids(void *data, const xray_document *document)
{
    pthread_mutex_lock(&lock);
    read_entities(document->json, document->length, keep_id, data);
    pthread_mutex_unlock(&lock);
    return 0;
}

/* Spins, since a barrier wakes one thread long after the other. */
static void meet(long pair, int round)
{
    atomic_fetch_add(&met[pair], 1);
    for (int spins = 0; atomic_load(&met[pair]) < 2 * round; spins++)
        if (spins % 4096 == 4095)
            sched_yield();
}

static void *end_both(void *number)
{
    long pair = (long)number / 2;
    int round = 0;

    for (int i = 0; i < ROUNDS; i++) {
        if ((long)number % 2 == 0) {
            xray_segment *segment = xray_start_segment(recorder, NULL);

            xray_detach(segment);
            atomic_store(&place[pair], segment);
        }
        meet(pair, ++round);
        xray_end(atomic_load(&place[pair]));
        meet(pair, ++round);
    }
    return NULL;
}

int main(void)
{
    xray_emitter emitter = { .size = sizeof(emitter), .emit = keep_ids };
    xray_sampler sampler = { .size = sizeof(sampler) };

    if (xray_sampler_rate(&sampler, 0, 1) < 0 ||
        xray_recorder_new(&recorder, xray_recorder_params(.emitter = &emitter, .sampler = &sampler,
                                                          .flags = XRAY_RECORDER_NO_ENVIRONMENT)) <
            0)
        return 99;
    run_threads(2 * PAIRS, end_both);
    expect(balanced(recorder, PAIRS * ROUNDS, PAIRS * ROUNDS), "two ends at once count once");
    expect(ids.count == PAIRS * ROUNDS && twice == 0, "and give one document");
    xray_recorder_free(recorder);
    id_set_end(&ids);
    return report();
}
