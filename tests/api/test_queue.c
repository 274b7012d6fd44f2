/* SPDX-License-Identifier: Apache-2.0 */
/* Recorders with a queue: what reaches the other side, in which process, and what is known of it.
 */
#include "support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 60000

static int daemon_socket = -1;

/* Everything is sampled, and goes to a socket through a queue. */
static void record_through_queue(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    xray_emitter udp = { .size = sizeof(udp) }, queue = { .size = sizeof(queue) };
    socklen_t length = sizeof(address);
    int buffer = 4 * 1024 * 1024;
    char text[32];

    daemon_socket = socket(AF_INET, SOCK_DGRAM, 0);
    setsockopt(daemon_socket, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
    cr_assert_eq(bind(daemon_socket, (struct sockaddr *)&address, length), 0);
    cr_assert_eq(getsockname(daemon_socket, (struct sockaddr *)&address, &length), 0);
    snprintf(text, sizeof(text), "127.0.0.1:%d", ntohs(address.sin_port));
    cr_assert_eq(xray_emitter_udp(&udp, text), 0);
    cr_assert_eq(xray_emitter_queue(&queue, &udp, 0), 0);
    record_with((xray_recorder_params){ .emitter = &queue });
}

TestSuite(queue, .init = record_through_queue);

static void finish(void)
{
    settle();
    close(daemon_socket);
}

/* The next document that the daemon has, or NULL. */
static cJSON *next_document(void)
{
    struct pollfd wait = { .fd = daemon_socket, .events = POLLIN };
    static char text[65536];
    const char *end;
    ssize_t length;
    cJSON *found;

    if (poll(&wait, 1, 0) != 1)
        return NULL;
    length = recv(daemon_socket, text, sizeof(text) - 1, 0);
    cr_assert_gt(length, 0);
    text[length] = '\0';
    cr_assert_eq(strncmp(text, "{\"format\":\"json\",\"version\":1}\n", 30), 0);
    found = cJSON_ParseWithOpts(text + 30, &end, true);
    cr_assert(found, "one document, and no more: %.200s", text);
    return found;
}

static int arrived(const char *name)
{
    int count = 0;

    for (cJSON *one; (one = next_document()); cJSON_Delete(one))
        count += strcmp(text_at(one, "name"), name) == 0;
    return count;
}

static void end_segments(const char *name, int count)
{
    for (int i = 0; i < count; i++) {
        xray_segment *segment = xray_begin_segment(name);

        xray_annotate(segment, "i", i);
        xray_end(segment);
    }
}

Test(queue, brings_each_segment_to_the_daemon_once)
{
    bool seen[300] = { 0 };

    end_segments("a", 300);
    cr_assert_eq(xray_recorder_flush(recorder, PATIENCE_MS), 0);
    for (int count = 0; count < 300; count++) {
        cJSON *one = next_document();
        int i = (int)number_at(one, "annotations.i");

        cr_assert(one);
        cr_assert(!seen[i]);
        seen[i] = true;
        cJSON_Delete(one);
    }
    cr_expect_null(next_document());
    finish();
}

Test(queue, is_emptied_by_the_end_of_its_recorder)
{
    end_segments("a", 300);
    settle();
    cr_expect_eq(arrived("a"), 300);
    close(daemon_socket);
}

Test(queue, counts_documents_as_emitted)
{
    end_segments("a", 10);
    cr_assert_eq(xray_recorder_flush(recorder, PATIENCE_MS), 0);
    cr_expect_eq(stats_of(recorder).emitted, 10);
    cr_expect_eq(stats_of(recorder).failed, 0);
    finish();
}

/* ---- Arguments ------------------------------------------------------------------- */

Test(queue_arguments, may_be_missing)
{
    xray_emitter one = { .size = sizeof(one) };

    cr_expect_eq(xray_emitter_queue(NULL, &one, 0), -EINVAL);
    cr_expect_eq(xray_emitter_queue(&one, NULL, 0), -EINVAL);
    cr_expect_eq(xray_emitter_queue(&one, &one, 0), -EINVAL);
}

#if defined(__has_feature)
#define HAS_FEATURE(feature) __has_feature(feature)
#else
#define HAS_FEATURE(feature) 0
#endif

/* AddressSanitizer's own allocator does not survive a fork while a thread starts. */
static void let_threads_start(void)
{
#if defined(__SANITIZE_ADDRESS__) || HAS_FEATURE(address_sanitizer)
    (void)xray_recorder_flush(recorder, PATIENCE_MS);
    usleep(100000);
#endif
}

/* ---- Forks ------------------------------------------------------------------------- */

static pid_t start_child(int (*work)(void))
{
    pid_t child = fork();

    cr_assert_geq(child, 0);
    if (child == 0) {
        /* What should hang ends, and is seen. */
        alarm(PATIENCE_MS / 1000);
        _exit(work());
    }
    return child;
}

static void expect_success(pid_t child)
{
    int status;

    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", status);
}

static int record_in_child(void)
{
    end_segments("child", 10);
    return xray_recorder_flush(recorder, PATIENCE_MS) == 0 ? 0 : 1;
}

static int free_in_child(void)
{
    end_segments("child", 10);
    xray_recorder_set_default(NULL);
    xray_recorder_free(recorder);
    return 0;
}

Test(queue, serves_a_child_before_its_first_document)
{
    expect_success(start_child(record_in_child));
    cr_expect_eq(arrived("child"), 10);
    end_segments("parent", 10);
    settle();
    cr_expect_eq(arrived("parent"), 10);
    close(daemon_socket);
}

Test(queue, serves_a_child_when_it_is_empty)
{
    end_segments("parent", 10);
    cr_assert_eq(xray_recorder_flush(recorder, PATIENCE_MS), 0);
    cr_expect_eq(arrived("parent"), 10);
    expect_success(start_child(record_in_child));
    cr_expect_eq(arrived("child"), 10);
    end_segments("parent", 10);
    settle();
    cr_expect_eq(arrived("parent"), 10);
    close(daemon_socket);
}

Test(queue, serves_a_child_that_frees_its_recorder)
{
    end_segments("parent", 10);
    cr_assert_eq(xray_recorder_flush(recorder, PATIENCE_MS), 0);
    cr_expect_eq(arrived("parent"), 10);
    expect_success(start_child(free_in_child));
    cr_expect_eq(arrived("child"), 10);
    finish();
}

static int have_grandchild(void)
{
    pid_t grandchild;
    int status = -1;

    end_segments("child", 10);
    let_threads_start();
    grandchild = fork();
    if (grandchild == 0)
        _exit(record_in_child());
    waitpid(grandchild, &status, 0);
    return status || xray_recorder_flush(recorder, PATIENCE_MS) ? 1 : 0;
}

Test(queue, serves_a_child_of_a_child)
{
    end_segments("parent", 10);
    let_threads_start();
    expect_success(start_child(have_grandchild));
    cr_assert_eq(xray_recorder_flush(recorder, PATIENCE_MS), 0);
    cr_expect_eq(arrived("child"), 20);
    finish();
}

/* Documents of all processes, and a gate that holds up the senders of one. */
static struct {
    pthread_mutex_t gate;
    _Atomic bool is_there;
    _Atomic int by_parent, by_child;
} * shared;

static pid_t parent;
static pthread_t parents_main;

static int share(void *data, const xray_document *document)
{
    (void)data;
    (void)document;
    if (getpid() == parent && !pthread_equal(pthread_self(), parents_main)) {
        shared->is_there = true;
        pthread_mutex_lock(&shared->gate);
        pthread_mutex_unlock(&shared->gate);
    }
    if (getpid() == parent)
        shared->by_parent++;
    else
        shared->by_child++;
    return 0;
}

static void free_recorder(void)
{
    xray_recorder_set_default(NULL);
    xray_recorder_free(recorder);
}

static void record_shared(void)
{
    xray_emitter inner = { .size = sizeof(inner), .emit = share };
    xray_emitter queue = { .size = sizeof(queue) };

    parent = getpid();
    parents_main = pthread_self();
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(shared, MAP_FAILED);
    pthread_mutex_init(&shared->gate, NULL);
    cr_assert_eq(xray_emitter_queue(&queue, &inner, 0), 0);
    /* Without the checks of record_with(), whose lock another thread may hold at a fork. */
    cr_assert_eq(xray_recorder_new(&recorder,
                                   xray_recorder_params(.emitter = &queue, .sampler = &sampler_yes,
                                                        .flags = XRAY_RECORDER_NO_ENVIRONMENT)),
                 0);
    xray_recorder_set_default(recorder);
}

TestSuite(queue_of_two, .init = record_shared);

static void hold_up_sender(void)
{
    pthread_mutex_lock(&shared->gate);
    end_segments("a", 1);
    for (int i = 0; i < PATIENCE_MS / 10 && !shared->is_there; i++)
        usleep(10000);
    cr_assert(shared->is_there);
}

Test(queue_of_two, leaves_what_waits_to_the_parent)
{
    hold_up_sender();
    end_segments("a", 99);
    expect_success(start_child(record_in_child));
    cr_expect_eq(shared->by_child, 10);
    pthread_mutex_unlock(&shared->gate);
    free_recorder();
    cr_expect_eq(shared->by_parent, 100);
    cr_expect_eq(shared->by_child, 10);
}

static int end_without_documents(void)
{
    free_recorder();
    return 0;
}

Test(queue_of_two, drops_what_waits_in_a_child_that_records_nothing)
{
    hold_up_sender();
    end_segments("a", 99);
    expect_success(start_child(end_without_documents));
    pthread_mutex_unlock(&shared->gate);
    free_recorder();
    cr_expect_eq(shared->by_parent, 100);
    cr_expect_eq(shared->by_child, 0);
}

Test(queue_of_two, has_room_in_the_child_when_the_parents_is_full)
{
    hold_up_sender();
    while (shared->by_parent == 0)
        end_segments("a", 1);
    expect_success(start_child(record_in_child));
    cr_expect_eq(shared->by_child, 10);
    pthread_mutex_unlock(&shared->gate);
    free_recorder();
}

static _Atomic bool enough;

static void *record_until_enough(void *unused)
{
    while (!enough)
        xray_end(xray_start_segment(recorder, NULL));
    return unused;
}

Test(queue_of_two, serves_children_of_a_process_whose_threads_record)
{
    pthread_t threads[4];

    for (int i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, record_until_enough, NULL), 0);
    let_threads_start();
    for (int i = 0; i < 50; i++)
        expect_success(start_child(record_in_child));
    enough = true;
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    cr_assert_eq(xray_recorder_flush(recorder, PATIENCE_MS), 0);
    cr_expect_eq(shared->by_child, 500);
    cr_expect_eq(shared->by_parent, (int)stats_of(recorder).sampled);
    free_recorder();
}

static void *free_slowly(void *unused)
{
    free_recorder();
    return unused;
}

static int do_nothing(void)
{
    return 0;
}

Test(queue_of_two, survives_a_fork_while_it_ends)
{
    pthread_t thread;

    hold_up_sender();
    end_segments("a", 99);
    cr_assert_eq(pthread_create(&thread, NULL, free_slowly, NULL), 0);
    usleep(10000);
    expect_success(start_child(do_nothing));
    pthread_mutex_unlock(&shared->gate);
    pthread_join(thread, NULL);
    cr_expect_eq(shared->by_parent, 100);
}
