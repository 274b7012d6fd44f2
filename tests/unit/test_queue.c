/* SPDX-License-Identifier: Apache-2.0 */
/* A queue in front of an emitter that keeps, blocks or refuses: nothing is lost unseen. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/thread.h"
#include "emit/emit.h"
#include "emit/queue.h"
#include "emit/worker.h"
#include "recorder/library.h"

TestSuite(queue, .init = xr_library_enter);

#define PATIENCE_MS 60000

/* What an inner emitter was given. */
static struct {
    char text[64];
    size_t length;
    pthread_t thread;
} kept[20000];
static _Atomic int kept_count;
static pthread_mutex_t keep_lock = PTHREAD_MUTEX_INITIALIZER;

static int keep(void *data, const xray_document *document)
{
    (void)data;
    pthread_mutex_lock(&keep_lock);
    cr_assert_lt(kept_count, (int)(sizeof(kept) / sizeof(*kept)));
    kept[kept_count].length = document->length;
    kept[kept_count].thread = pthread_self();
    snprintf(kept[kept_count].text, sizeof(kept[0].text), "%.*s", (int)document->length,
             document->json);
    kept_count++;
    pthread_mutex_unlock(&keep_lock);
    return 0;
}

/* Blocks the sender, and no other thread, until the gate opens. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_t opener;
static _Atomic int at_gate;

static int keep_after_gate(void *data, const xray_document *document)
{
    if (!pthread_equal(pthread_self(), opener)) {
        at_gate = 1;
        pthread_mutex_lock(&gate);
        pthread_mutex_unlock(&gate);
    }
    return keep(data, document);
}

static void close_gate(void)
{
    opener = pthread_self();
    pthread_mutex_lock(&gate);
}

static void open_gate(void)
{
    pthread_mutex_unlock(&gate);
}

static xray_emitter queue_to(xray_emitter inner, size_t capacity)
{
    xray_emitter queue = { .size = sizeof(queue) };

    inner.size = sizeof(inner);
    cr_assert_eq(xr_emitter_queue(&queue, &inner, capacity), 0);
    return queue;
}

static int emit_text(const xray_emitter *emitter, const char *json)
{
    xray_document document = { .size = sizeof(document), .json = json, .length = strlen(json) };

    return emitter->emit(emitter->data, &document);
}

static int emit_number(const xray_emitter *emitter, int number)
{
    char json[32];

    snprintf(json, sizeof(json), "{\"n\":%d}", number);
    return emit_text(emitter, json);
}

static void expect_kept_numbers(int count)
{
    char json[32];

    cr_assert_eq(kept_count, count);
    for (int i = 0; i < count; i++) {
        snprintf(json, sizeof(json), "{\"n\":%d}", i);
        cr_assert_str_eq(kept[i].text, json);
    }
}

static void wait_until_sender_is_at_gate(void)
{
    for (int i = 0; i < PATIENCE_MS / 10 && !at_gate; i++)
        usleep(10000);
    cr_assert(at_gate);
}

static int flush(const xray_emitter *queue)
{
    return queue->flush(queue->data, PATIENCE_MS);
}

/* ---- Through it ----------------------------------------------------------------- */

static int expect_everything(void *data, const xray_document *document)
{
    const xray_document *wanted = data;

    cr_expect_eq(document->size, sizeof(*document));
    cr_expect_eq(document->length, wanted->length);
    cr_expect_arr_eq(document->json, wanted->json, wanted->length);
    cr_expect_str_eq(document->service, wanted->service);
    cr_expect_arr_eq(&document->trace_id, &wanted->trace_id, sizeof(wanted->trace_id));
    cr_expect_eq(document->flags, wanted->flags);
    kept_count++;
    return 0;
}

Test(queue, gives_inner_all_of_a_document)
{
    char json[] = "{\"a\":1}", service[] = "checkout";
    xray_document wanted = { .size = sizeof(wanted),
                             .json = "{\"a\":1}",
                             .length = 7,
                             .service = "checkout",
                             .trace_id = { { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
                                             16 } },
                             .flags = XRAY_DOCUMENT_SEGMENT | XRAY_DOCUMENT_IN_PROGRESS };
    xray_document given = wanted;
    xray_emitter queue = queue_to((xray_emitter){ .data = &wanted, .emit = expect_everything }, 0);

    given.json = json;
    given.service = service;
    cr_expect_eq(queue.emit(queue.data, &given), 0);
    memset(json, '?', sizeof(json));
    memset(service, '?', sizeof(service));
    cr_expect_eq(flush(&queue), 0);
    cr_expect_eq(kept_count, 1);
    queue.destroy(queue.data);
}

Test(queue, keeps_the_order)
{
    xray_emitter queue = queue_to((xray_emitter){ .emit = keep }, 0);

    for (int i = 0; i < 10000; i++)
        cr_assert_eq(emit_number(&queue, i), 0);
    cr_expect_eq(flush(&queue), 0);
    expect_kept_numbers(10000);
    queue.destroy(queue.data);
}

Test(queue, sends_without_being_asked)
{
    xray_emitter queue = queue_to((xray_emitter){ .emit = keep }, 0);

    cr_expect_eq(emit_number(&queue, 0), 0);
    for (int i = 0; i < PATIENCE_MS / 10 && kept_count == 0; i++)
        usleep(10000);
    expect_kept_numbers(1);
    queue.destroy(queue.data);
}

Test(queue, sleeps_when_there_is_nothing_and_wakes_for_the_next)
{
    xray_emitter queue = queue_to((xray_emitter){ .emit = keep }, 0);
    struct xr_queue *inside = queue.data;

    for (int round = 0; round < 3; round++) {
        cr_expect_eq(emit_number(&queue, round), 0);
        for (int i = 0; i < PATIENCE_MS / 10; i++) {
            if (kept_count == round + 1 && inside->word & XR_QUEUE_ASLEEP)
                break;
            usleep(10000);
        }
        cr_assert(inside->word & XR_QUEUE_ASLEEP);
        expect_kept_numbers(round + 1);
    }
    queue.destroy(queue.data);
}

static int count_hooks(void *data, const xray_document *document)
{
    (void)document;
    *(unsigned *)data = xr_thread.hooks_running;
    return 0;
}

Test(queue, does_not_let_inner_be_recorded)
{
    unsigned running = 0;
    xray_emitter queue = queue_to((xray_emitter){ .data = &running, .emit = count_hooks }, 0);

    cr_expect_eq(emit_text(&queue, "{}"), 0);
    queue.destroy(queue.data);
    cr_expect_gt(running, 0);
}

/* ---- Its thread -------------------------------------------------------------------- */

static int thread_count(void)
{
    DIR *tasks = opendir("/proc/self/task");
    int count = 0;

    while (readdir(tasks))
        count++;
    closedir(tasks);
    return count - 2;
}

Test(queue, starts_its_thread_with_the_first_document)
{
    int before = thread_count();
    xray_emitter queue = queue_to((xray_emitter){ .emit = keep }, 0);

    cr_expect_eq(thread_count(), before);
    cr_expect_eq(emit_text(&queue, "{}"), 0);
    cr_expect_eq(thread_count(), before + 1);
    queue.destroy(queue.data);
}

static sigset_t blocked;
static char thread_name[16];

static int look_around(void *data, const xray_document *document)
{
    (void)data;
    (void)document;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    /* The name is set by who starts it, perhaps after it began. */
    for (int i = 0; i < PATIENCE_MS / 10 && strncmp(thread_name, "xraytrace", 9) != 0; i++) {
        pthread_getname_np(pthread_self(), thread_name, sizeof(thread_name));
        usleep(10000);
    }
    return 0;
}

Test(queue, takes_no_signal_of_the_program)
{
    xray_emitter queue = queue_to((xray_emitter){ .emit = look_around }, 0);
    sigset_t own;

    cr_expect_eq(emit_text(&queue, "{}"), 0);
    pthread_sigmask(SIG_SETMASK, NULL, &own);
    queue.destroy(queue.data);
    cr_expect(sigismember(&blocked, SIGTERM) && sigismember(&blocked, SIGCHLD) &&
              sigismember(&blocked, SIGPROF) && sigismember(&blocked, SIGRTMIN));
    cr_expect_not(sigismember(&own, SIGTERM), "and leaves those of the caller");
}

Test(queue, gives_its_thread_a_name)
{
    xray_emitter queue = queue_to((xray_emitter){ .emit = look_around }, 0);

    cr_expect_eq(emit_text(&queue, "{}"), 0);
    queue.destroy(queue.data);
    cr_expect_str_eq(thread_name, "xraytrace-queue");
}

static int have_no_thread(pthread_t *ret, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *data)
{
    (void)ret;
    (void)attributes;
    (void)run;
    (void)data;
    return EAGAIN;
}

Test(queue, sends_directly_without_a_thread)
{
    xray_emitter queue = queue_to((xray_emitter){ .emit = keep }, 0);

    xr_worker_create = have_no_thread;
    for (int i = 0; i < 100; i++)
        cr_assert_eq(emit_number(&queue, i), 0);
    expect_kept_numbers(100);
    cr_expect_eq(queue.flush(queue.data, 0), 0);
    queue.destroy(queue.data);
}

Test(queue, has_a_thread_when_there_is_one_again)
{
    xray_emitter queue = queue_to((xray_emitter){ .emit = keep }, 0);
    struct xr_queue *inside = queue.data;

    xr_worker_create = have_no_thread;
    cr_expect_eq(emit_number(&queue, 0), 0);
    xr_worker_create = pthread_create;
    cr_expect_eq(emit_number(&queue, 1), 0, "it is too early");
    cr_expect(pthread_equal(kept[1].thread, pthread_self()));
    atomic_store(&inside->retry_thread_ns, 0);
    cr_expect_eq(emit_number(&queue, 2), 0);
    cr_expect_eq(emit_number(&queue, 3), 0);
    cr_expect_eq(flush(&queue), 0);
    expect_kept_numbers(4);
    cr_expect_not(pthread_equal(kept[3].thread, pthread_self()));
    queue.destroy(queue.data);
}

/* ---- When it is full ------------------------------------------------------------------ */

Test(queue, sends_directly_when_it_is_full_and_loses_nothing)
{
    xray_emitter queue = queue_to((xray_emitter){ .emit = keep_after_gate }, 64 * 1024);
    int direct = 0;
    bool seen[8000] = { 0 };

    close_gate();
    for (int i = 0; i < 8000; i++)
        cr_assert_eq(emit_number(&queue, i), 0);
    direct = kept_count;
    open_gate();
    cr_expect_eq(flush(&queue), 0);
    cr_expect_gt(direct, 0);
    cr_expect_lt(direct, 8000, "some waited");
    cr_assert_eq(kept_count, 8000);
    for (int i = 0; i < kept_count; i++) {
        int number = -1;

        cr_assert_eq(sscanf(kept[i].text, "{\"n\":%d}", &number), 1);
        cr_assert(number >= 0 && number < 8000 && !seen[number]);
        seen[number] = true;
    }
    queue.destroy(queue.data);
}

Test(queue, never_holds_more_than_it_may)
{
    xray_emitter queue = queue_to((xray_emitter){ .emit = keep_after_gate }, 64 * 1024);
    static char json[1001];
    int waiting = 0;

    memset(json, 'x', 1000);
    close_gate();
    /* One that is being sent counts as well. */
    cr_expect_eq(emit_text(&queue, json), 0);
    wait_until_sender_is_at_gate();
    for (int i = 0; i < 200; i++)
        cr_expect_eq(emit_text(&queue, json), 0);
    waiting = 201 - kept_count;
    cr_expect_leq(waiting * 1000, 64 * 1024);
    cr_expect_geq(waiting * 1100, 64 * 1024 - 1100, "and it uses what it has");
    open_gate();
    queue.destroy(queue.data);
}

static int refuse(void *data, const xray_document *document)
{
    (void)data;
    (void)document;
    return -EBADMSG;
}

Test(queue, sends_directly_what_is_larger_than_itself_and_tells_how_it_went)
{
    xray_emitter queue = queue_to((xray_emitter){ .emit = refuse }, 64 * 1024);
    xray_losses losses = { .size = sizeof(losses) };
    static char json[65537];

    memset(json, 'x', 65536);
    cr_expect_eq(emit_text(&queue, json), -EBADMSG);
    queue.get_losses(queue.data, &losses);
    cr_expect_eq(losses.other, 0, "emit said so: it did not take it");
    queue.destroy(queue.data);
}

Test(queue, takes_the_largest_document_at_its_least_capacity)
{
    xray_emitter queue = queue_to((xray_emitter){ .emit = keep }, 64 * 1024);
    static char json[63 * 1024 - 30 + 1];

    memset(json, 'x', sizeof(json) - 1);
    for (int i = 0; i < 5; i++) {
        cr_expect_eq(emit_text(&queue, json), 0);
        cr_expect_eq(flush(&queue), 0);
        cr_assert_eq(kept_count, i + 1);
        cr_expect_eq(kept[i].length, sizeof(json) - 1);
        cr_expect_not(pthread_equal(kept[i].thread, pthread_self()));
    }
    queue.destroy(queue.data);
}

/* ---- Flush, and the end ------------------------------------------------------------------ */

Test(queue, says_when_a_flush_takes_too_long)
{
    xray_emitter queue = queue_to((xray_emitter){ .emit = keep_after_gate }, 0);

    close_gate();
    cr_expect_eq(emit_number(&queue, 0), 0);
    cr_expect_eq(queue.flush(queue.data, 0), -ETIMEDOUT);
    cr_expect_eq(queue.flush(queue.data, 20), -ETIMEDOUT);
    open_gate();
    cr_expect_eq(flush(&queue), 0);
    expect_kept_numbers(1);
    queue.destroy(queue.data);
}

Test(queue, has_nothing_to_wait_for_when_it_is_empty)
{
    xray_emitter queue = queue_to((xray_emitter){ .emit = keep }, 0);

    cr_expect_eq(queue.flush(queue.data, 0), 0);
    cr_expect_eq(emit_number(&queue, 0), 0);
    cr_expect_eq(flush(&queue), 0);
    cr_expect_eq(queue.flush(queue.data, 0), 0);
    queue.destroy(queue.data);
}

static void *flush_and_be_cancelled(void *queue)
{
    pthread_cancel(pthread_self());
    (void)((xray_emitter *)queue)->flush(((xray_emitter *)queue)->data, 50);
    return NULL;
}

Test(queue, goes_on_when_a_thread_that_flushes_is_cancelled)
{
    xray_emitter queue = queue_to((xray_emitter){ .emit = keep_after_gate }, 0);
    pthread_t thread;

    close_gate();
    cr_expect_eq(emit_number(&queue, 0), 0);
    cr_assert_eq(pthread_create(&thread, NULL, flush_and_be_cancelled, &queue), 0);
    pthread_join(thread, NULL);
    open_gate();
    cr_expect_eq(flush(&queue), 0);
    expect_kept_numbers(1);
    queue.destroy(queue.data);
}

static int flushed_with = -1;

static int keep_timeout(void *data, int timeout_ms)
{
    (void)data;
    flushed_with = timeout_ms;
    return -EBADMSG;
}

Test(queue, flushes_inner_too_in_the_time_that_is_left)
{
    xray_emitter queue = queue_to((xray_emitter){ .emit = keep, .flush = keep_timeout }, 0);

    cr_expect_eq(emit_number(&queue, 0), 0);
    cr_expect_eq(queue.flush(queue.data, PATIENCE_MS), -EBADMSG);
    expect_kept_numbers(1);
    cr_expect(flushed_with > 0 && flushed_with <= PATIENCE_MS);
    queue.destroy(queue.data);
}

static int destroyed_after = -1;

static void keep_end(void *data)
{
    (void)data;
    destroyed_after = kept_count;
}

Test(queue, sends_what_waits_and_then_destroys_inner)
{
    xray_emitter queue = queue_to((xray_emitter){ .emit = keep, .destroy = keep_end }, 0);

    for (int i = 0; i < 1000; i++)
        cr_expect_eq(emit_number(&queue, i), 0);
    queue.destroy(queue.data);
    expect_kept_numbers(1000);
    cr_expect_eq(destroyed_after, 1000);
}

Test(queue, can_be_destroyed_before_its_first_document)
{
    xray_emitter queue = queue_to((xray_emitter){ .emit = keep, .destroy = keep_end }, 0);

    queue.destroy(queue.data);
    cr_expect_eq(destroyed_after, 0);
}

static int keep_slowly(void *data, const xray_document *document)
{
    usleep(50000);
    return keep(data, document);
}

Test(queue, gives_up_what_a_slow_inner_does_not_take)
{
    xray_emitter queue = queue_to((xray_emitter){ .emit = keep_slowly }, 0);

    for (int i = 0; i < 1000; i++)
        cr_expect_eq(emit_number(&queue, i), 0);
    queue.destroy(queue.data);
    cr_expect_gt(kept_count, 0);
    cr_expect_lt(kept_count, 1000, "it would have taken most of a minute");
}

/* ---- Losses --------------------------------------------------------------------------------- */

static const int errors[] = { ECONNREFUSED, EAGAIN, ENOBUFS, ENOMEM, EMSGSIZE, EBADMSG };

static int refuse_by_length(void *data, const xray_document *document)
{
    (void)data;
    return document->length < 6 ? -errors[document->length] : 0;
}

static void add_ten(void *data, xray_losses *ret)
{
    (void)data;
    ret->refused = ret->busy = ret->no_buffers = ret->too_large = ret->other = 10;
    ret->in_progress = 10;
}

static void emit_lengths(const xray_emitter *queue, uint32_t flags)
{
    for (size_t length = 0; length < 8; length++) {
        xray_document document = {
            .size = sizeof(document), .json = "12345678", .length = length, .flags = flags
        };

        cr_expect_eq(queue->emit(queue->data, &document), 0);
    }
    cr_expect_eq(flush(queue), 0);
}

Test(queue, counts_losses_by_their_reason)
{
    xray_emitter queue = queue_to((xray_emitter){ .emit = refuse_by_length }, 0);
    xray_losses losses = { .size = sizeof(losses) };

    emit_lengths(&queue, 0);
    queue.get_losses(queue.data, &losses);
    cr_expect_eq(losses.refused, 1);
    cr_expect_eq(losses.busy, 1);
    cr_expect_eq(losses.no_buffers, 2);
    cr_expect_eq(losses.too_large, 1);
    cr_expect_eq(losses.other, 1);
    cr_expect_eq(losses.in_progress, 0);
    queue.destroy(queue.data);
}

Test(queue, counts_documents_in_progress_apart)
{
    xray_emitter queue = queue_to((xray_emitter){ .emit = refuse_by_length }, 0);
    xray_losses losses = { .size = sizeof(losses) };

    emit_lengths(&queue, XRAY_DOCUMENT_SEGMENT | XRAY_DOCUMENT_IN_PROGRESS);
    queue.get_losses(queue.data, &losses);
    cr_expect_eq(losses.in_progress, 6);
    cr_expect_eq(losses.refused + losses.busy + losses.no_buffers + losses.too_large + losses.other,
                 0);
    queue.destroy(queue.data);
}

Test(queue, adds_what_inner_lost)
{
    xray_emitter queue = queue_to((xray_emitter){ .emit = refuse_by_length, .get_losses = add_ten },
                                  0);
    xray_losses losses = { .size = sizeof(losses) };

    emit_lengths(&queue, 0);
    queue.get_losses(queue.data, &losses);
    cr_expect_eq(losses.no_buffers, 12);
    cr_expect_eq(losses.in_progress, 10);
    queue.destroy(queue.data);
}

Test(queue, fills_in_no_more_losses_than_there_is_room_for)
{
    xray_emitter queue = queue_to((xray_emitter){ .emit = keep, .get_losses = add_ten }, 0);
    xray_losses losses = { .size = offsetof(xray_losses, busy), .busy = 77 };

    queue.get_losses(queue.data, &losses);
    cr_expect_eq(losses.size, offsetof(xray_losses, busy));
    cr_expect_eq(losses.refused, 10);
    cr_expect_eq(losses.busy, 77);
    queue.destroy(queue.data);
}

/* ---- Making one ----------------------------------------------------------------------------- */

Test(queue, refuses_a_capacity_out_of_range)
{
    static const size_t wrong[] = { 1, 64 * 1024 - 1, (size_t)1024 * 1024 * 1024 + 1, SIZE_MAX };
    xray_emitter inner = { .size = sizeof(inner), .emit = keep, .destroy = keep_end };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        xray_emitter queue = { .size = sizeof(queue) };

        cr_expect_eq(xr_emitter_queue(&queue, &inner, wrong[i]), -EINVAL, "%zu", wrong[i]);
        cr_expect_null(queue.data);
    }
    cr_expect_eq(destroyed_after, -1, "inner stays the caller's");
}

Test(queue, refuses_an_inner_emitter_without_emit)
{
    xray_emitter inner = { .size = sizeof(inner) }, queue = { .size = sizeof(queue) };

    cr_expect_eq(xr_emitter_queue(&queue, &inner, 0), -EINVAL);
}

Test(queue, refuses_structs_without_their_size)
{
    xray_emitter inner = { .size = sizeof(inner), .emit = keep }, queue = { .size = 0 };

    cr_expect_eq(xr_emitter_queue(&queue, &inner, 0), -EINVAL);
    queue.size = sizeof(queue);
    inner.size = 0;
    cr_expect_eq(xr_emitter_queue(&queue, &inner, 0), -EINVAL);
}

Test(queue, refuses_an_inner_emitter_with_members_that_it_does_not_know)
{
    struct {
        xray_emitter known;
        void *later;
    } inner = { .known = { .size = sizeof(inner), .emit = keep } };
    xray_emitter queue = { .size = sizeof(queue) };

    inner.later = &inner;
    cr_expect_eq(xr_emitter_queue(&queue, &inner.known, 0), -E2BIG);
    inner.later = NULL;
    cr_expect_eq(xr_emitter_queue(&queue, &inner.known, 0), 0);
    queue.destroy(queue.data);
}

static int allocations_left, allocations_out;

static void *allocate(void *data, size_t bytes)
{
    (void)data;
    if (allocations_left-- == 0)
        return NULL;
    allocations_out++;
    return malloc(bytes);
}

static void give_back(void *data, void *memory, size_t bytes)
{
    (void)data;
    (void)bytes;
    allocations_out--;
    free(memory);
}

static void use_allocator(void)
{
    cr_assert(xr_alloc_set(&(struct xr_allocator){ NULL, allocate, give_back }));
}

Test(queue, says_when_there_is_no_memory, .init = use_allocator)
{
    xray_emitter inner = { .size = sizeof(inner), .emit = keep, .destroy = keep_end };
    int failures = 0;

    for (;; failures++) {
        xray_emitter queue = { .size = sizeof(queue) };
        int r;

        allocations_left = failures;
        r = xr_emitter_queue(&queue, &inner, 0);
        if (r == 0) {
            queue.destroy(queue.data);
            break;
        }
        cr_expect_eq(r, -ENOMEM);
        cr_expect_eq(destroyed_after, -1);
        cr_expect_eq(allocations_out, 0);
    }
    cr_expect_eq(failures, 3);
    cr_expect_eq(allocations_out, 0);
}

Test(queue, works_behind_another_one)
{
    xray_emitter first = queue_to((xray_emitter){ .emit = keep }, 0);
    xray_emitter second = queue_to(first, 0);

    for (int i = 0; i < 1000; i++)
        cr_expect_eq(emit_number(&second, i), 0);
    cr_expect_eq(flush(&second), 0);
    expect_kept_numbers(1000);
    second.destroy(second.data);
}
