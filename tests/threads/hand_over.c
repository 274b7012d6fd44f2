/* SPDX-License-Identifier: Apache-2.0 */
/* Segments that travel: begun on one thread, described on the next, ended on a third. */
#include "stress.h"

#define STAGES 4
#define ITEMS  4000

static xray_recorder *recorder;

/* A place between two stages. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    xray_segment *segment;
    xray_segment *child;
    bool full;
} places[STAGES];

static void put(int place, xray_segment *segment, xray_segment *child)
{
    pthread_mutex_lock(&places[place].lock);
    while (places[place].full)
        pthread_cond_wait(&places[place].changed, &places[place].lock);
    places[place].segment = segment;
    places[place].child = child;
    places[place].full = true;
    pthread_cond_signal(&places[place].changed);
    pthread_mutex_unlock(&places[place].lock);
}

static void take(int place, xray_segment **ret_segment, xray_segment **ret_child)
{
    pthread_mutex_lock(&places[place].lock);
    while (!places[place].full)
        pthread_cond_wait(&places[place].changed, &places[place].lock);
    *ret_segment = places[place].segment;
    *ret_child = places[place].child;
    places[place].full = false;
    pthread_cond_signal(&places[place].changed);
    pthread_mutex_unlock(&places[place].lock);
}

static void *work(void *number)
{
    long stage = (long)number;

    for (int i = 0; i < ITEMS; i++) {
        xray_segment *segment, *child;

        if (stage == 0) {
            segment = xray_begin_segment("request");
            child = xray_begin_subsegment("travelling");
        } else {
            take((int)stage - 1, &segment, &child);
            xray_attach(segment);
            xray_attach(child);
        }
        xray_annotate(child, "stage", stage);
        xray_end(xray_begin_subsegment("step"));
        xray_detach(child);
        xray_detach(segment);
        if (xray_current())
            exit(97);
        if (stage < STAGES - 1) {
            put((int)stage, segment, child);
        } else if (i % 2) {
            xray_end(child);
            xray_end(segment);
        } else {
            xray_end(segment);
            xray_end(child);
        }
    }
    return NULL;
}

/* ---- Children that end while their parent does, on another thread ------------------ */

static xray_segment *parent;
static pthread_barrier_t barrier;

static void *end_child(void *number)
{
    for (int i = 0; i < ITEMS / 4; i++) {
        xray_segment *child;

        pthread_barrier_wait(&barrier);
        child = xray_start_subsegment(parent, "child");
        pthread_barrier_wait(&barrier);
        /* The parent may end just now. */
        xray_end(child);
        pthread_barrier_wait(&barrier);
    }
    return number;
}

static void *end_parent(void *unused)
{
    for (int i = 0; i < ITEMS / 4; i++) {
        parent = xray_begin_segment("parent");
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier);
        xray_end(parent);
        xray_end(xray_begin_segment("next in its memory"));
        pthread_barrier_wait(&barrier);
    }
    return unused;
}

static void *one_or_the_other(void *number)
{
    return number ? end_child(number) : end_parent(number);
}

int main(void)
{
    for (int i = 0; i < STAGES; i++) {
        pthread_mutex_init(&places[i].lock, NULL);
        pthread_cond_init(&places[i].changed, NULL);
    }
    recorder = make_recorder(1);
    xray_recorder_set_default(recorder);
    run_threads(STAGES, work);
    /* At the last stage both are detached, so that the child is a document of its own. */
    expect(balanced(recorder, ITEMS * (2 + STAGES), 2 * ITEMS), "a segment that travels");
    pthread_barrier_init(&barrier, NULL, 4);
    run_threads(4, one_or_the_other);
    expect(balanced(recorder, ITEMS * (2 + STAGES) + ITEMS / 4 * 5, 2 * ITEMS + ITEMS / 4 * 5),
           "children that end with their parent");
    xray_recorder_set_default(NULL);
    xray_recorder_free(recorder);
    return report();
}
