/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many threads read an object, each in many short visits, while one replaces it
 * as fast as it can. An object that is freed too early is seen as one: it is
 * changed before its memory is given back, which ThreadSanitizer sees, too.
 */
#include "base/published.h"

#include "stress.h"

#include <sched.h>

#define READERS      8
#define REPLACEMENTS 2000
#define SOUND        0x600d600dU

struct object {
    unsigned first;
    unsigned number;
    unsigned last;
};

static struct xr_published published;
static atomic_uint made, freed, unsound, backwards, visits;
static atomic_bool over;

static struct object *make(unsigned number)
{
    struct object *object = malloc(sizeof(*object));

    if (!object)
        exit(99);
    *object = (struct object){ SOUND, number, SOUND };
    atomic_fetch_add(&made, 1);
    return object;
}

static void release(void *memory)
{
    struct object *object = memory;

    object->first = object->last = 0;
    free(object);
    atomic_fetch_add(&freed, 1);
}

static void read_often(void)
{
    unsigned last = 0;

    while (!atomic_load(&over)) {
        unsigned ticket;
        const struct object *object = xr_published_enter(&published, &ticket);

        if (object->first != SOUND)
            atomic_fetch_add(&unsound, 1);
        if (object->number < last)
            atomic_fetch_add(&backwards, 1);
        last = object->number;
        if (last % 64 == 0)
            sched_yield(); /* so that it is read over a replacement, also with few cores */
        if (object->last != SOUND)
            atomic_fetch_add(&unsound, 1);
        xr_published_leave(&published, ticket);
        atomic_fetch_add(&visits, 1);
    }
}

static void replace_often(void)
{
    for (unsigned i = 1; i <= REPLACEMENTS; i++) {
        xr_published_replace(&published, make(i));
        if (i % 8 == 0)
            sched_yield();
    }
    atomic_store(&over, true);
}

static void *read_or_replace(void *number)
{
    xr_thread_enter();
    if ((long)number == READERS)
        replace_often();
    else
        read_often();
    return NULL;
}

int main(void)
{
    xr_published_init(&published, make(0), release);
    run_threads(READERS + 1, read_or_replace);
    expect(atomic_load(&unsound) == 0, "nobody reads what was freed");
    expect(atomic_load(&backwards) == 0, "nobody reads an older object than before");
    expect(atomic_load(&visits) > READERS, "there were visits");
    expect(made - freed <= XR_PUBLISHED_BACKLOG + 1, "what is kept is bounded");
    xr_published_destroy(&published);
    expect(made == REPLACEMENTS + 1 && freed == made, "everything is freed once");
    return report();
}
