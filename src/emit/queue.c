/* SPDX-License-Identifier: Apache-2.0 */
/* The queue as its users see it: what goes in, and what they can ask of it. */
#include "emit/queue.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/hook.h"
#include "emit/emit.h"
#include "emit/udp.h"

#define CAPACITY_DEFAULT (1024 * 1024)
#define CAPACITY_LEAST   (64 * 1024)
#define CAPACITY_MOST    (1024 * 1024 * 1024)

static uint64_t units_of(const struct xr_queue *queue, const xray_document *document,
                         size_t *ret_service_length)
{
    size_t service_length = 0, bytes;

    /* Nothing in a datagram needs it. */
    if (!queue->udp && document->service)
        service_length = strlen(document->service);
    *ret_service_length = service_length;
    if (document->length > CAPACITY_MOST || service_length > CAPACITY_MOST)
        return UINT32_MAX;
    bytes = sizeof(struct xr_queue_record) + document->length + service_length + 1;
    return (bytes + XR_QUEUE_UNIT - 1) / XR_QUEUE_UNIT;
}

static void write_record(char *to, const xray_document *document, uint64_t units,
                         size_t service_length)
{
    struct xr_queue_record *record = (struct xr_queue_record *)(void *)to;

    *record = (struct xr_queue_record){
        .units = (uint32_t)units,
        .flags = document->flags,
        .length = (uint32_t)document->length,
        .service_length = (uint32_t)service_length,
        .trace_id = document->trace_id,
    };
    to += sizeof(*record);
    memcpy(to, document->json, document->length);
    to += document->length;
    if (service_length > 0)
        memcpy(to, document->service, service_length);
    to[service_length] = '\0';
}

/* False where nothing goes in. The word is as it was before. */
static bool reserve(struct xr_queue *queue, uint64_t units, uint64_t *ret_word)
{
    uint64_t word = atomic_load_explicit(&queue->word, memory_order_relaxed);

    do {
        *ret_word = word;
        if (__builtin_expect(word & XR_QUEUE_INLINE ||
                                 xr_queue_taken(word) + xr_queue_sending(word) + units >
                                     queue->capacity,
                             0))
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&queue->word, &word,
                                                    (word & ~XR_QUEUE_ASLEEP) + units,
                                                    memory_order_acquire, memory_order_relaxed));
    return true;
}

/* No room at first. One chunk is all that a producer sends of others' documents for its own. */
static bool make_room(struct xr_queue *queue, uint64_t units, uint64_t *ret_word)
{
    if (*ret_word & XR_QUEUE_INLINE) {
        xr_queue_retry(queue);
        return false;
    }
    return queue->udp && units <= queue->capacity && xr_queue_help(queue) &&
           reserve(queue, units, ret_word);
}

static int emit(void *data, const xray_document *document)
{
    struct xr_queue *queue = data;
    size_t service_length;
    uint64_t units = units_of(queue, document, &service_length), word, taken;
    bool second;

    if (__builtin_expect(!reserve(queue, units, &word), 0) && !make_room(queue, units, &word))
        return queue->inner.emit(queue->inner.data, document);
    taken = xr_queue_taken(word);
    second = word & XR_QUEUE_SECOND;
    write_record(queue->buffers[second] + taken * XR_QUEUE_UNIT, document, units, service_length);
    atomic_fetch_add_explicit(&queue->written[second], units, memory_order_release);
    if (__builtin_expect((word & XR_QUEUE_ASLEEP) != 0, 0))
        xr_queue_wake(queue);
    else if (__builtin_expect(taken < queue->hurry_at && taken + units >= queue->hurry_at, 0))
        xr_queue_hurry(queue);
    return 0;
}

static int flush(void *data, int timeout_ms)
{
    struct xr_queue *queue = data;
    int64_t until_ns = xr_clock_monotonic_ns() + (int64_t)timeout_ms * 1000000, left_ns;
    int r = xr_queue_wait(queue, timeout_ms);

    if (r < 0 || !queue->inner.flush)
        return r;
    left_ns = until_ns - xr_clock_monotonic_ns();
    return queue->inner.flush(queue->inner.data, left_ns > 0 ? (int)(left_ns / 1000000) : 0);
}

/* What is the parent's was dropped in the moment of the fork: see queue_process.c. */
static void after_fork(void *data)
{
    struct xr_queue *queue = data;

    if (queue->inner.after_fork)
        queue->inner.after_fork(queue->inner.data);
}

static void get_losses(void *data, xray_losses *ret)
{
    struct xr_queue *queue = data;
    xray_losses losses = { .size = sizeof(losses) };
    size_t size = ret->size;

    if (queue->inner.get_losses)
        queue->inner.get_losses(queue->inner.data, &losses);
    losses.refused += atomic_load(&queue->refused);
    losses.busy += atomic_load(&queue->busy);
    losses.no_buffers += atomic_load(&queue->no_buffers);
    losses.too_large += atomic_load(&queue->too_large);
    losses.other += atomic_load(&queue->other);
    losses.in_progress += atomic_load(&queue->in_progress);
    losses.captured += atomic_load(&queue->captured);
    losses.captured_parts += atomic_load(&queue->captured_parts);
    losses.size = size;
    memcpy(ret, &losses, size < sizeof(losses) ? size : sizeof(losses));
}

static void release(struct xr_queue *queue)
{
    xr_free(queue->buffers[0], queue->buffer_bytes);
    xr_free(queue->buffers[1], queue->buffer_bytes);
    xr_free(queue, sizeof(*queue));
}

static void destroy(void *data)
{
    struct xr_queue *queue = data;

    xr_queue_stop(queue);
    xr_queue_delist(queue);
    if (queue->inner.destroy)
        queue->inner.destroy(queue->inner.data);
    pthread_mutex_destroy(&queue->claiming);
    pthread_mutex_destroy(&queue->lock);
    pthread_cond_destroy(&queue->wake);
    pthread_cond_destroy(&queue->progress);
    release(queue);
}

static int make(struct xr_queue **ret, const xray_emitter *inner, size_t capacity)
{
    struct xr_queue *queue = xr_alloc_zero(sizeof(*queue));

    if (!queue)
        return -ENOMEM;
    queue->inner = *inner;
    queue->udp = inner->emit == xr_udp_emit ? inner->data : NULL;
    queue->capacity = capacity / XR_QUEUE_UNIT;
    queue->hurry_at = queue->capacity / 4;
    queue->buffer_bytes = capacity;
    queue->buffers[0] = xr_alloc(capacity);
    queue->buffers[1] = xr_alloc(capacity);
    if (!queue->buffers[0] || !queue->buffers[1]) {
        release(queue);
        return -ENOMEM;
    }
    xr_queue_begin(queue);
    *ret = queue;
    return 0;
}

int xr_emitter_queue(xray_emitter *ret, const xray_emitter *inner, size_t capacity)
{
    struct xr_queue *queue;
    xray_emitter copy;
    int r = xr_hook_copy(&copy, inner, sizeof(copy));

    if (r < 0)
        return r;
    if (capacity == 0)
        capacity = CAPACITY_DEFAULT;
    if (ret->size < XR_EMITTER_LEAST || !copy.emit || capacity < CAPACITY_LEAST ||
        capacity > CAPACITY_MOST)
        return -EINVAL;
    r = make(&queue, &copy, capacity);
    if (r < 0)
        return r;
    xr_queue_enlist(queue);
    return xr_emitter_return(ret, &(xray_emitter){
                                      .data = queue,
                                      .emit = emit,
                                      .flush = flush,
                                      .after_fork = after_fork,
                                      .destroy = destroy,
                                      .get_losses = get_losses,
                                  });
}
