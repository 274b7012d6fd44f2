/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs that end at any moment of a fetch by libcurl: while it begins, while
 * it waits, and when it has its reply. None of them crashes, waits for the
 * server, or ends with another status.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <xraytrace/curl.h>

#include "peer.h"

#define HANG_SECONDS 100
#define STATUS       42
#define ROUNDS       50
#define STEP_US      60

static const struct peer_reply SILENT[] = { { .silent = 1 } };
static const struct peer_reply PROMPT[] = { { .body = "{\"SamplingRuleRecords\":[]}" } };

static void end_after(long us)
{
    struct timespec time = { .tv_nsec = us * 1000 };

    if (xray_curl_enable() < 0)
        _exit(1);
    xray_end(xray_begin_segment("short"));
    if (us > 0)
        nanosleep(&time, NULL);
    exit(STATUS);
}

static void run_again(char *program, const struct peer *peer, int round)
{
    char text[16];

    snprintf(text, sizeof(text), "%d", round * STEP_US);
    setenv("AWS_XRAY_DAEMON_ADDRESS", peer_url(peer) + strlen("http://"), 1);
    alarm(HANG_SECONDS); /* stays with what is executed */
    execl("/proc/self/exe", program, text, (char *)NULL);
    _exit(127);
}

static int run_rounds(char *program, const struct peer_reply *reply)
{
    struct peer *peer = peer_start(reply, 1);
    int failed = 0;

    for (int i = 0; i < ROUNDS; i++) {
        int status = -1;
        pid_t child;

        fflush(stdout);
        child = fork();
        if (child == 0)
            run_again(program, peer, i);
        if (waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
            WEXITSTATUS(status) != STATUS) {
            printf("# after %d us: status %x\n", i * STEP_US, (unsigned)status);
            failed++;
        }
    }
    peer_stop(peer);
    return failed;
}

int main(int argc, char **argv)
{
    int silent, prompt;

    if (argc > 1)
        end_after(atol(argv[1]));
    printf("1..2\n");
    silent = run_rounds(argv[0], SILENT);
    printf("%sok 1 - programs end while a server is silent\n", silent ? "not " : "");
    prompt = run_rounds(argv[0], PROMPT);
    printf("%sok 2 - programs end while a server answers\n", prompt ? "not " : "");
    return silent + prompt > 0;
}
