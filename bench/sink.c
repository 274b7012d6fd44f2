/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts are kept in memory that both processes see. To know them to the
 * datagram, the sender ends with a tick: sockets deliver in order, so once a
 * tick is acknowledged all before it was read, and the kernel's count of what
 * was dropped, which travels with each datagram, is up to date.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sink.h"

#define BATCH        64
#define IDLE_NS      20000000 /* of reading in vain before it sleeps */
#define TICK_TRIES   500
#define TICK_WAIT_NS 10000000 /* before a tick is taken for dropped */
#define HEADER_MOST  64       /* bytes of the daemon's header line, which has more than one form */

struct sink_shared {
    _Atomic uint64_t documents, bytes, dropped, malformed;
    _Atomic uint64_t ticks; /* the last one read, and in the low half how many were */
    atomic_size_t first_length;
    atomic_bool first_wanted;
    char first[DATAGRAM_SIZE];
};

static char buffers[BATCH][DATAGRAM_SIZE];

/* ---- The receiving process ------------------------------------------------------------ */

static void add(_Atomic uint64_t *count, uint64_t n)
{
    atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

/* The document behind the header line; NULL when this is not what a daemon takes. */
static const char *document_in(const char *datagram, size_t length)
{
    static const char start[] = "{\"format\"";
    const char *end;

    if (length < sizeof(start) || memcmp(datagram, start, sizeof(start) - 1) != 0 ||
        datagram[length - 1] != '}')
        return NULL;
    end = memchr(datagram, '\n', length < HEADER_MOST ? length : HEADER_MOST);
    return end ? end + 1 : NULL;
}

static void keep_first(struct sink_shared *shared, const char *document, size_t length)
{
    atomic_store(&shared->first_wanted, false);
    memcpy(shared->first, document, length);
    atomic_store(&shared->first_length, length);
}

static void take(struct sink_shared *shared, const char *datagram, size_t length)
{
    const char *document;
    uint32_t tick;

    if (length == sizeof(tick)) {
        memcpy(&tick, datagram, sizeof(tick));
        atomic_store(&shared->ticks,
                     (uint64_t)tick << 32 | (uint32_t)(atomic_load(&shared->ticks) + 1));
        return;
    }
    add(&shared->documents, 1);
    add(&shared->bytes, length);
    document = document_in(datagram, length);
    if (!document)
        add(&shared->malformed, 1);
    else if (atomic_load_explicit(&shared->first_wanted, memory_order_relaxed))
        keep_first(shared, document, (size_t)(datagram + length - document));
}

static void note_dropped(struct sink_shared *shared, struct msghdr *message)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        uint32_t dropped;

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_RXQ_OVFL)
            continue;
        memcpy(&dropped, CMSG_DATA(c), sizeof(dropped));
        atomic_store_explicit(&shared->dropped, dropped, memory_order_relaxed);
    }
}

static int64_t nanoseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int receive(struct sink_shared *shared, int receiver, struct mmsghdr messages[BATCH])
{
    int n;

    for (int i = 0; i < BATCH; i++)
        messages[i].msg_hdr.msg_controllen = CMSG_SPACE(sizeof(uint32_t));
    n = recvmmsg(receiver, messages, BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < n; i++) {
        note_dropped(shared, &messages[i].msg_hdr);
        take(shared, buffers[i], messages[i].msg_len);
    }
    return n;
}

static void serve(struct sink_shared *shared, int receiver, bool spin)
{
    static struct mmsghdr messages[BATCH];
    static struct iovec parts[BATCH];
    static _Alignas(struct cmsghdr) char control[BATCH][CMSG_SPACE(sizeof(uint32_t))];
    struct pollfd readable = { .fd = receiver, .events = POLLIN };
    int64_t last = nanoseconds();

    for (int i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){ buffers[i], DATAGRAM_SIZE };
        messages[i].msg_hdr =
            (struct msghdr){ .msg_iov = &parts[i], .msg_iovlen = 1, .msg_control = control[i] };
    }
    for (;;) {
        if (receive(shared, receiver, messages) > 0)
            last = nanoseconds();
        else if (!spin || nanoseconds() - last > IDLE_NS)
            (void)poll(&readable, 1, -1);
    }
}

/* ---- The process that measures -------------------------------------------------------- */

static int open_sockets(struct sink *sink, int *ret_receiver)
{
    struct sockaddr_in local = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(local), option_size = sizeof(int);
    int receiver = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), wanted = SINK_BUFFER, yes = 1;

    sink->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (receiver < 0 || sink->socket < 0)
        return -errno;
    if (setsockopt(receiver, SOL_SOCKET, SO_RCVBUFFORCE, &wanted, sizeof(wanted)) < 0 &&
        setsockopt(receiver, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof(wanted)) < 0)
        return -errno;
    if (setsockopt(receiver, SOL_SOCKET, SO_RXQ_OVFL, &yes, sizeof(yes)) < 0 ||
        getsockopt(receiver, SOL_SOCKET, SO_RCVBUF, &sink->buffer, &option_size) < 0 ||
        bind(receiver, (struct sockaddr *)&local, size) < 0 ||
        getsockname(receiver, (struct sockaddr *)&local, &size) < 0 ||
        connect(sink->socket, (struct sockaddr *)&local, size) < 0)
        return -errno;
    snprintf(sink->address, sizeof(sink->address), "127.0.0.1:%d", ntohs(local.sin_port));
    *ret_receiver = receiver;
    return 0;
}

int sink_start(struct sink *ret, int cpu)
{
    pid_t parent = getpid();
    int receiver = -1, r;

    *ret = (struct sink){ .process = -1, .socket = -1 };
    ret->shared = mmap(NULL, sizeof(*ret->shared), PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (ret->shared == MAP_FAILED)
        return -errno;
    r = open_sockets(ret, &receiver);
    if (r < 0)
        return r;
    ret->process = fork();
    if (ret->process < 0)
        return -errno;
    if (ret->process == 0) {
        cpu_set_t set;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(0);
        CPU_ZERO(&set);
        if (cpu >= 0) {
            CPU_SET((size_t)cpu, &set);
            (void)sched_setaffinity(0, sizeof(set), &set);
        }
        serve(ret->shared, receiver, cpu >= 0);
    }
    close(receiver);
    return 0;
}

/* Whether one of the ticks since first has been read. */
static bool acknowledged(const struct sink *sink, uint32_t first)
{
    const struct timespec pause = { .tv_nsec = 50000 };
    int64_t start = nanoseconds();

    while (nanoseconds() - start < TICK_WAIT_NS) {
        if ((uint32_t)(atomic_load(&sink->shared->ticks) >> 32) >= first)
            return true;
        nanosleep(&pause, NULL);
    }
    return false;
}

static uint64_t since(struct sink *sink, int which, uint64_t total)
{
    uint64_t before = sink->seen[which];

    sink->seen[which] = total;
    return total - before;
}

int sink_take(struct sink *sink, struct sink_counts *ret)
{
    struct sink_shared *shared = sink->shared;
    uint32_t first = sink->tick + 1;
    uint64_t ticks, dropped;

    do {
        sink->tick++;
        if (sink->tick - first == TICK_TRIES)
            return -ETIMEDOUT;
        (void)send(sink->socket, &sink->tick, sizeof(sink->tick), MSG_DONTWAIT);
    } while (!acknowledged(sink, first));
    do {
        ticks = atomic_load(&shared->ticks);
        dropped = atomic_load(&shared->dropped);
    } while (atomic_load(&shared->ticks) != ticks);
    /* A full socket drops ticks too, and counts them. */
    dropped -= (uint32_t)((ticks >> 32) - ticks);
    *ret = (struct sink_counts){
        .documents = since(sink, 0, atomic_load(&shared->documents)),
        .bytes = since(sink, 1, atomic_load(&shared->bytes)),
        .dropped = since(sink, 2, dropped),
        .malformed = since(sink, 3, atomic_load(&shared->malformed)),
    };
    return 0;
}

size_t sink_first(struct sink *sink, char *ret, size_t size)
{
    struct sink_shared *shared = sink->shared;
    size_t length = atomic_load(&shared->first_length);

    if (length > size)
        length = 0;
    memcpy(ret, shared->first, length);
    atomic_store(&shared->first_length, 0);
    atomic_store(&shared->first_wanted, true);
    return length;
}

void sink_stop(struct sink *sink)
{
    if (sink->process > 0) {
        kill(sink->process, SIGKILL);
        (void)waitpid(sink->process, NULL, 0);
    }
    if (sink->socket >= 0)
        close(sink->socket);
    sink->process = sink->socket = -1;
}
