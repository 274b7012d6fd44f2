/* SPDX-License-Identifier: Apache-2.0 */
#include "media/workspace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PREFIX "media-pipeline."

/* yt-dlp makes plain files and at most a directory or two. */
#define MAX_DEPTH 8

/* Another process that looks for stale ones can take a new one for such. */
#define MAX_TRIES 16

static void remove_inside(int directory, int depth)
{
    DIR *entries = fdopendir(directory);
    if (!entries) {
        close(directory);
        return;
    }
    for (struct dirent *entry; (entry = readdir(entries));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (unlinkat(directory, entry->d_name, 0) == 0 || (errno != EISDIR && errno != EPERM))
            continue;
        int inner = openat(directory, entry->d_name,
                           O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (inner < 0)
            continue;
        if (depth < MAX_DEPTH)
            remove_inside(inner, depth + 1);
        else
            close(inner);
        unlinkat(directory, entry->d_name, AT_REMOVEDIR);
    }
    closedir(entries);
}

void workspace_remove(const char *path)
{
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory >= 0)
        remove_inside(directory, 0);
    rmdir(path);
}

/* Whoever uses one holds its lock, and a process that dies gives it back. */
static void remove_if_stale(const char *path)
{
    struct stat about;
    int lock = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (lock < 0)
        return;
    if (fstat(lock, &about) == 0 && about.st_uid == geteuid() &&
        flock(lock, LOCK_EX | LOCK_NB) == 0)
        workspace_remove(path);
    close(lock);
}

static void remove_stale(const char *parent)
{
    DIR *entries = opendir(parent);
    if (!entries)
        return;
    for (struct dirent *entry; (entry = readdir(entries));) {
        char path[512];
        if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) == 0 &&
            snprintf(path, sizeof(path), "%s/%s", parent, entry->d_name) < (int)sizeof(path))
            remove_if_stale(path);
    }
    closedir(entries);
}

/* 0; -EAGAIN when it was taken for a stale one before it was locked; else -errno. */
static int make(struct workspace *workspace, const char *parent, struct failure *failure)
{
    struct stat about;
    if (snprintf(workspace->path, sizeof(workspace->path), "%s/" PREFIX "XXXXXX", parent) >=
        (int)sizeof(workspace->path))
        return failure_set(failure, -ENAMETOOLONG, "NoWorkspace",
                           "DOWNLOAD_DIRECTORY is too long a path");
    if (!mkdtemp(workspace->path))
        return failure_set(failure, -errno, "NoWorkspace",
                           "cannot make a directory in %s (%s): set DOWNLOAD_DIRECTORY", parent,
                           strerror(errno));
    workspace->lock = open(workspace->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (workspace->lock >= 0 && flock(workspace->lock, LOCK_EX | LOCK_NB) == 0 &&
        stat(workspace->path, &about) == 0)
        return 0;
    bool was_taken = errno == ENOENT || errno == EWOULDBLOCK;
    int result = failure_set(failure, was_taken ? -EAGAIN : -errno, "NoWorkspace",
                             "cannot lock %s: %s", workspace->path, strerror(errno));
    workspace_close(workspace);
    return result;
}

int workspace_open(struct workspace *ret, const char *parent, struct failure *failure)
{
    struct workspace workspace = { .lock = -1 };
    remove_stale(parent);
    int result = -EAGAIN;
    for (int tries = 0; result == -EAGAIN && tries < MAX_TRIES; tries++)
        result = make(&workspace, parent, failure);
    if (result == 0)
        *ret = workspace;
    return result;
}

void workspace_close(struct workspace *workspace)
{
    if (workspace->path[0])
        workspace_remove(workspace->path);
    if (workspace->path[0] && workspace->lock >= 0)
        close(workspace->lock);
    workspace->path[0] = '\0';
    workspace->lock = -1;
}

int64_t workspace_room(const char *path)
{
    struct statvfs about;
    if (statvfs(path, &about) < 0)
        return -errno;
    return (int64_t)(about.f_bavail * about.f_frsize);
}
