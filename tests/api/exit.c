/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs that end while there is something left: none of them waits, crashes or
 * ends with another status. Runs itself again for each; only what hangs is killed.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <xraytrace/xraytrace.h>

#define HANG_SECONDS 100
#define STATUS       42

static void *leave_open(void *unused)
{
    (void)unused;
    xray_send_in_progress(xray_begin_segment("a"));
    xray_begin_subsegment("b");
    xray_detach(xray_begin_segment("c"));
    return NULL;
}

static void *leave_open_and_wait(void *ready)
{
    leave_open(NULL);
    pthread_barrier_wait(ready);
    for (;;)
        pause();
    return NULL;
}

static void sends_to_nobody(void)
{
    for (int i = 0; i < 100; i++)
        xray_end(xray_begin_segment("a"));
}

static void leaves_segments_open(void)
{
    leave_open(NULL);
}

static void leaves_them_open_on_a_thread_that_ended(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, leave_open, NULL) == 0)
        pthread_join(thread, NULL);
}

static void leaves_them_open_on_a_thread_that_runs(void)
{
    pthread_barrier_t ready;
    pthread_t thread;

    pthread_barrier_init(&ready, NULL, 2);
    if (pthread_create(&thread, NULL, leave_open_and_wait, &ready) == 0)
        pthread_barrier_wait(&ready);
}

static void end_late(void)
{
    xray_end(xray_current());
    xray_end(xray_begin_segment("after all"));
}

static void ends_them_when_it_exits(void)
{
    atexit(end_late);
    leave_open(NULL);
}

static const struct {
    const char *name;
    void (*run)(void);
} programs[] = {
    { "one that sends to nobody ends well", sends_to_nobody },
    { "one that leaves segments open does", leaves_segments_open },
    { "one that does on a thread that ended", leaves_them_open_on_a_thread_that_ended },
    { "one that does on a thread that runs", leaves_them_open_on_a_thread_that_runs },
    { "one that ends them as the last thing", ends_them_when_it_exits },
};

static void run_again(char *program, int number)
{
    char text[16];

    snprintf(text, sizeof(text), "%d", number);
    setenv("XRAYTRACE_SAMPLING_RATE", "1", 1);
    setenv("AWS_XRAY_LOG_LEVEL", "silent", 1);
    setenv("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:9", 1);
    alarm(HANG_SECONDS); /* stays with what is executed */
    execl("/proc/self/exe", program, text, (char *)NULL);
    _exit(127);
}

int main(int argc, char **argv)
{
    int count = (int)(sizeof(programs) / sizeof(*programs)), failed = 0;

    if (argc > 1) {
        programs[atoi(argv[1]) % count].run();
        exit(STATUS);
    }
    printf("1..%d\n", count);
    for (int i = 0; i < count; i++) {
        int status = -1, good;
        pid_t child;

        fflush(stdout);
        child = fork();
        if (child == 0)
            run_again(argv[0], i);
        good = waitpid(child, &status, 0) == child && WIFEXITED(status) &&
               WEXITSTATUS(status) == STATUS;
        printf("%sok %d - %s\n", good ? "" : "not ", i + 1, programs[i].name);
        failed += !good;
    }
    return failed > 0;
}
