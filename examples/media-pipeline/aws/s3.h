/* SPDX-License-Identifier: Apache-2.0 */
/* The S3 operations of a multipart upload. Functions return 0 or -errno with *failure set. */
#ifndef PIPELINE_AWS_S3_H
#define PIPELINE_AWS_S3_H

#include <stddef.h>
#include <stdint.h>

#include "aws/client.h"

struct s3_object {
    const char *bucket;
    const char *key;
};

#define S3_ETAG_SIZE 80
struct s3_part {
    char etag[S3_ETAG_SIZE];
};

/* S3's limit for the number of parts. */
#define S3_MAX_PARTS 10000

/* The caller frees *ret_upload_id. */
int s3_create_multipart_upload(struct aws *aws, const struct s3_object *object,
                               const char *content_type, char **ret_upload_id,
                               struct failure *failure);

/* number counts from 1. */
int s3_upload_part(struct aws *aws, const struct s3_object *object, const char *upload_id,
                   int number, const void *bytes, size_t length, struct s3_part *ret,
                   struct failure *failure);

int s3_complete_multipart_upload(struct aws *aws, const struct s3_object *object,
                                 const char *upload_id, const struct s3_part *parts, int count,
                                 struct failure *failure);

int s3_abort_multipart_upload(struct aws *aws, const struct s3_object *object,
                              const char *upload_id, struct failure *failure);

/*
 * An upload that is open, of an object whose key begins with prefix. Both are
 * NULL when there is none; the caller frees them.
 */
int s3_find_upload(struct aws *aws, const char *bucket, const char *prefix, char **ret_key,
                   char **ret_upload_id, struct failure *failure);

int s3_head_object(struct aws *aws, const struct s3_object *object, int64_t *ret_size,
                   struct failure *failure);

int s3_delete_object(struct aws *aws, const struct s3_object *object, struct failure *failure);

#endif /* PIPELINE_AWS_S3_H */
