/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers: spread, different in each thread and process, and chances that are kept. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/random.h"
#include "recorder/library.h"
#include "recorder/recorder.h"

TestSuite(random, .init = xr_library_enter);

Test(random, numbers_do_not_repeat)
{
    static uint64_t seen[5000];

    for (int i = 0; i < 5000; i++) {
        seen[i] = xr_random_u64();
        for (int j = 0; j < i; j++)
            cr_assert_neq(seen[i], seen[j]);
    }
}

Test(random, bits_are_set_about_half_of_the_time)
{
    int counts[64] = { 0 };

    for (int i = 0; i < 20000; i++) {
        uint64_t number = xr_random_u64();

        for (int bit = 0; bit < 64; bit++)
            counts[bit] += number >> bit & 1;
    }
    /* Ten standard deviations. */
    for (int bit = 0; bit < 64; bit++)
        cr_assert(counts[bit] > 9290 && counts[bit] < 10710, "bit %d: %d", bit, counts[bit]);
}

static void *take(void *ret)
{
    uint64_t *numbers = ret;

    for (int i = 0; i < 100; i++)
        numbers[i] = xr_random_u64();
    return NULL;
}

Test(random, numbers_differ_between_threads)
{
    uint64_t here[100], there[100];
    pthread_t thread;

    take(here);
    pthread_create(&thread, NULL, take, there);
    pthread_join(thread, NULL);
    for (int i = 0; i < 100; i++)
        for (int j = 0; j < 100; j++)
            cr_assert_neq(here[i], there[j]);
}

Test(random, numbers_differ_after_a_fork)
{
    uint64_t here[100], there[100];
    int pipes[2], status;
    pid_t child;

    take(here);
    cr_assert_eq(pipe(pipes), 0);
    child = fork();
    if (child == 0) {
        take(there);
        _exit(write(pipes[1], there, sizeof(there)) == sizeof(there) ? 0 : 1);
    }
    take(here);
    cr_assert_eq(read(pipes[0], there, sizeof(there)), sizeof(there));
    waitpid(child, &status, 0);
    cr_assert_eq(status, 0);
    for (int i = 0; i < 100; i++)
        for (int j = 0; j < 100; j++)
            cr_assert_neq(here[i], there[j]);
}

Test(random, chance_of_zero_never_comes_and_of_one_always)
{
    for (int i = 0; i < 100000; i++) {
        cr_assert_not(xr_random_chance(0));
        cr_assert_not(xr_random_chance(-1));
        cr_assert(xr_random_chance(1));
        cr_assert(xr_random_chance(2));
    }
}

Test(random, chance_comes_as_often_as_it_says)
{
    int count = 0;

    for (int i = 0; i < 100000; i++)
        count += xr_random_chance(0.05);
    /* Ten standard deviations. */
    cr_assert(count > 4310 && count < 5690, "%d", count);
}
