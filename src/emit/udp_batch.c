/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many documents at once. Most of a datagram's cost is its way through the
 * kernel, which UDP_SEGMENT makes once for many of the same size, the last one
 * excepted: blanks, which are valid before the last brace, make them so.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>
#include <sys/uio.h>

#include "emit/udp.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define PADDING_MAX 1024
#define PATIENCE_MS 10

struct batch {
    struct xr_udp *udp;
    const xray_document *documents;
    int *results;
    bool may_wait;
};

/* A kernel without it would send all segments as one datagram, so it has to be asked first. */
static enum xr_udp_way way_of(struct xr_udp *udp)
{
    int way = atomic_load_explicit(&udp->way, memory_order_relaxed), value;
    socklen_t length = sizeof(value);

    if (way == XR_UDP_UNKNOWN) {
        way = getsockopt(udp->socket, IPPROTO_UDP, UDP_SEGMENT, &value, &length) == 0
                  ? XR_UDP_SEGMENTS
                  : XR_UDP_MANY;
        atomic_store_explicit(&udp->way, way, memory_order_relaxed);
    }
    return (enum xr_udp_way)way;
}

/* The queue's thread has time where the one that ends a segment has none: once in a batch. */
static bool wait_for_room(struct batch *batch)
{
    struct pollfd room = { .fd = batch->udp->socket, .events = POLLOUT };

    if (!batch->may_wait)
        return false;
    batch->may_wait = false;
    return poll(&room, 1, PATIENCE_MS) == 1;
}

/* Whether the same call may go better a second time. */
static bool is_worth_another(struct batch *batch, int error, bool *refused)
{
    if (error == EAGAIN)
        return wait_for_room(batch);
    if (error != ECONNREFUSED || *refused)
        return false;
    /* The fate of a datagram before; this one has not been tried. */
    *refused = true;
    return true;
}

static void set_results(struct batch *batch, int from, int to, int result)
{
    for (int i = from; i < to; i++)
        batch->results[i] = result;
}

/* ---- One call for datagrams of one size --------------------------------------- */

static bool may_be_padded(const xray_document *document)
{
    return document->length >= 2 && document->json[document->length - 1] == '}';
}

static bool alike(size_t shortest, size_t longest)
{
    size_t padding = longest - shortest;

    return padding <= 64 || (padding <= PADDING_MAX && padding <= longest / 4);
}

/* The number of documents from one on which are nearly of a size, and the size of the longest. */
static int alike_from(const struct batch *batch, int from, int count, size_t *ret_longest)
{
    size_t shortest = batch->documents[from].length, longest = shortest;
    int to = from;

    for (; to < count && may_be_padded(&batch->documents[to]); to++) {
        size_t length = batch->documents[to].length;
        size_t low = length < shortest ? length : shortest;
        size_t high = length > longest ? length : longest;

        if (!alike(low, high) ||
            (size_t)(to - from + 1) * (high + XR_UDP_HEADER_LENGTH) > XR_BATCH_BYTES)
            break;
        shortest = low;
        longest = high;
    }
    *ret_longest = longest;
    return to - from;
}

static size_t cut(const struct batch *batch, int from, int to, size_t longest, char *blanks,
                  struct iovec *parts)
{
    struct iovec *part = parts;

    memset(blanks, ' ', PADDING_MAX);
    blanks[PADDING_MAX] = '}';
    for (int i = from; i < to; i++) {
        const xray_document *document = &batch->documents[i];
        size_t padding = longest - document->length;

        *part++ = (struct iovec){ (void *)XR_UDP_HEADER_LINE, XR_UDP_HEADER_LENGTH };
        if (padding == 0 || i == to - 1) {
            *part++ = (struct iovec){ (void *)document->json, document->length };
            continue;
        }
        *part++ = (struct iovec){ (void *)document->json, document->length - 1 };
        *part++ = (struct iovec){ blanks + PADDING_MAX - padding, padding + 1 };
    }
    return (size_t)(part - parts);
}

/* False when it has to be done another way: one is larger than the path takes, or no checksums. */
static bool send_segments(struct batch *batch, int from, int to, size_t longest)
{
    char blanks[PADDING_MAX + 1];
    struct iovec parts[3 * XR_BATCH_MAX];
    union {
        char bytes[CMSG_SPACE(sizeof(uint16_t))];
        struct cmsghdr header;
    } control = { .bytes = { 0 } };
    struct msghdr message = { .msg_iov = parts,
                              .msg_control = &control,
                              .msg_controllen = sizeof(control.bytes) };
    struct cmsghdr *size = CMSG_FIRSTHDR(&message);
    uint16_t bytes = (uint16_t)(longest + XR_UDP_HEADER_LENGTH);
    bool refused = false;
    int error;

    message.msg_iovlen = cut(batch, from, to, longest, blanks, parts);
    size->cmsg_level = IPPROTO_UDP;
    size->cmsg_type = UDP_SEGMENT;
    size->cmsg_len = CMSG_LEN(sizeof(bytes));
    memcpy(CMSG_DATA(size), &bytes, sizeof(bytes));
    do
        error = sendmsg(batch->udp->socket, &message, MSG_NOSIGNAL) < 0 ? errno : 0;
    while (error != 0 && is_worth_another(batch, error, &refused));
    if (error == EMSGSIZE || error == EINVAL || error == EIO || error == EOPNOTSUPP)
        return false;
    set_results(batch, from, to, error == 0 ? xr_udp_fate(batch->udp) : -error);
    return true;
}

/* ---- Any sizes ------------------------------------------------------------------ */

static void send_one_by_one(struct batch *batch, int from, int to)
{
    for (int i = from; i < to; i++)
        batch->results[i] = xr_udp_emit(batch->udp, &batch->documents[i]);
}

static void fill_in(const struct batch *batch, int from, int to, struct mmsghdr *messages,
                    struct iovec *parts)
{
    for (int i = from; i < to; i++) {
        const xray_document *document = &batch->documents[i];
        struct iovec *part = &parts[2 * (i - from)];

        part[0] = (struct iovec){ (void *)XR_UDP_HEADER_LINE, XR_UDP_HEADER_LENGTH };
        part[1] = (struct iovec){ (void *)document->json, document->length };
        messages[i - from] = (struct mmsghdr){ .msg_hdr = { .msg_iov = part, .msg_iovlen = 2 } };
    }
}

/*
 * The document at which a call stopped. It does not say why, and the kernel tells
 * a refusal only once: if this one is refused, so was the one before.
 */
static void send_next(struct batch *batch, int i, bool is_first)
{
    int r;

    atomic_store_explicit(&batch->udp->refusing, true, memory_order_relaxed);
    r = xr_udp_emit(batch->udp, &batch->documents[i]);
    if (r == -EAGAIN && wait_for_room(batch))
        r = xr_udp_emit(batch->udp, &batch->documents[i]);
    batch->results[i] = r;
    if (r == -ECONNREFUSED && !is_first && batch->results[i - 1] == 0)
        batch->results[i - 1] = r;
}

static void send_many(struct batch *batch, int from, int to)
{
    struct mmsghdr messages[XR_BATCH_MAX];
    struct iovec parts[2 * XR_BATCH_MAX];

    fill_in(batch, from, to, messages, parts);
    for (int i = from; i < to; i++) {
        int sent = sendmmsg(batch->udp->socket, messages + (i - from), (unsigned)(to - i),
                            MSG_NOSIGNAL);

        if (sent < 0 && errno == ENOSYS)
            atomic_store_explicit(&batch->udp->way, XR_UDP_ONE, memory_order_relaxed);
        if (sent > 0) {
            set_results(batch, i, i + sent, 0);
            i += sent;
        }
        if (i < to)
            send_next(batch, i, i == from);
    }
}

static void send_others(struct batch *batch, int from, int to)
{
    if (from == to)
        return;
    if (way_of(batch->udp) == XR_UDP_ONE || to - from == 1)
        send_one_by_one(batch, from, to);
    else
        send_many(batch, from, to);
    if (batch->results[to - 1] == 0)
        batch->results[to - 1] = xr_udp_fate(batch->udp);
}

bool xr_udp_has_room(struct xr_udp *udp)
{
    struct pollfd room = { .fd = udp->socket, .events = POLLOUT };

    return poll(&room, 1, 0) == 1 && room.revents & POLLOUT;
}

void xr_udp_emit_batch(struct xr_udp *udp, const xray_document *documents, int count, bool has_time,
                       int *ret_results)
{
    struct batch batch = {
        .udp = udp, .documents = documents, .results = ret_results, .may_wait = has_time
    };
    bool segments = way_of(udp) == XR_UDP_SEGMENTS;
    int others = 0; /* the first of those that are neither sent nor like their neighbours */
    int worst = 0;

    for (int i = 0; i < count;) {
        size_t longest;
        int run = segments ? alike_from(&batch, i, count, &longest) : 1;

        if (run < 2) {
            i++;
            continue;
        }
        send_others(&batch, others, i);
        if (!send_segments(&batch, i, i + run, longest))
            send_others(&batch, i, i + run);
        i += run;
        others = i;
    }
    send_others(&batch, others, count);
    for (int i = 0; i < count; i++)
        if (ret_results[i] < 0)
            worst = ret_results[i];
    if (udp->host[0] != '\0')
        xr_udp_look_again(udp, worst);
}
