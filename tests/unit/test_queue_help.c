/* SPDX-License-Identifier: Apache-2.0 */
/* A full queue in front of a real socket: its producers send batches, and nothing is sent twice. */
#include "datagrams.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "emit/queue.h"
#include "emit/udp.h"
#include "emit/worker.h"
#include "recorder/library.h"

#define PATIENCE_MS 60000
#define CAPACITY    (64 * 1024)
#define MOST        4000 /* documents in a test */

static int daemon_socket;
static xray_emitter queue;
static struct xr_queue *inside;
static int emitted;

/* ---- What can be held up ------------------------------------------------------------- */

static _Atomic bool sender_may_start, may_send;
static _Atomic int at_gate, singles, batches;
static _Thread_local bool is_held;

static void wait_for(const _Atomic bool *open)
{
    while (!*open)
        usleep(1000);
}

/* In the place of libc's: those who are held wait before they send. */
ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    if (message->msg_controllen > 0)
        batches++;
    else
        singles++;
    if (is_held) {
        at_gate++;
        wait_for(&may_send);
    }
    return syscall(SYS_sendmsg, fd, message, flags);
}

static void *(*run_sender)(void *);

static void *run_when_allowed(void *data)
{
    wait_for(&sender_may_start);
    return run_sender(data);
}

static int create_held(pthread_t *ret, const pthread_attr_t *attributes, void *(*run)(void *),
                       void *data)
{
    run_sender = run;
    return pthread_create(ret, attributes, run_when_allowed, data);
}

static void *run_to_gate(void *data)
{
    is_held = true;
    return run_sender(data);
}

static int create_held_at_send(pthread_t *ret, const pthread_attr_t *attributes,
                               void *(*run)(void *), void *data)
{
    run_sender = run;
    return pthread_create(ret, attributes, run_to_gate, data);
}

static void wait_until_one_is_at_gate(void)
{
    for (int i = 0; i < PATIENCE_MS / 10 && at_gate == 0; i++)
        usleep(10000);
    cr_assert_gt(at_gate, 0);
}

/* ---- Documents ------------------------------------------------------------------------ */

static void set_up(void)
{
    uint16_t port = 0;
    int bytes = 64 * 1024 * 1024;
    xray_emitter udp;

    xr_library_enter();
    daemon_socket = listen_at(AF_INET, &port);
    if (setsockopt(daemon_socket, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
        setsockopt(daemon_socket, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    udp = emitter_to("127.0.0.1:", port, "");
    queue = (xray_emitter){ .size = sizeof(queue) };
    cr_assert_eq(xr_emitter_queue(&queue, &udp, CAPACITY), 0);
    inside = queue.data;
    xr_worker_create = create_held;
}

TestSuite(queue_help, .init = set_up);

static void emit_one(void)
{
    char json[600];

    snprintf(json, sizeof(json), "{\"n\":%4d,\"x\":\"%0550d\"}", emitted++, 0);
    cr_assert_eq(emit_text(&queue, json), 0);
}

static uint64_t waiting(void)
{
    uint64_t word = atomic_load(&inside->word);

    return xr_queue_taken(word) + xr_queue_sending(word);
}

/* Until the next one finds no room. */
static void fill(void)
{
    while (waiting() + 41 <= inside->capacity)
        emit_one();
}

/* The number of the next document that is there, or -1. */
static int next_number(void)
{
    const char *text = next_datagram(daemon_socket);
    int number = -1;

    if (*text == '\0')
        return -1;
    cr_assert_eq(strncmp(text, header_line, strlen(header_line)), 0, "\"%.100s\"", text);
    cr_assert_eq(sscanf(text + strlen(header_line), "{\"n\":%d", &number), 1, "%.100s", text);
    return number;
}

static void finish(void)
{
    sender_may_start = may_send = true;
    cr_expect_eq(queue.flush(queue.data, PATIENCE_MS), 0);
    queue.destroy(queue.data);
}

static void expect_each_once(void)
{
    static bool seen[MOST];
    int count = 0;

    for (int number; (number = next_number()) >= 0; count++) {
        cr_assert_lt(number, emitted);
        cr_assert_not(seen[number], "%d", number);
        seen[number] = true;
    }
    cr_expect_eq(count, emitted);
    close(daemon_socket);
}

/* ---- Helping ---------------------------------------------------------------------------- */

Test(queue_help, sends_batches_while_the_thread_does_not_run)
{
    for (int i = 0; i < 2000; i++)
        emit_one();
    cr_expect_eq(singles, 0);
    cr_expect_leq(batches, 2000 / (XR_BATCH_MAX / 2), "the last of a buffer may be small");
    finish();
    expect_each_once();
}

Test(queue_help, keeps_the_order_where_one_sends)
{
    for (int i = 0; i < 1000; i++)
        emit_one();
    finish();
    for (int i = 0; i < 1000; i++)
        cr_assert_eq(next_number(), i);
    close(daemon_socket);
}

Test(queue_help, sends_as_much_as_one_call_takes)
{
    static char json[2101];
    xray_emitter udp = inside->inner;

    /* The first one stays behind: inner is the second one's now. */
    cr_assert_eq(xr_emitter_queue(&queue, &udp, 2 * CAPACITY), 0);
    memset(json, ' ', sizeof(json) - 1);
    json[0] = '{';
    json[sizeof(json) - 2] = '}';
    while (batches == 0 && singles == 0)
        cr_assert_eq(emit_text(&queue, json), 0);
    cr_expect_eq(batches, 1, "30 of 32");
    cr_expect_eq(singles, 0);
    finish();
    close(daemon_socket);
}

Test(queue_help, does_not_wait_for_one_that_sends_the_end)
{
    xr_worker_create = create_held_at_send;
    emit_one();
    wait_until_one_is_at_gate();
    fill();
    cr_assert_eq(next_number(), -1);
    emit_one();
    cr_expect_eq(next_number(), --emitted, "it goes by itself, past those that wait");
    finish();
    expect_each_once();
}

Test(queue_help, does_not_wait_for_one_that_writes)
{
    struct xr_queue_record *record;

    emit_one();
    /* Room at the end of the first document, as if another thread had taken it. */
    record = (struct xr_queue_record *)(void *)(inside->buffers[0] + waiting() * XR_QUEUE_UNIT);
    atomic_fetch_add(&inside->word, 3);
    fill();
    emit_one();
    emit_one();
    cr_expect_eq(next_number(), emitted - 2);
    cr_expect_eq(next_number(), emitted - 1);
    cr_expect_eq(next_number(), -1);
    *record = (struct xr_queue_record){ .units = 3, .length = 8 };
    memcpy(record + 1, "{\"n\":-2}", 8);
    atomic_fetch_add(&inside->written[0], 3);
    finish();
    for (int i = 0; i < emitted - 2; i++) {
        cr_assert_eq(next_number(), i);
        if (i == 0)
            cr_assert_eq(next_number(), -2);
    }
    close(daemon_socket);
}

Test(queue_help, does_not_wait_for_one_that_claims)
{
    fill();
    cr_assert_eq(pthread_mutex_lock(&inside->claiming), 0);
    emit_one();
    cr_expect_eq(next_number(), --emitted);
    cr_expect_eq(singles, 1);
    pthread_mutex_unlock(&inside->claiming);
    finish();
    expect_each_once();
}

Test(queue_help, is_not_for_inner_emitters_of_the_users)
{
    inside->udp = NULL;
    fill();
    emit_one();
    cr_expect_eq(next_number(), emitted - 1);
    cr_expect_eq(batches, 0);
    /* What waits was written for the other kind. */
    inside->udp = inside->inner.data;
    emitted--;
    finish();
    expect_each_once();
}

/* ---- With another thread that helps, and is held up ---------------------------------------- */

static void *help(void *unused)
{
    is_held = true;
    emit_one();
    return unused;
}

static pthread_t start_helper(void)
{
    pthread_t thread;

    fill();
    cr_assert_eq(pthread_create(&thread, NULL, help, NULL), 0);
    wait_until_one_is_at_gate();
    return thread;
}

Test(queue_help, flush_waits_for_what_a_producer_sends)
{
    pthread_t helper = start_helper();

    sender_may_start = true;
    cr_expect_eq(queue.flush(queue.data, 200), -ETIMEDOUT);
    cr_expect_gt(waiting(), 0);
    may_send = true;
    cr_expect_eq(queue.flush(queue.data, PATIENCE_MS), 0);
    pthread_join(helper, NULL);
    finish();
    expect_each_once();
}

Test(queue_help, others_send_the_rest_meanwhile)
{
    pthread_t helper = start_helper();

    while (batches == 1 && singles == 0)
        emit_one();
    cr_expect_eq(singles, 0);
    may_send = true;
    pthread_join(helper, NULL);
    finish();
    expect_each_once();
}

Test(queue_help, loses_nothing_when_the_helper_is_cancelled)
{
    pthread_t helper = start_helper();

    pthread_cancel(helper);
    usleep(50000);
    may_send = true;
    pthread_join(helper, NULL);
    finish();
    expect_each_once();
}

static int record_in_child(void)
{
    alarm(PATIENCE_MS / 1000);
    sender_may_start = may_send = true;
    queue.after_fork(queue.data);
    (void)emit_text(&queue, "{\"n\":9999}");
    return queue.flush(queue.data, PATIENCE_MS) == 0 && waiting() == 0 ? 0 : 1;
}

static void expect_child_to_begin_anew(void)
{
    pid_t child = fork();
    int status = -1;

    if (child == 0)
        _exit(record_in_child());
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0, "%x", status);
    cr_expect_eq(next_number(), 9999);
    cr_expect_eq(next_number(), -1);
}

Test(queue_help, begins_anew_in_a_child_of_a_process_that_helps)
{
    pthread_t helper = start_helper();

    expect_child_to_begin_anew();
    may_send = true;
    pthread_join(helper, NULL);
    finish();
    expect_each_once();
}

Test(queue_help, begins_anew_in_a_child_when_a_chunk_is_being_claimed)
{
    fill();
    cr_assert_eq(pthread_mutex_lock(&inside->claiming), 0);
    expect_child_to_begin_anew();
    pthread_mutex_unlock(&inside->claiming);
    finish();
    expect_each_once();
}
