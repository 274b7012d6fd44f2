/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration that is text, or a file. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sampling/adaptive.h"

static char directory[64], path[96], said[XR_ADAPTIVE_REASON_SIZE];

static void set_up(void)
{
    strcpy(directory, "/tmp/adaptive-XXXXXX");
    cr_assert(mkdtemp(directory));
    cr_assert_eq(chdir(directory), 0);
}

static void tear_down(void)
{
    unlink(path);
    rmdir(path);
    rmdir(directory);
}

TestSuite(adaptive_read, .init = set_up, .fini = tear_down);

static void make_file(const char *name, const char *text, size_t length)
{
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    file = fopen(path, "w");
    cr_assert(file);
    cr_assert_eq(fwrite(text, 1, length, file), length);
    fclose(file);
}

/* The traces a second that it gives, or the error. */
static double read_one(const char *text_or_path)
{
    struct xr_adaptive *adaptive = NULL;
    int r = xr_adaptive_read(&adaptive, text_or_path, said, sizeof(said));
    double result = r < 0 ? r : xr_adaptive_traces_per_second(adaptive);

    cr_expect_eq(r < 0, adaptive == NULL);
    xr_adaptive_free(adaptive);
    return result;
}

#define LIMIT(n) "version: 1.0\nanomalyCaptureLimit:\n  anomalyTracesPerSecond: " #n "\n"

Test(adaptive_read, takes_text)
{
    cr_expect_eq(read_one(LIMIT(7)), 7);
    cr_expect_eq(read_one("version: 1.0"), 1);
    cr_expect_eq(read_one("{version: 1.0, anomalyCaptureLimit: {anomalyTracesPerSecond: 3}}"), 3);
}

Test(adaptive_read, takes_a_path_by_its_ending_or_because_it_is_there)
{
    static const char *const names[] = { "a.yaml", "a.yml", "a.json", "a" };

    for (int i = 0; i < 4; i++) {
        make_file(names[i], LIMIT(5), strlen(LIMIT(5)));
        cr_expect_eq(read_one(path), 5, "%s: %s", names[i], said);
        cr_expect_eq(read_one(names[i]), 5, "%s: %s", names[i], said);
        unlink(path);
    }
}

Test(adaptive_read, takes_what_looks_like_text_for_text_even_if_there_is_a_file)
{
    make_file("{version: 1.0}", LIMIT(5), strlen(LIMIT(5)));
    cr_expect_eq(read_one("{version: 1.0}"), 1);
}

Test(adaptive_read, names_a_file_that_is_not_there)
{
    cr_expect_eq(read_one("nothing.yaml"), -ENOENT);
    cr_expect_str_eq(said, "the file nothing.yaml cannot be read: No such file or directory");
}

Test(adaptive_read, does_not_wait_for_what_is_no_file)
{
    snprintf(path, sizeof(path), "%s/pipe", directory);
    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_expect_eq(read_one(path), -EINVAL);
    cr_expect(strstr(said, "it is not a regular file"), "%s", said);
}

Test(adaptive_read, refuses_a_directory)
{
    cr_expect_eq(read_one("/tmp"), -EISDIR);
    cr_expect_str_eq(said, "the file /tmp cannot be read: Is a directory");
}

Test(adaptive_read, refuses_a_file_with_a_nul)
{
    make_file("a", "version: 1.0\0nothing", 20);
    cr_expect_eq(read_one("a"), -EINVAL);
    cr_expect_str_eq(said, "the file a holds a NUL: write it as UTF-8");
}

Test(adaptive_read, bounds_the_size_of_a_file)
{
    char *text = malloc(XR_ADAPTIVE_TEXT_MAX + 1);

    memset(text, ' ', XR_ADAPTIVE_TEXT_MAX + 1);
    memcpy(text, "version: 1", 10);
    make_file("a", text, XR_ADAPTIVE_TEXT_MAX + 1);
    cr_expect_eq(read_one("a"), -EINVAL);
    cr_expect(strstr(said, "longer than 65536 bytes"), "%s", said);
    make_file("a", text, XR_ADAPTIVE_TEXT_MAX);
    cr_expect_eq(read_one("a"), 1, "%s", said);
    free(text);
}

Test(adaptive_read, says_what_is_wrong_in_a_file)
{
    make_file("a.yaml", "version: 1.0\nb: 1", 17);
    cr_expect_eq(read_one("a.yaml"), -EINVAL);
    cr_expect_eq(strncmp(said, "line 2: b is unknown", 20), 0, "%s", said);
}
