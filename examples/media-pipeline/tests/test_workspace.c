/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "media/workspace.h"

static char parent[64];
static struct failure failure;

static void begin(void)
{
    snprintf(parent, sizeof(parent), "/tmp/workspace-test.XXXXXX");
    cr_assert(mkdtemp(parent));
}

static void end(void)
{
    cr_expect_eq(rmdir(parent), 0, "%s is not empty", parent);
}

static void write_file(const char *directory, const char *name)
{
    char path[1024];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    cr_assert_geq(file, 0, "%s", path);
    close(file);
}

TestSuite(workspace, .init = begin, .fini = end);

Test(workspace, is_removed_with_everything_in_it)
{
    struct workspace workspace;
    char inner[1024];
    cr_assert_eq(workspace_open(&workspace, parent, &failure), 0);
    write_file(workspace.path, "media.mp4.part");
    snprintf(inner, sizeof(inner), "%s/directory", workspace.path);
    cr_assert_eq(mkdir(inner, 0700), 0);
    write_file(inner, ".hidden");
    workspace_close(&workspace);
    cr_assert_lt(access(inner, F_OK), 0);
}

Test(workspace, does_not_follow_a_link_out_of_it)
{
    struct workspace workspace;
    char outside[] = "/tmp/workspace-outside.XXXXXX", link[1024], kept[128];
    cr_assert(mkdtemp(outside));
    write_file(outside, "kept");
    cr_assert_eq(workspace_open(&workspace, parent, &failure), 0);
    snprintf(link, sizeof(link), "%s/link", workspace.path);
    cr_assert_eq(symlink(outside, link), 0);
    workspace_close(&workspace);
    snprintf(kept, sizeof(kept), "%s/kept", outside);
    cr_expect_eq(unlink(kept), 0);
    rmdir(outside);
}

Test(workspace, leaves_one_that_is_in_use)
{
    struct workspace first, second;
    cr_assert_eq(workspace_open(&first, parent, &failure), 0);
    cr_assert_eq(workspace_open(&second, parent, &failure), 0);
    cr_expect_eq(access(first.path, F_OK), 0);
    cr_expect_str_neq(first.path, second.path);
    workspace_close(&first);
    workspace_close(&second);
}

static void path_in_parent(char *ret, size_t size, const char *name)
{
    snprintf(ret, size, "%s/%s", parent, name);
}

Test(workspace, takes_away_what_a_run_that_crashed_has_left)
{
    struct workspace workspace;
    char stale[128];
    path_in_parent(stale, sizeof(stale), "media-pipeline.crash1");
    cr_assert_eq(mkdir(stale, 0700), 0);
    write_file(stale, "media.mp4.part");
    cr_assert_eq(workspace_open(&workspace, parent, &failure), 0);
    cr_expect_lt(access(stale, F_OK), 0);
    workspace_close(&workspace);
}

Test(workspace, leaves_what_is_not_ours)
{
    struct workspace workspace;
    char other[128], link[128], outside[] = "/tmp/workspace-outside.XXXXXX";
    cr_assert(mkdtemp(outside));
    write_file(outside, "kept");
    path_in_parent(other, sizeof(other), "somebody-elses");
    path_in_parent(link, sizeof(link), "media-pipeline.link");
    cr_assert_eq(mkdir(other, 0700), 0);
    cr_assert_eq(symlink(outside, link), 0);
    cr_assert_eq(workspace_open(&workspace, parent, &failure), 0);
    workspace_close(&workspace);
    cr_expect_eq(rmdir(other), 0);
    cr_expect_eq(unlink(link), 0);
    snprintf(other, sizeof(other), "%s/kept", outside);
    cr_expect_eq(unlink(other), 0);
    cr_expect_eq(rmdir(outside), 0);
}

Test(workspace, of_a_process_that_was_killed_is_taken_away)
{
    struct workspace workspace;
    int pipes[2];
    char path[512] = "";
    cr_assert_eq(pipe(pipes), 0);
    pid_t process = fork();
    if (process == 0) {
        if (workspace_open(&workspace, parent, &failure) == 0)
            cr_assert_gt(write(pipes[1], workspace.path, sizeof(workspace.path)), 0);
        pause();
    }
    cr_assert_gt(read(pipes[0], path, sizeof(path) - 1), 0);
    cr_expect_eq(access(path, F_OK), 0);
    kill(process, SIGKILL);
    waitpid(process, NULL, 0);
    cr_assert_eq(workspace_open(&workspace, parent, &failure), 0);
    cr_expect_lt(access(path, F_OK), 0);
    workspace_close(&workspace);
}

Test(workspace, is_there_for_each_of_many_at_once)
{
    pid_t processes[8];
    for (int i = 0; i < 8; i++) {
        processes[i] = fork();
        if (processes[i] != 0)
            continue;
        for (int round = 0; round < 50; round++) {
            struct workspace workspace;
            if (workspace_open(&workspace, parent, &failure) < 0 ||
                access(workspace.path, F_OK) < 0)
                _exit(1);
            workspace_close(&workspace);
        }
        _exit(0);
    }
    for (int i = 0; i < 8; i++) {
        int status = 1;
        waitpid(processes[i], &status, 0);
        cr_expect_eq(status, 0);
    }
}

Test(workspace, knows_how_much_room_there_is)
{
    cr_expect_gt(workspace_room(parent), 0);
    cr_expect_eq(workspace_room("/nonexistent"), -ENOENT);
}

Test(workspace, cannot_be_made_where_there_is_no_directory)
{
    struct workspace workspace;
    cr_expect_eq(workspace_open(&workspace, "/nonexistent", &failure), -ENOENT);
    cr_expect(strstr(failure.message, "DOWNLOAD_DIRECTORY"));
}
