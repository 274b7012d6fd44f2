/* SPDX-License-Identifier: Apache-2.0 */
/* A directory for one download, removed with everything in it. What a process that died left
 * behind is removed too: a warm Lambda environment keeps its /tmp. */
#ifndef PIPELINE_MEDIA_WORKSPACE_H
#define PIPELINE_MEDIA_WORKSPACE_H

#include <stdint.h>

#include "runtime/failure.h"

struct workspace {
    char path[512]; /* "" when there is none */
    int lock;
};

/* Makes one in parent. 0 or -errno with *failure set. */
int workspace_open(struct workspace *ret, const char *parent, struct failure *failure);

/* Bytes that can still be written in a directory, or -errno. */
int64_t workspace_room(const char *path);

/* Removes a directory with everything in it; links are not followed. */
void workspace_remove(const char *path);

void workspace_close(struct workspace *workspace);

#endif /* PIPELINE_MEDIA_WORKSPACE_H */
