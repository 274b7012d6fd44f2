/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

Test(workspace, cannot_be_made_where_there_is_no_directory)
{
    struct workspace workspace;
    cr_expect_eq(workspace_open(&workspace, "/nonexistent", &failure), -ENOENT);
    cr_expect(strstr(failure.message, "DOWNLOAD_DIRECTORY"));
}
