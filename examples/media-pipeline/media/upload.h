/* SPDX-License-Identifier: Apache-2.0 */
/* A file into S3, part by part: all of it or nothing. */
#ifndef PIPELINE_MEDIA_UPLOAD_H
#define PIPELINE_MEDIA_UPLOAD_H

#include <stdint.h>

#include "aws/s3.h"

/* S3's smallest part, the last one excepted. */
#define UPLOAD_MIN_PART_BYTES ((int64_t)5 * 1024 * 1024)

struct upload {
    int64_t bytes;
    int parts;
};

struct upload_params {
    const char *path; /* of the file */
    struct s3_object object;
    const char *content_type;
    int64_t part_size;   /* bytes; parts are larger when there would be too many */
    int64_t deadline_ms; /* Unix time */
};

/*
 * On failure, at the deadline, or when told to stop, nothing is left in S3.
 * 0 or -errno with *failure set; -ECANCELED when stopped.
 */
int upload_file(struct aws *aws, const struct upload_params *params, struct upload *ret,
                struct failure *failure);

/*
 * Aborts what somebody who died has left open for objects whose key begins with
 * prefix. What cannot be aborted is logged: the bucket's lifecycle rule ends it.
 */
void upload_abort_abandoned(struct aws *aws, const char *bucket, const char *prefix);

/* The size of a part for a file of this size. */
int64_t upload_part_size(int64_t file_size, int64_t wanted);

#endif /* PIPELINE_MEDIA_UPLOAD_H */
