/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Eight threads do everything that threads may do, in random order, on segments
 * of their own and on shared ones, for so many seconds: stress [SECONDS [SEED]].
 * Each round has a seed of its own, which is printed when it fails.
 */
#include "stress.h"
#include "entities.h"

#include <time.h>
#include <unistd.h>

#define THREADS       8
#define OPERATIONS    6000 /* of each thread in a round */
#define OWN           24
#define SHARED        6
#define MAILBOXES     8
#define STALL_SECONDS 90
#define CALLER        7u /* parent of what came with a header */

/* A segment that one thread at a time uses, while all of them begin children of it. */
struct shared {
    pthread_mutex_t owner;
    pthread_rwlock_t alive; /* held for writing to replace it */
    xray_segment *segment;
    _Atomic uint64_t id; /* as the first header said */
};

struct seen {
    uint64_t id, parent;
};

struct worker {
    uint64_t random;
    xray_segment *own[OWN];
    int count;
    xray_segment *ended[4]; /* handles of segments that ended a moment ago */
    unsigned next_ended;
    xray_trace_header header; /* of a segment that may have ended since */
    struct seen *seen;        /* entities in documents that this thread handed over */
    size_t seen_count, seen_size;
    uint64_t *unfinished;
    size_t unfinished_count, unfinished_size;
    _Atomic uint64_t operations;
    _Atomic int doing;
};

static xray_recorder *recorder;
static struct worker workers[THREADS];
static _Thread_local struct worker *me;
static struct shared shared[SHARED];
static _Atomic(xray_segment *) mailboxes[MAILBOXES];
static atomic_int wrong_headers, bad_documents, live_after_end, negative_counts, watching;
static uint64_t round_seed;

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static unsigned below(unsigned limit)
{
    return (unsigned)(next_random(&me->random) >> 33) % limit;
}

/* ---- What comes out ------------------------------------------------------------ */

static void *grown(void *array, size_t count, size_t *size, size_t each)
{
    if (count < *size)
        return array;
    *size = *size ? *size * 2 : 1024;
    array = realloc(array, *size * each);
    if (!array)
        abort();
    return array;
}

static void keep_entity(void *data, const struct entity *entity)
{
    struct worker *worker = data;

    worker->seen = grown(worker->seen, worker->seen_count, &worker->seen_size,
                         sizeof(*worker->seen));
    worker->seen[worker->seen_count++] = (struct seen){ entity->id, entity->parent };
}

static void keep_unfinished(void *data, const struct entity *entity)
{
    struct worker *worker = data;

    worker->unfinished = grown(worker->unfinished, worker->unfinished_count,
                               &worker->unfinished_size, sizeof(*worker->unfinished));
    worker->unfinished[worker->unfinished_count++] = entity->id;
}

/* Of these, what they are part of may have been left out. */
static void keep_nothing(void *data, const struct entity *entity)
{
    (void)data;
    (void)entity;
}

/* Runs on the thread that ended the segment. One of 64 documents is refused. */
static int take(void *data, const xray_document *document)
{
    bool unfinished = (document->flags & XRAY_DOCUMENT_IN_PROGRESS) != 0;

    (void)data;
    if (!read_entities(document->json, document->length,
                       document->flags & XRAY_DOCUMENT_CAPTURED ? keep_nothing
                       : unfinished                             ? keep_unfinished
                                                                : keep_entity,
                       me))
        atomic_fetch_add(&bad_documents, 1);
    xray_end(xray_begin_segment("a hook's own"));
    return below(64) == 0 ? -EIO : 0;
}

/* ---- What threads do ------------------------------------------------------------- */

static void keep_own(xray_segment *segment)
{
    if (segment && me->count < OWN)
        me->own[me->count++] = segment;
    else
        xray_end(segment);
}

/* A segment of this thread's, which stays; NULL without one. */
static xray_segment *some_own(void)
{
    return me->count > 0 ? me->own[below((unsigned)me->count)] : NULL;
}

static xray_segment *take_own(void)
{
    xray_segment *segment = NULL;

    if (me->count > 0) {
        unsigned i = below((unsigned)me->count);

        segment = me->own[i];
        me->own[i] = me->own[--me->count];
    }
    return segment;
}

static void end_one(void)
{
    xray_segment *segment = take_own();

    if (!segment)
        return;
    if (below(8) == 0)
        xray_send_in_progress(segment);
    xray_end(segment);
    me->ended[me->next_ended++ % 4] = segment;
}

static void begin_ambient(void)
{
    keep_own(xray_begin_segment("segment"));
}

static void begin_inside(void)
{
    keep_own(xray_begin_subsegment("subsegment"));
}

static void start_with_header(void)
{
    xray_trace_header header = { .trace_id = { { 1, 2, 3, 4 } },
                                 .parent_id = CALLER,
                                 .sampled = below(4) ? XRAY_SAMPLED_YES : XRAY_SAMPLED_NO };

    header.trace_id.bytes[15] = (uint8_t)below(256);
    keep_own(xray_start_segment(
        recorder, below(2) ? xray_segment_params(.name = "continued", .header = &header) : NULL));
}

static void start_child(void)
{
    keep_own(xray_start_subsegment_with(
        some_own(), xray_subsegment_params(.name = "child", .not_sampled = below(16) == 0,
                                           .name_space = below(4) ? NULL : "remote")));
}

static void start_shared_child(void)
{
    struct shared *one = &shared[below(SHARED)];

    pthread_rwlock_rdlock(&one->alive);
    keep_own(xray_start_subsegment(one->segment, "child of a shared one"));
    pthread_rwlock_unlock(&one->alive);
}

/* All get the same answer, sampled or not, whoever asks first. */
static void ask_shared(void)
{
    struct shared *one = &shared[below(SHARED)];
    uint64_t expected = 0;

    pthread_rwlock_rdlock(&one->alive);
    (void)xray_is_sampled(one->segment);
    (void)xray_is_recording(one->segment);
    xray_get_header(one->segment, &me->header);
    if (me->header.parent_id == 0 ||
        (!atomic_compare_exchange_strong(&one->id, &expected, me->header.parent_id) &&
         expected != me->header.parent_id))
        atomic_fetch_add(&wrong_headers, 1);
    pthread_rwlock_unlock(&one->alive);
}

static void resume(void)
{
    keep_own(xray_resume(recorder, &me->header, "resumed"));
}

static void describe_some(xray_segment *segment)
{
    static const char text[3000] = { [0 ... 2998] = 'x' };
    char key[8] = { 'k', (char)('a' + below(26)), (char)('a' + below(26)) };

    switch (below(8)) {
    case 0:
        xray_add_metadata(segment, NULL, key, text);
        break;
    case 1:
        xray_add_exception(segment, "EIO", "reading %s", key);
        break;
    case 2:
        xray_set_http(segment, xray_http(.method = "GET", .url = "http://a/b?c", .status = 404));
        break;
    case 3:
        xray_set_aws(segment, xray_aws(.operation = key, .retries = 1));
        xray_set_namespace(segment, below(2) ? "aws" : NULL);
        break;
    default:
        xray_annotate(segment, key, (int)below(1000));
        break;
    }
}

static void describe(void)
{
    describe_some(some_own());
}

static void attach(void)
{
    xray_attach(some_own());
}

static void detach(void)
{
    xray_detach(some_own());
}

static void use_ended(void)
{
    xray_segment *segment = me->ended[below(4)];
    xray_trace_header header;

    xray_end(segment);
    xray_annotate(segment, "late", 1);
    xray_add_exception(segment, "late", "%d", 1);
    xray_send_in_progress(segment);
    xray_attach(segment);
    xray_detach(segment);
    xray_get_header(segment, &header);
    if (header.parent_id != 0 || xray_is_recording(segment) ||
        xray_start_subsegment(segment, "late"))
        atomic_fetch_add(&live_after_end, 1);
    memset(me->ended, 0, sizeof(me->ended));
}

/* What was there before is this thread's now. */
static void hand_over(void)
{
    xray_segment *segment = take_own();

    xray_detach(segment);
    segment = atomic_exchange(&mailboxes[below(MAILBOXES)], segment);
    if (below(2))
        xray_attach(segment);
    keep_own(segment);
}

/* Others begin children of it and take its header meanwhile. */
static void use_shared(void)
{
    struct shared *one = &shared[below(SHARED)];

    if (pthread_mutex_trylock(&one->owner) != 0)
        return;
    xray_attach(one->segment);
    for (unsigned i = below(6); i-- > 0;) {
        XRAY_SUBSEGMENT("at home");
        describe_some(xray_current());
    }
    describe_some(one->segment);
    if (below(32) == 0)
        xray_send_in_progress(one->segment);
    xray_detach(one->segment);
    pthread_mutex_unlock(&one->owner);
}

static xray_segment *new_shared(void)
{
    xray_trace_header no = { .sampled = XRAY_SAMPLED_NO };
    xray_segment *segment = xray_start_segment(
        recorder, below(4) ? NULL : xray_segment_params(.header = &no));

    xray_detach(segment);
    return segment;
}

/* Children that others have of it stay open, and end late. */
static void replace_shared(void)
{
    struct shared *one = &shared[below(SHARED)];
    xray_segment *old, *new = new_shared();

    pthread_mutex_lock(&one->owner);
    pthread_rwlock_wrlock(&one->alive);
    old = one->segment;
    one->segment = new;
    atomic_store(&one->id, 0);
    pthread_rwlock_unlock(&one->alive);
    pthread_mutex_unlock(&one->owner);
    xray_end(old);
    xray_end(old);
}

static const struct {
    void (*work)(void);
    unsigned weight;
} operations[] = {
    { begin_ambient, 8 },
    { begin_inside, 14 },
    { start_with_header, 5 },
    { start_child, 10 },
    { end_one, 36 },
    { describe, 20 },
    { start_shared_child, 14 },
    { ask_shared, 10 },
    { resume, 5 },
    { attach, 8 },
    { detach, 8 },
    { use_ended, 5 },
    { hand_over, 12 },
    { use_shared, 8 },
    { replace_shared, 3 },
};

#define KINDS (int)(sizeof(operations) / sizeof(*operations))

static void do_something(void)
{
    unsigned sum = 0, at;
    int i = 0;

    for (int kind = 0; kind < KINDS; kind++)
        sum += operations[kind].weight;
    for (at = below(sum); at >= operations[i].weight; i++)
        at -= operations[i].weight;
    atomic_store_explicit(&me->doing, i, memory_order_relaxed);
    operations[i].work();
}

static void *work(void *number)
{
    me = &workers[(long)number];
    me->random = round_seed + (uint64_t)(long)number;
    for (int i = 0; i < OPERATIONS; i++) {
        do_something();
        atomic_fetch_add_explicit(&me->operations, 1, memory_order_relaxed);
    }
    while (me->count > 0)
        end_one();
    memset(me->ended, 0, sizeof(me->ended));
    memset(&me->header, 0, sizeof(me->header));
    /* What it leaves open now ends with it. */
    for (unsigned i = below(4); i-- > 0;)
        xray_end(below(2) ? xray_begin_segment("left") : xray_begin_subsegment("left"));
    if (below(2) && xray_begin_segment("left open"))
        xray_begin_subsegment("left open");
    return NULL;
}

/* ---- What must be true ------------------------------------------------------------ */

static xray_stats counts(void)
{
    xray_stats stats = { .size = sizeof(stats) };

    xray_recorder_get_stats(recorder, &stats);
    return stats;
}

static bool is_negative(const xray_stats *stats)
{
    return (int64_t)stats->begun < 0 || (int64_t)stats->sampled < 0 ||
           (int64_t)stats->embedded < 0 || (int64_t)stats->emitted < 0 ||
           (int64_t)stats->failed < 0 || (int64_t)stats->dropped < 0 ||
           (int64_t)stats->truncated < 0;
}

/* Looks at the counts while they change, and whether all threads stand still. */
static void *watch(void *unused)
{
    uint64_t last = 0, now;
    int stalled = 0;

    while (atomic_load(&watching)) {
        xray_stats stats = counts();

        if (is_negative(&stats))
            atomic_fetch_add(&negative_counts, 1);
        usleep(10000);
        now = 0;
        for (int i = 0; i < THREADS; i++)
            now += atomic_load(&workers[i].operations);
        stalled = now == last ? stalled + 1 : 0;
        last = now;
        if (stalled < STALL_SECONDS * 100)
            continue;
        printf("not ok %d - no deadlock\n# seed 0x%llx; operations in progress:", tests_run + 1,
               (unsigned long long)round_seed);
        for (int i = 0; i < THREADS; i++)
            printf(" %d", atomic_load(&workers[i].doing));
        printf("\n");
        fflush(stdout);
        abort();
    }
    return unused;
}

static uint64_t *unique_ids(struct id_set *ids, unsigned *ret_twice)
{
    for (int i = 0; i < THREADS; i++)
        for (size_t j = 0; j < workers[i].seen_count; j++)
            *ret_twice += !id_set_add(ids, workers[i].seen[j].id);
    return ids->ids;
}

static unsigned unknown_parents(const struct id_set *ids)
{
    unsigned unknown = 0;

    for (int i = 0; i < THREADS; i++)
        for (size_t j = 0; j < workers[i].seen_count; j++) {
            uint64_t parent = workers[i].seen[j].parent;

            unknown += parent != 0 && parent != CALLER && !id_set_has(ids, parent);
        }
    return unknown;
}

/* At most one for each id, and then a final one as well. */
static unsigned stray_unfinished(const struct id_set *ids)
{
    struct id_set once = { 0 };
    unsigned stray = 0;

    for (int i = 0; i < THREADS; i++)
        for (size_t j = 0; j < workers[i].unfinished_count; j++) {
            uint64_t id = workers[i].unfinished[j];

            stray += !id_set_add(&once, id) || !id_set_has(ids, id);
        }
    id_set_end(&once);
    return stray;
}

static struct {
    unsigned rounds, twice, unknown, stray, unbalanced, miscounted, unaccounted;
    uint64_t captured;
    unsigned long entities;
} totals;

static void check_round(const xray_stats *before)
{
    struct id_set ids = { 0 };
    xray_stats after = counts();
    uint64_t sampled = after.sampled - before->sampled;

    unique_ids(&ids, &totals.twice);
    totals.unknown += unknown_parents(&ids);
    totals.stray += stray_unfinished(&ids);
    totals.entities += ids.count;
    totals.unbalanced += after.sampled !=
                         after.embedded + after.emitted + after.failed + after.dropped;
    /* Nothing is dropped, so each was in a document that the emitter saw. */
    totals.miscounted += sampled != ids.count || after.dropped != 0;
    totals.unaccounted += after.anomalies != after.captured + after.refused + after.capture_failed;
    totals.captured = after.captured + after.captured_parts;
    totals.rounds++;
    id_set_end(&ids);
    for (int i = 0; i < THREADS; i++)
        workers[i].seen_count = workers[i].unfinished_count = 0;
}

static bool all_is_well(void)
{
    return totals.captured > 0 &&
           !(totals.unaccounted | totals.twice | totals.unknown | totals.stray | totals.unbalanced |
             totals.miscounted) &&
           !wrong_headers && !bad_documents && !live_after_end && !negative_counts;
}

static void run_round(void)
{
    xray_stats before = counts();

    me = &workers[0];
    me->random = ~round_seed;
    for (int i = 0; i < SHARED; i++) {
        shared[i].segment = new_shared();
        atomic_store(&shared[i].id, 0);
    }
    run_threads(THREADS, work);
    me = &workers[0];
    for (int i = 0; i < SHARED; i++)
        xray_end(shared[i].segment);
    for (int i = 0; i < MAILBOXES; i++)
        xray_end(atomic_exchange(&mailboxes[i], NULL));
    check_round(&before);
}

static void make_everything(void)
{
    xray_emitter emitter = { .size = sizeof(emitter), .emit = take };
    xray_sampler sampler = { .size = sizeof(sampler) };
    xray_capture capture = { .size = sizeof(capture), .traces_per_second = 1e6 };
    xray_logger logger = { .size = sizeof(logger), .level = XRAY_LOG_ERROR + 1, .log = ignore };

    if (xray_sampler_rate(&sampler, 0, 1) < 0 ||
        xray_recorder_new(&recorder,
                          xray_recorder_params(.emitter = &emitter, .sampler = &sampler,
                                               .capture = &capture, .logger = &logger,
                                               .stream_bytes = 8192,
                                               .context_missing = XRAY_CONTEXT_MISSING_IGNORE,
                                               .flags = XRAY_RECORDER_NO_ENVIRONMENT)) < 0)
        exit(99);
    xray_recorder_set_default(recorder);
    for (int i = 0; i < SHARED; i++) {
        pthread_mutex_init(&shared[i].owner, NULL);
        pthread_rwlock_init(&shared[i].alive, NULL);
    }
}

int main(int argc, char **argv)
{
    const char *asked = argc > 1 ? argv[1] : getenv("STRESS_SECONDS");
    time_t end = time(NULL) + (asked ? atoi(asked) : 2);
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL) << 20 ^ getpid();
    pthread_t watcher;

    make_everything();
    atomic_store(&watching, 1);
    pthread_create(&watcher, NULL, watch, NULL);
    printf("# seed 0x%llx\n", (unsigned long long)seed);
    do {
        round_seed = seed + totals.rounds * 0x10001u;
        run_round();
    } while (all_is_well() && time(NULL) < end);
    atomic_store(&watching, 0);
    pthread_join(watcher, NULL);
    printf("# %u rounds, %lu segments\n", totals.rounds, totals.entities);
    expect(totals.unbalanced == 0, "sampled = embedded + emitted + failed + dropped");
    expect(totals.miscounted == 0, "every segment that is sampled is in a document");
    expect(totals.unaccounted == 0 && totals.captured > 0,
           "what failed unsampled is captured, and counted");
    expect(totals.twice == 0, "no id is there twice");
    expect(totals.unknown == 0, "every parent_id is a segment's that was emitted");
    expect(totals.stray == 0, "in-progress documents come once, and a final one follows");
    expect(bad_documents == 0, "every document is one");
    expect(wrong_headers == 0, "a segment's header is the same for all who ask");
    expect(live_after_end == 0, "a segment that ended is inert");
    expect(negative_counts == 0, "no count is ever negative");
    if (!all_is_well())
        printf("# replay: stress 0 0x%llx\n", (unsigned long long)round_seed);
    xray_recorder_set_default(NULL);
    xray_recorder_free(recorder);
    for (int i = 0; i < THREADS; i++) {
        free(workers[i].seen);
        free(workers[i].unfinished);
    }
    return report();
}
