/* SPDX-License-Identifier: Apache-2.0 */
/* Processes that end with documents in a queue: exit() sends them, and is not held up. */
#include "stress.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define DOCUMENTS 100

static struct sockaddr_in address;
static int daemon_socket;
static xray_emitter queue;

static int emit_text(const char *json)
{
    xray_document document = { .size = sizeof(document), .json = json, .length = strlen(json) };

    return queue.emit(queue.data, &document);
}

static void make_queue(const xray_emitter *inner)
{
    queue = (xray_emitter){ .size = sizeof(queue) };
    if (xray_emitter_queue(&queue, inner, 0) < 0)
        _exit(99);
}

static void make_udp_queue(void)
{
    xray_emitter udp = { .size = sizeof(udp) };
    char text[32];

    snprintf(text, sizeof(text), "127.0.0.1:%d", ntohs(address.sin_port));
    if (xray_emitter_udp(&udp, text) < 0)
        _exit(99);
    make_queue(&udp);
}

/* ---- What children do --------------------------------------------------------- */

static void emit_and_exit(void)
{
    for (int i = 0; i < DOCUMENTS; i++)
        emit_text("{\"a\":1}");
    exit(0);
}

static void exit_with_documents(void)
{
    make_udp_queue();
    emit_and_exit();
}

static void emit_late(void)
{
    for (int i = 0; i < DOCUMENTS; i++)
        emit_text("{\"late\":1}");
}

static void exit_with_later_documents(void)
{
    /* Handlers run in reverse: this one after the queue's own. */
    atexit(emit_late);
    make_udp_queue();
    emit_text("{\"a\":1}");
    exit(0);
}

static void *emit_for_ever(void *unused)
{
    for (;;) {
        emit_text("{\"b\":1}");
        usleep(100);
    }
    return unused;
}

static void exit_while_others_record(void)
{
    pthread_t thread;

    make_udp_queue();
    for (int i = 0; i < 4; i++)
        if (pthread_create(&thread, NULL, emit_for_ever, NULL) != 0)
            _exit(99);
    usleep(10000);
    emit_and_exit();
}

static int block(void *data, const xray_document *document)
{
    (void)data;
    (void)document;
    for (;;)
        pause();
    return 0;
}

static void exit_with_a_blocked_sender(void)
{
    xray_emitter inner = { .size = sizeof(inner), .emit = block };

    make_queue(&inner);
    emit_text("{}");
    exit(0);
}

static void exit_of_a_grandchild(void)
{
    make_udp_queue();
    emit_text("{\"parent\":1}");
    (void)queue.flush(queue.data, 60000);
    if (fork() == 0) {
        queue.after_fork(queue.data);
        exit(0);
    }
    wait(NULL);
    _exit(0);
}

/* ---- What is seen of it --------------------------------------------------------- */

static void in_child(void (*work)(void))
{
    pid_t child = fork();
    int status = -1;

    if (child == 0)
        work();
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
        printf("# status %x\n", (unsigned)status);
    expect(status == 0, "the process ends by itself");
}

/* The datagrams that are there with this document. */
static int arrived(const char *json)
{
    struct pollfd wait = { .fd = daemon_socket, .events = POLLIN };
    char text[65536];
    int count = 0;

    while (poll(&wait, 1, 0) == 1) {
        ssize_t length = recv(daemon_socket, text, sizeof(text) - 1, 0);

        text[length > 0 ? length : 0] = '\0';
        count += strstr(text, json) != NULL;
    }
    return count;
}

int main(void)
{
    socklen_t length = sizeof(address);
    int buffer = 4 * 1024 * 1024;

    address = (struct sockaddr_in){ .sin_family = AF_INET,
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    daemon_socket = socket(AF_INET, SOCK_DGRAM, 0);
    setsockopt(daemon_socket, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
    if (bind(daemon_socket, (struct sockaddr *)&address, length) < 0 ||
        getsockname(daemon_socket, (struct sockaddr *)&address, &length) < 0)
        return 99;

    in_child(exit_with_documents);
    expect(arrived("{\"a\":1}") == DOCUMENTS, "exit() sends what waits");
    in_child(exit_with_later_documents);
    expect(arrived("{\"late\":1}") == DOCUMENTS, "what comes after that goes directly");
    in_child(exit_while_others_record);
    expect(arrived("{\"a\":1}") == DOCUMENTS, "exit() sends what waits while others record");
    in_child(exit_with_a_blocked_sender);
    in_child(exit_of_a_grandchild);
    expect(arrived("{\"parent\":1}") == 1, "a forked child sends nothing of its parent's");
    close(daemon_socket);
    return report();
}
