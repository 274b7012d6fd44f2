/* SPDX-License-Identifier: Apache-2.0 */
/* Rules from a file that changes. Looks come at times of the tests' own, far ahead of the clock. */
#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "sampling/rules.h"
#include "sampling/rules_file.h"

#define NOW (1500000000 * XR_NS_PER_S)

#define DEFAULT(fixed_target, rate) \
    "{\"version\":2,\"default\":{\"fixed_target\":" #fixed_target ",\"rate\":" #rate "}}"

static char directory[] = "/tmp/xraytrace-rules-XXXXXX", path[64], other[64];
static char heard[512];
static int heard_count;
static int64_t time_ns;

static void hear(void *data, int level, const char *message)
{
    (void)data;
    (void)level;
    heard_count++;
    strncpy(heard, message, sizeof(heard) - 1);
}

static struct xr_logger logger = { NULL, XR_LOG_WARNING, hear };
static xray_sampler sampler = { .size = sizeof(sampler) };

static void write_to(const char *file, const char *text)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    size_t length = strlen(text);

    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, text, length), (ssize_t)length);
    close(fd);
}

static void open_with(const char *text)
{
    write_to(path, text);
    cr_assert_eq(xr_sampler_rules_file(&sampler, path, &logger), 0, "%s", heard);
}

static void begin(void)
{
    cr_assert_not_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/rules", directory);
    snprintf(other, sizeof(other), "%s/other", directory);
    time_ns = xr_clock_monotonic_ns() + 1000 * XR_NS_PER_S;
}

static void end(void)
{
    if (sampler.destroy)
        sampler.destroy(sampler.data);
    unlink(path);
    unlink(other);
    rmdir(path);
    rmdir(directory);
}

TestSuite(rules_file, .init = begin, .fini = end);

/* A second later. */
static void look(void)
{
    time_ns += XR_NS_PER_S;
    xr_rules_file_look(sampler.data, time_ns);
}

static int decide(void)
{
    xray_sampling_request request = { .size = sizeof(request), .now_ns = NOW };
    xray_sampling_decision decision;

    sampler.decide(sampler.data, &request, &decision);
    return decision.sampled;
}

/* ---- Changes ----------------------------------------------------------------- */

Test(rules_file, decides_by_what_is_in_it)
{
    open_with(DEFAULT(0, 1));
    cr_expect_eq(decide(), 1);
    sampler.destroy(sampler.data);
    open_with(DEFAULT(0, 0));
    cr_expect_eq(decide(), 0);
}

Test(rules_file, is_read_again_when_it_was_written_to)
{
    open_with(DEFAULT(0, 1));
    write_to(path, DEFAULT(0, 0.0));
    look();
    cr_expect_eq(decide(), 0);
    cr_expect_eq(heard_count, 0);
}

Test(rules_file, is_read_again_when_another_was_renamed_to_it)
{
    open_with(DEFAULT(0, 1));
    look();
    write_to(other, DEFAULT(0, 0));
    cr_assert_eq(rename(other, path), 0);
    look();
    cr_expect_eq(decide(), 0);
}

/* A clock of a file system stands for some milliseconds, and a program may set the time back. */
Test(rules_file, is_read_again_when_neither_size_nor_time_tells)
{
    struct stat before;
    struct timespec times[2];

    open_with(DEFAULT(0, 1));
    look();
    cr_assert_eq(stat(path, &before), 0);
    write_to(path, DEFAULT(0, 0));
    times[0] = times[1] = before.st_mtim;
    cr_assert_eq(utimensat(AT_FDCWD, path, times, 0), 0);
    look();
    cr_expect_eq(decide(), 0);
}

Test(rules_file, is_looked_at_once_a_second)
{
    open_with(DEFAULT(0, 1));
    look();
    write_to(path, DEFAULT(0, 0));
    xr_rules_file_look(sampler.data, time_ns + XR_NS_PER_S - 1);
    cr_expect_eq(decide(), 1);
    xr_rules_file_look(sampler.data, time_ns + XR_NS_PER_S);
    cr_expect_eq(decide(), 0);
}

Test(rules_file, is_looked_at_by_decisions)
{
    open_with(DEFAULT(0, 1));
    write_to(path, DEFAULT(0, 0));
    for (int i = 0; i < 2000 && decide() == 1; i++)
        usleep(10000);
    cr_expect_eq(decide(), 0);
}

Test(rules_file, may_vanish_for_a_moment)
{
    open_with(DEFAULT(0, 1));
    cr_assert_eq(unlink(path), 0);
    look();
    cr_expect_eq(decide(), 1);
    write_to(path, DEFAULT(0, 0));
    look();
    cr_expect_eq(decide(), 0);
    cr_expect_eq(heard_count, 0);
}

Test(rules_file, that_is_gone_is_logged_once)
{
    open_with(DEFAULT(0, 1));
    cr_assert_eq(unlink(path), 0);
    for (int i = 0; i < 5; i++)
        look();
    cr_expect_eq(heard_count, 1);
    cr_expect(strstr(heard, "No such file") && strstr(heard, path), "%s", heard);
    cr_expect_eq(decide(), 1);
}

Test(rules_file, that_comes_back_as_it_was_is_read)
{
    open_with(DEFAULT(0, 1));
    cr_assert_eq(rename(path, other), 0);
    look();
    look();
    cr_assert_eq(rename(other, path), 0);
    look();
    write_to(path, DEFAULT(0, 0));
    look();
    cr_expect_eq(decide(), 0);
}

/* ---- Reservoirs -------------------------------------------------------------- */

Test(rules_file, that_is_written_as_it_was_keeps_its_reservoirs)
{
    open_with(DEFAULT(1, 0));
    cr_expect_eq(decide(), 1);
    write_to(other, DEFAULT(1, 0));
    cr_assert_eq(rename(other, path), 0);
    look();
    cr_expect_eq(decide(), 0);
}

Test(rules_file, that_was_refused_for_a_while_keeps_its_reservoirs)
{
    open_with(DEFAULT(1, 0));
    cr_expect_eq(decide(), 1);
    write_to(path, "{");
    look();
    write_to(path, DEFAULT(1, 0));
    look();
    cr_expect_eq(decide(), 0);
}

Test(rules_file, that_has_changed_begins_with_full_reservoirs)
{
    open_with(DEFAULT(1, 0));
    cr_expect_eq(decide(), 1);
    write_to(path, DEFAULT(2, 0));
    look();
    cr_expect_eq(decide() + decide() + decide(), 2);
}

/* ---- Refusals ---------------------------------------------------------------- */

Test(rules_file, with_a_bad_content_keeps_the_former_rules_and_says_so_once)
{
    open_with(DEFAULT(0, 1));
    write_to(path, "{\n\n!");
    for (int i = 0; i < 5; i++)
        look();
    cr_expect_eq(heard_count, 1);
    cr_expect(strstr(heard, "at line 3; the former rules stay; in ") && strstr(heard, path), "%s",
              heard);
    cr_expect_eq(decide(), 1);
}

Test(rules_file, says_of_each_bad_content_why)
{
    open_with(DEFAULT(0, 1));
    write_to(path, DEFAULT(0, 2));
    look();
    cr_expect(strstr(heard, "default.rate"), "%s", heard);
    write_to(path, DEFAULT(-1, 0));
    look();
    cr_expect(strstr(heard, "default.fixed_target"), "%s", heard);
    cr_expect_eq(heard_count, 2);
    write_to(path, DEFAULT(0, 0));
    look();
    cr_expect_eq(decide(), 0);
    write_to(path, DEFAULT(0, 2));
    look();
    cr_expect_eq(heard_count, 3);
}

Test(rules_file, that_becomes_too_large_keeps_the_former_rules_and_says_so_once)
{
    open_with(DEFAULT(0, 1));
    cr_assert_eq(truncate(path, XR_RULES_TEXT_MAX + 1), 0);
    for (int i = 0; i < 5; i++)
        look();
    cr_expect_eq(heard_count, 1);
    cr_expect(strstr(heard, "1048576 bytes"), "%s", heard);
    cr_expect_eq(decide(), 1);
}

Test(rules_file, that_becomes_a_directory_keeps_the_former_rules_and_says_so_once)
{
    open_with(DEFAULT(0, 1));
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(mkdir(path, 0700), 0);
    for (int i = 0; i < 5; i++)
        look();
    cr_expect_eq(heard_count, 1);
    cr_expect(strstr(heard, "directory"), "%s", heard);
    cr_expect_eq(decide(), 1);
}

static void expect_refused(int error, const char *reason)
{
    xray_sampler made = { .size = sizeof(made) }, before = made;

    heard[0] = '\0';
    cr_expect_eq(xr_sampler_rules_file(&made, path, &logger), error);
    cr_expect(strstr(heard, reason) && strstr(heard, path), "%s", heard);
    cr_expect_eq(memcmp(&made, &before, sizeof(made)), 0);
}

Test(rules_file, that_cannot_be_read_at_first_is_refused)
{
    expect_refused(-ENOENT, "No such file");
    cr_assert_eq(mkdir(path, 0700), 0);
    expect_refused(-EISDIR, "directory");
    cr_assert_eq(rmdir(path), 0);
    cr_assert_eq(mkfifo(path, 0600), 0);
    expect_refused(-EINVAL, "no regular file");
    cr_assert_eq(unlink(path), 0);
    write_to(path, "{\"version\":3}");
    expect_refused(-EINVAL, "version");
    write_to(path, "");
    expect_refused(-EINVAL, "not JSON");
    cr_assert_eq(truncate(path, XR_RULES_TEXT_MAX + 1), 0);
    expect_refused(-EFBIG, "1048576 bytes");
}

Test(rules_file, may_have_one_mebibyte)
{
    char *text = malloc(XR_RULES_TEXT_MAX + 1);
    size_t used = (size_t)sprintf(text, DEFAULT(0, 1));

    memset(text + used, ' ', XR_RULES_TEXT_MAX - used);
    text[XR_RULES_TEXT_MAX] = '\0';
    open_with(text);
    cr_expect_eq(decide(), 1);
    free(text);
}

Test(rules_file, wants_a_path_and_a_sampler)
{
    xray_sampler none = { .size = 0 };

    write_to(path, DEFAULT(0, 1));
    cr_expect_eq(xr_sampler_rules_file(&none, path, &logger), -EINVAL);
    cr_expect_eq(xr_sampler_rules_file(NULL, path, &logger), -EINVAL);
    cr_expect_eq(xr_sampler_rules_file(&sampler, NULL, &logger), -EINVAL);
}

Test(rules_file, says_again_why_when_the_same_bad_content_comes_again)
{
    open_with(DEFAULT(0, 1));
    for (int i = 1; i <= 3; i++) {
        write_to(path, "[]");
        look();
        cr_expect_eq(heard_count, i);
        write_to(path, DEFAULT(0, 1));
        look();
    }
}

/* ---- Threads and forks ------------------------------------------------------- */

static int decided_meanwhile = -1;

static void *decide_elsewhere(void *unused)
{
    xr_rules_file_look(sampler.data, time_ns + XR_NS_PER_S);
    decided_meanwhile = decide();
    return unused;
}

static void decide_while_it_is_read(void *data, int level, const char *message)
{
    pthread_t thread;

    hear(data, level, message);
    cr_assert_eq(pthread_create(&thread, NULL, decide_elsewhere, NULL), 0);
    pthread_join(thread, NULL);
}

Test(rules_file, that_is_read_by_one_thread_keeps_no_other_waiting)
{
    logger.log = decide_while_it_is_read;
    open_with(DEFAULT(0, 1));
    write_to(path, "[]");
    look();
    cr_expect_eq(heard_count, 1);
    cr_expect_eq(decided_meanwhile, 1);
}

static void look_in_a_child(void *data, int level, const char *message)
{
    int status = -1;
    pid_t child = fork();

    hear(data, level, message);
    if (child == 0) {
        /* Forked while a thread looks, which goes on in the parent alone. */
        logger.log = hear;
        sampler.after_fork(sampler.data);
        write_to(path, DEFAULT(0, 0));
        look();
        _exit(decide());
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %d", status);
}

Test(rules_file, is_read_again_in_a_child_that_was_forked_meanwhile)
{
    logger.log = look_in_a_child;
    open_with(DEFAULT(0, 1));
    write_to(path, "[]");
    look();
    cr_expect_eq(heard_count, 1);
    cr_expect_eq(decide(), 1);
}

/* ---- Memory ------------------------------------------------------------------ */

static int64_t allocated;
static int left = 1000000; /* allocations that succeed */

static void *scarce_allocate(void *data, size_t bytes)
{
    (void)data;
    if (left-- <= 0)
        return NULL;
    allocated += (int64_t)bytes;
    return malloc(bytes);
}

static void counting_release(void *data, void *memory, size_t bytes)
{
    (void)data;
    allocated -= (int64_t)bytes;
    free(memory);
}

static const struct xr_allocator scarce = { NULL, scarce_allocate, counting_release };

Test(rules_file, gives_all_memory_back)
{
    int64_t at_first;

    cr_assert(xr_alloc_set(&scarce));
    open_with(DEFAULT(0, 1));
    at_first = allocated;
    for (int i = 0; i < 40; i++) {
        write_to(path, i % 4 == 1 ? "[]" : i % 2 ? DEFAULT(0, 1) : DEFAULT(0, 0));
        look();
    }
    cr_expect_eq(allocated, at_first);
    sampler.destroy(sampler.data);
    sampler.destroy = NULL;
    cr_expect_eq(allocated, 0);
}

Test(rules_file, is_read_later_when_there_is_no_memory)
{
    cr_assert(xr_alloc_set(&scarce));
    open_with(DEFAULT(0, 1));
    write_to(path, DEFAULT(0, 0));
    for (int i = 0; i < 4; i++) {
        left = i;
        look();
        cr_expect_eq(decide(), 1, "with %d", i);
    }
    left = 1000000;
    look();
    cr_expect_eq(decide(), 0);
}

Test(rules_file, reports_that_there_is_no_memory)
{
    write_to(path, DEFAULT(0, 1));
    cr_assert(xr_alloc_set(&scarce));
    for (int i = 0; i < 5; i++) {
        left = i;
        cr_expect_eq(xr_sampler_rules_file(&sampler, path, &logger), -ENOMEM, "with %d", i);
        cr_expect_eq(allocated, 0);
    }
}

/* Any thread may be the one that reads, also one with little stack. */
Test(rules_file, is_not_read_when_it_is_deep)
{
    char deep[300] = "{\"version\":2,\"default\":{\"fixed_target\":0,\"rate\":1},\"more\":";

    memset(deep + strlen(deep), '[', 100);
    memset(deep + strlen(deep), ']', 100);
    strcat(deep, "}");
    open_with(DEFAULT(0, 0));
    write_to(path, deep);
    look();
    cr_expect_eq(decide(), 0);
    cr_expect_not_null(strstr(heard, "nested"), "%s", heard);
}

/* ---- The reader of JSON without memory ------------------------------------------ */

static bool reader_starves;

static void *take_memory(size_t bytes)
{
    if (!reader_starves)
        return malloc(bytes);
    errno = ENOMEM;
    return NULL;
}

static void starve(bool whether)
{
    cJSON_InitHooks(&(cJSON_Hooks){ take_memory, free });
    reader_starves = whether;
}

Test(rules_file, is_read_again_after_its_reader_had_no_memory)
{
    open_with(DEFAULT(0, 0));
    write_to(path, DEFAULT(0, 1));
    starve(true);
    look();
    cr_expect_eq(decide(), 0);
    starve(false);
    look();
    cr_expect_eq(decide(), 1);
}

Test(rules_file, is_no_wrong_document_when_its_reader_has_no_memory)
{
    write_to(path, DEFAULT(0, 1));
    starve(true);
    cr_expect_eq(xr_sampler_rules_file(&sampler, path, &logger), -ENOMEM);
}
