/* SPDX-License-Identifier: Apache-2.0 */
/* What many read while one replaces it: when it is freed, and when not yet. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/published.h"

static atomic_int released;

static void release(void *object)
{
    *(int *)object = -1;
    atomic_fetch_add(&released, 1);
}

static int objects[4 * XR_PUBLISHED_BACKLOG];
static struct xr_published published;

static void begin(void)
{
    xr_published_init(&published, &objects[0], release);
}

TestSuite(published, .init = begin);

/* As a thread of that number would. */
static void *enter_as(uint64_t thread, unsigned *ret_ticket)
{
    xr_thread.id = thread;
    return xr_published_enter(&published, ret_ticket);
}

Test(published, is_read_as_it_was_put)
{
    unsigned ticket;

    cr_expect_eq(xr_published_enter(&published, &ticket), &objects[0]);
    xr_published_leave(&published, ticket);
    cr_expect_eq(released, 0);
}

Test(published, is_read_as_it_was_replaced)
{
    unsigned ticket;

    xr_published_replace(&published, &objects[1]);
    cr_expect_eq(xr_published_enter(&published, &ticket), &objects[1]);
    xr_published_leave(&published, ticket);
}

Test(published, is_freed_at_once_when_nobody_reads)
{
    xr_published_replace(&published, &objects[1]);
    cr_expect_eq(objects[0], -1);
    cr_expect_eq(released, 1);
}

Test(published, stays_while_it_is_read)
{
    unsigned ticket, later;

    enter_as(3, &ticket);
    xr_published_replace(&published, &objects[1]);
    xr_published_collect(&published);
    cr_expect_eq(released, 0);
    cr_expect_eq(enter_as(4, &later), &objects[1]);
    xr_published_leave(&published, ticket);
    xr_published_collect(&published);
    cr_expect_eq(objects[0], -1);
    cr_expect_eq(released, 1);
}

Test(published, stays_for_a_reader_of_each_stripe)
{
    for (uint64_t thread = 0; thread < 2 * XR_PUBLISHED_STRIPES; thread++) {
        unsigned ticket;

        begin();
        atomic_store(&released, 0);
        enter_as(thread, &ticket);
        xr_published_replace(&published, &objects[1]);
        cr_expect_eq(released, 0, "%d", (int)thread);
        xr_published_leave(&published, ticket);
        xr_published_collect(&published);
        cr_expect_eq(released, 1, "%d", (int)thread);
    }
}

Test(published, is_freed_though_there_is_always_some_reader)
{
    unsigned first, second;

    enter_as(1, &first);
    xr_published_replace(&published, &objects[1]);
    enter_as(2, &second);
    xr_published_leave(&published, first);
    xr_published_collect(&published);
    cr_expect_eq(released, 1);
}

Test(published, stays_for_one_of_two_readers_of_a_stripe)
{
    unsigned first, second;

    enter_as(5, &first);
    enter_as(5 + XR_PUBLISHED_STRIPES, &second);
    xr_published_replace(&published, &objects[1]);
    xr_published_leave(&published, first);
    xr_published_collect(&published);
    cr_expect_eq(released, 0);
    xr_published_leave(&published, second);
    xr_published_collect(&published);
    cr_expect_eq(released, 1);
}

/* Readers of one stripe that take turns, so that it is never without one. */
Test(published, is_freed_though_there_is_always_a_reader_of_the_stripe)
{
    unsigned ticket, next;

    enter_as(1, &ticket);
    xr_published_replace(&published, &objects[1]);
    for (int i = 0; i < 4; i++) {
        enter_as(1 + XR_PUBLISHED_STRIPES, &next);
        xr_published_leave(&published, ticket);
        xr_published_collect(&published);
        ticket = next;
    }
    cr_expect_eq(released, 1);
}

Test(published, may_be_nothing)
{
    unsigned ticket;

    xr_published_init(&published, NULL, release);
    cr_expect_null(xr_published_enter(&published, &ticket));
    xr_published_replace(&published, &objects[1]);
    xr_published_replace(&published, NULL);
    cr_expect_eq(released, 0);
    xr_published_leave(&published, ticket);
    xr_published_destroy(&published);
    cr_expect_eq(released, 1);
}

Test(published, is_freed_in_the_end_with_all_that_it_replaced)
{
    unsigned ticket;

    enter_as(1, &ticket);
    for (int i = 1; i <= XR_PUBLISHED_BACKLOG; i++)
        xr_published_replace(&published, &objects[i]);
    cr_expect_eq(released, 0);
    xr_published_leave(&published, ticket);
    xr_published_destroy(&published);
    cr_expect_eq(released, XR_PUBLISHED_BACKLOG + 1);
    for (int i = 0; i <= XR_PUBLISHED_BACKLOG; i++)
        cr_expect_eq(objects[i], -1, "%d", i);
}

static void *replace_often(void *unused)
{
    for (size_t i = 1; i < sizeof(objects) / sizeof(*objects); i++)
        xr_published_replace(&published, &objects[i]);
    return unused;
}

Test(published, keeps_no_more_than_its_backlog)
{
    pthread_t thread;
    unsigned ticket;

    enter_as(1, &ticket);
    cr_assert_eq(pthread_create(&thread, NULL, replace_often, NULL), 0);
    while (atomic_load(&published.current) != &objects[XR_PUBLISHED_BACKLOG])
        usleep(100);
    usleep(2000); /* time in which a replacement that did not wait would come */
    cr_expect_eq(atomic_load(&published.current), &objects[XR_PUBLISHED_BACKLOG]);
    cr_expect_eq(released, 0);
    xr_published_leave(&published, ticket);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    xr_published_collect(&published);
    cr_expect_eq(released, (int)(sizeof(objects) / sizeof(*objects)) - 1);
}

/* ---- Forks ------------------------------------------------------------------- */

static void expect_exit_0(pid_t child)
{
    int status = -1;

    cr_assert_gt(child, 0);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %d", status);
}

Test(published, is_freed_in_a_child_though_the_parent_was_reading)
{
    unsigned ticket;
    pid_t child;

    enter_as(1, &ticket);
    xr_published_replace(&published, &objects[1]);
    child = fork();
    if (child == 0) {
        xr_published_after_fork(&published);
        if (released != 1)
            _exit(1);
        xr_published_replace(&published, &objects[2]);
        _exit(released == 2 && objects[1] == -1 ? 0 : 2);
    }
    expect_exit_0(child);
    cr_expect_eq(released, 0);
}

Test(published, is_never_freed_twice_in_a_child_that_was_forked_meanwhile)
{
    unsigned ticket;
    pid_t child;

    enter_as(1, &ticket);
    xr_published_replace(&published, &objects[1]);
    atomic_store(&published.changing, true);
    child = fork();
    if (child == 0) {
        xr_published_after_fork(&published);
        if (released != 0 || published.changing)
            _exit(1);
        xr_published_replace(&published, &objects[2]);
        _exit(released == 1 && objects[1] == -1 ? 0 : 2);
    }
    expect_exit_0(child);
}
