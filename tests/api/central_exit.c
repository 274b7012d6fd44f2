/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs that end while rules are being fetched: none of them waits for that,
 * crashes, or ends with another status. Runs itself again for each; only what
 * hangs is killed.
 */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "script.h"

#define HANG_SECONDS 100
#define STATUS       42

static struct script script;
static xray_sampler sampler = { .size = sizeof(sampler) };
static xray_recorder *recorder;

static void make_sampler(void)
{
    xray_transport transport = script_transport(&script);

    script_set_up(&script);
    if (xray_sampler_central(&sampler, "127.0.0.1:2000", &transport, NULL) < 0)
        _exit(1);
}

static void begin_exchange(void)
{
    char rule[33];

    script_hang(&script, true);
    (void)script_decide(&sampler, rule);
    if (!script_wait(&script, 1))
        _exit(2);
}

static void hangs(void)
{
    make_sampler();
    begin_exchange();
}

static void hangs_with_a_recorder(void)
{
    make_sampler();
    if (xray_recorder_new(&recorder, xray_recorder_params(.sampler = &sampler)) < 0)
        _exit(1);
    xray_recorder_set_default(recorder);
    begin_exchange();
    xray_begin_segment("left open");
}

static void rests(void)
{
    make_sampler();
    if (!script_wait_for_rule(&sampler, "all"))
        _exit(2);
}

static void has_just_begun(void)
{
    char rule[33];

    make_sampler();
    (void)script_decide(&sampler, rule);
}

static void destroy_sampler(void)
{
    sampler.destroy(sampler.data);
}

/* Handlers run in the reverse order of their registration: these after the library's. */
static void destroys_it_while_it_hangs(void)
{
    atexit(destroy_sampler);
    hangs();
}

static void destroys_it_while_it_rests(void)
{
    atexit(destroy_sampler);
    rests();
}

static void let_it_answer(void)
{
    script_hang(&script, false);
    for (int i = 0; i < SCRIPT_PATIENCE_MS; i++) {
        int inside;

        pthread_mutex_lock(&script.lock);
        inside = script.inside;
        pthread_mutex_unlock(&script.lock);
        if (inside == 0)
            break;
        script_pause();
    }
    destroy_sampler();
    /* Who has been answered when all is over asks nothing, and destroys nothing. */
    if (script.ends != 0 || script_asked(&script) != 1)
        _exit(3);
}

static void is_answered_after_all(void)
{
    atexit(let_it_answer);
    hangs();
}

static void decide_late(void)
{
    char rule[33];

    (void)script_decide(&sampler, rule);
    if (script_asked(&script) != 0)
        _exit(4);
}

static void decides_when_it_exits(void)
{
    atexit(decide_late);
    make_sampler();
}

static const struct {
    const char *name;
    void (*run)(void);
} programs[] = {
    { "one whose exchange hangs exits", hangs },
    { "one does with a segment open", hangs_with_a_recorder },
    { "one whose thread rests exits", rests },
    { "one whose thread has just begun exits", has_just_begun },
    { "one that destroys its sampler at exit, in an exchange", destroys_it_while_it_hangs },
    { "one that destroys its sampler at exit", destroys_it_while_it_rests },
    { "one that is answered while it exits", is_answered_after_all },
    { "one that decides while it exits", decides_when_it_exits },
};

static void run_again(char *program, int number)
{
    char text[16];

    snprintf(text, sizeof(text), "%d", number);
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
        if (!good)
            printf("# status %x\n", (unsigned)status);
        failed += !good;
    }
    return failed > 0;
}
