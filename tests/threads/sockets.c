/* SPDX-License-Identifier: Apache-2.0 */
/* Many threads on one socket, the library's own samplers, and forks in between. */
#include "stress.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 8
#define ROUNDS  500

static xray_recorder *recorder;
static int daemon_socket;
static atomic_ulong received;

static void *receive(void *unused)
{
    char text[65536];
    ssize_t length;

    /* A datagram of one byte says that it is over. */
    while ((length = recv(daemon_socket, text, sizeof(text), 0)) > 1)
        atomic_fetch_add(&received, 1);
    return unused;
}

static void *record_over_udp(void *number)
{
    for (int i = 0; i < ROUNDS; i++) {
        xray_segment *a = xray_start_segment(recorder, NULL);

        xray_annotate(a, "thread", (long)number);
        xray_end(a);
    }
    return NULL;
}

static void *fork_now_and_then(void *unused)
{
    for (int i = 0; i < 20; i++) {
        pid_t child = fork();
        int status;

        if (child == 0) {
            xray_end(xray_start_segment(recorder, NULL));
            _exit(0);
        }
        if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
            exit(96);
    }
    return unused;
}

static void *record_or_fork(void *number)
{
    return number ? record_over_udp(number) : fork_now_and_then(number);
}

static void *ask_default_sampler(void *number)
{
    for (int i = 0; i < ROUNDS * 4; i++)
        xray_end(xray_begin_segment("a"));
    return number;
}

int main(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(address);
    xray_sampler sampler = { .size = sizeof(sampler) };
    xray_stats stats = { .size = sizeof(stats) };
    pthread_t receiver;
    char text[32];
    int closing;

    daemon_socket = socket(AF_INET, SOCK_DGRAM, 0);
    if (bind(daemon_socket, (struct sockaddr *)&address, length) < 0 ||
        getsockname(daemon_socket, (struct sockaddr *)&address, &length) < 0)
        return 99;
    snprintf(text, sizeof(text), "127.0.0.1:%d", ntohs(address.sin_port));
    if (xray_sampler_rate(&sampler, 0, 1) < 0 ||
        xray_recorder_new(&recorder,
                          xray_recorder_params(.daemon_address = text, .sampler = &sampler,
                                               .flags = XRAY_RECORDER_NO_ENVIRONMENT)) < 0)
        return 99;
    pthread_create(&receiver, NULL, receive, NULL);
    run_threads(THREADS, record_or_fork);
    xray_recorder_get_stats(recorder, &stats);
    expect(stats.emitted + stats.failed == (THREADS - 1) * ROUNDS, "threads share a socket");
    expect(stats.emitted > 0, "and it takes documents");
    closing = socket(AF_INET, SOCK_DGRAM, 0);
    do
        sendto(closing, "", 1, 0, (struct sockaddr *)&address, length);
    while (usleep(1000) == 0 && pthread_tryjoin_np(receiver, NULL) != 0);
    close(closing);
    expect(received > 0, "which arrive");
    xray_recorder_free(recorder);
    close(daemon_socket);

    /* The default sampler, and the default recorder that all threads ask for first at once. */
    setenv("AWS_XRAY_DAEMON_ADDRESS", text, 1);
    setenv("AWS_XRAY_LOG_LEVEL", "silent", 1);
    run_threads(THREADS, ask_default_sampler);
    xray_recorder_get_stats(xray_recorder_default(), &stats);
    expect(stats.begun == THREADS * ROUNDS * 4, "threads that make the default recorder at once");
    expect(stats.sampled > 0 && stats.sampled == stats.emitted + stats.failed,
           "and share its sampler");
    return report();
}
