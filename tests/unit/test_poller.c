/* SPDX-License-Identifier: Apache-2.0 */
/* Central sampling when threads cannot be had, and forks that cannot wait. */
#include "recorder/poller.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/script.h"
#include "emit/worker.h"

#define DEADLY_SECONDS 100

static struct script script;
static _Atomic int refusals;

static void decide_by_no_rule(void *data, const xray_sampling_request *request,
                              xray_sampling_decision *ret)
{
    (void)data;
    (void)request;
    ret->sampled = 0;
}

static const xray_sampler fallback = { .size = sizeof(fallback), .decide = decide_by_no_rule };

static void set_up(void)
{
    script_set_up(&script);
    alarm(DEADLY_SECONDS);
}

TestSuite(poller, .init = set_up);

static xray_sampler make(void)
{
    xray_sampler sampler = { .size = sizeof(sampler) };
    xray_transport transport = script_transport(&script);

    cr_assert_eq(xray_sampler_central(&sampler, "127.0.0.1:2000", &transport, &fallback), 0);
    return sampler;
}

static int refuse_one(pthread_t *ret, const pthread_attr_t *attributes, void *(*run)(void *),
                      void *data)
{
    if (atomic_fetch_add(&refusals, 1) == 0)
        return EAGAIN;
    return pthread_create(ret, attributes, run, data);
}

Test(poller, tries_again_for_a_thread_after_a_second)
{
    xray_sampler sampler = make();
    char rule[33];

    xr_worker_create = refuse_one;
    (void)script_decide(&sampler, rule);
    (void)script_decide(&sampler, rule);
    cr_expect_eq(refusals, 1, "not at each decision");
    cr_expect(script_wait_for_rule(&sampler, "all"));
    cr_expect_eq(refusals, 2);
    sampler.destroy(sampler.data);
    cr_expect_eq(script.ends, 1);
}

Test(poller, ends_without_a_thread)
{
    xray_sampler sampler = make();
    char rule[33];

    xr_worker_create = refuse_one;
    (void)script_decide(&sampler, rule);
    sampler.destroy(sampler.data);
    cr_expect_eq(script.ends, 1);
}

/* A fork that finds the machine at work for long leaves it to the parent. */
Test(poller, begins_with_another_machine_where_a_fork_broke_one)
{
    xray_sampler sampler = make();
    struct xr_poller *poller = sampler.data;
    int status = -1;
    pid_t child;

    cr_assert(script_wait_for_rule(&sampler, "all"));
    pthread_mutex_lock(&poller->working);
    child = fork();
    if (child == 0) {
        const struct xr_central *broken = poller->central;
        char rule[33];

        alarm(DEADLY_SECONDS);
        sampler.after_fork(sampler.data);
        (void)script_decide(&sampler, rule);
        if (poller->central == broken)
            _exit(1);
        _exit(script_wait_for_rule(&sampler, "all") && script_asked(&script) == 1 ? 0 : 2);
    }
    pthread_mutex_unlock(&poller->working);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", status);
    cr_assert(script_wait_for_rule(&sampler, "all"));
    sampler.destroy(sampler.data);
}

/* While the machine works nothing else of it moves, so that a fork copies it whole. */
Test(poller, is_not_forked_while_the_machine_works)
{
    xray_sampler sampler = make();
    struct xr_poller *poller = sampler.data;
    int status = -1;
    pid_t child;

    cr_assert(script_wait_for_rule(&sampler, "all"));
    child = fork();
    if (child == 0)
        _exit(poller->stopped_for_fork && !poller->interrupted ? 0 : 1);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", status);
    cr_expect_eq(pthread_mutex_trylock(&poller->working), 0, "it goes on in the parent");
    pthread_mutex_unlock(&poller->working);
    sampler.destroy(sampler.data);
}
