/* SPDX-License-Identifier: Apache-2.0 */
#include "media/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/cleanup.h"
#include "runtime/clock.h"
#include "runtime/log.h"
#include "runtime/stop.h"

/* Of one file: each holder of the lease that dies leaves one. */
#define MAX_ABANDONED 20

/* Past its deadline an upload may still take this long to end, and to take back what is there. */
#define CLEAN_UP_MS ((int64_t)4000)

struct transfer {
    struct aws *aws;
    const struct s3_object *object;
    const char *upload_id;
    int file;
    int64_t size;
    int64_t part_size;
    int64_t deadline_ms;
    int count;
    struct s3_part *parts;
};

int64_t upload_part_size(int64_t file_size, int64_t wanted)
{
    int64_t smallest = (file_size + S3_MAX_PARTS - 1) / S3_MAX_PARTS;
    int64_t size = wanted > UPLOAD_MIN_PART_BYTES ? wanted : UPLOAD_MIN_PART_BYTES;
    return size > smallest ? size : smallest;
}

static int read_part(const struct transfer *transfer, int64_t offset, char *buffer, size_t length,
                     struct failure *failure)
{
    for (size_t done = 0; done < length;) {
        ssize_t count = pread(transfer->file, buffer + done, length - done,
                              (off_t)(offset + (int64_t)done));
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return failure_set(failure, -errno, "ReadFailed", "cannot read the download: %s",
                               strerror(errno));
        if (count == 0)
            return failure_set(failure, -EIO, "FileChanged", "the download became shorter");
        done += (size_t)count;
    }
    return 0;
}

/* A call that hangs must not take the time that is for telling that it did. */
static int check_time(const struct transfer *transfer, struct failure *failure)
{
    aws_limit(transfer->aws, AWS_S3, transfer->deadline_ms - clock_now_ms());
    if (stop_requested())
        return failure_set(failure, -ECANCELED, "Stopped", "told to stop during the upload");
    if (clock_now_ms() >= transfer->deadline_ms)
        return failure_set(failure, -ETIMEDOUT, "Deadline",
                           "the upload did not end within the function's time");
    return 0;
}

static int upload_parts(struct transfer *transfer, struct failure *failure)
{
    AUTO_FREE char *buffer = malloc((size_t)transfer->part_size);
    if (!buffer)
        return failure_set(failure, -ENOMEM, "OutOfMemory", "out of memory for a part");
    for (int64_t offset = 0; offset < transfer->size; offset += transfer->part_size) {
        int64_t left = transfer->size - offset;
        size_t length = (size_t)(left < transfer->part_size ? left : transfer->part_size);
        int result = check_time(transfer, failure);
        if (result == 0)
            result = read_part(transfer, offset, buffer, length, failure);
        if (result == 0)
            result = s3_upload_part(transfer->aws, transfer->object, transfer->upload_id,
                                    transfer->count + 1, buffer, length,
                                    &transfer->parts[transfer->count], failure);
        if (result < 0)
            return result;
        transfer->count++;
    }
    return 0;
}

/* The file must still be what was uploaded, and S3 must have all of it. */
static int finish(const struct transfer *transfer, struct failure *failure)
{
    struct stat about;
    if (fstat(transfer->file, &about) < 0 || about.st_size != transfer->size)
        return failure_set(failure, -EIO, "FileChanged", "the download changed while uploading");
    int result = check_time(transfer, failure);
    return result < 0
               ? result
               : s3_complete_multipart_upload(transfer->aws, transfer->object, transfer->upload_id,
                                              transfer->parts, transfer->count, failure);
}

/* True when there is no such upload any more: whatever was said, completing it has worked. */
static bool give_up(const struct transfer *transfer)
{
    struct failure failure;
    aws_limit(transfer->aws, AWS_S3, transfer->deadline_ms + CLEAN_UP_MS - clock_now_ms());
    if (s3_abort_multipart_upload(transfer->aws, transfer->object, transfer->upload_id, &failure) ==
        0)
        return false;
    if (strcmp(failure.type, "NoSuchUpload") == 0)
        return true;
    log_write(LOG_WARNING, NULL,
              "an upload stays open until the bucket's lifecycle rule ends it: %s",
              failure.message);
    return false;
}

static int check_object(const struct transfer *transfer, struct failure *failure)
{
    int64_t size = 0;
    int result = s3_head_object(transfer->aws, transfer->object, &size, failure);
    if (result == 0 && size != transfer->size)
        result = failure_set(failure, -EIO, "SizeDiffers",
                             "the object has %lld bytes and the download %lld", (long long)size,
                             (long long)transfer->size);
    if (result < 0 && s3_delete_object(transfer->aws, transfer->object, NULL) < 0)
        log_write(LOG_WARNING, NULL, "an object that could not be checked was left in S3");
    return result;
}

static int transfer_file(struct transfer *transfer, const char *content_type,
                         struct failure *failure)
{
    AUTO_FREE char *upload_id = NULL;
    int result = check_time(transfer, failure);
    if (result == 0)
        result = s3_create_multipart_upload(transfer->aws, transfer->object, content_type,
                                            &upload_id, failure);
    if (result < 0)
        return result;
    transfer->upload_id = upload_id;
    result = upload_parts(transfer, failure);
    bool is_sent = result == 0;
    if (is_sent)
        result = finish(transfer, failure);
    /* An answer can get lost, and then a repetition finds nothing: the object decides. */
    if (result < 0 && !(give_up(transfer) && is_sent))
        return result;
    return check_object(transfer, failure);
}

int upload_file(struct aws *aws, const struct upload_params *params, struct upload *ret,
                struct failure *failure)
{
    struct stat about;
    int file = open(params->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0 || fstat(file, &about) < 0 || about.st_size <= 0) {
        int result = failure_set(failure, file < 0 ? -errno : -EIO, "ReadFailed",
                                 "the download cannot be opened, or is empty");
        if (file >= 0)
            close(file);
        return result;
    }
    struct transfer transfer = {
        .aws = aws,
        .object = &params->object,
        .file = file,
        .size = about.st_size,
        .part_size = upload_part_size(about.st_size, params->part_size),
        .deadline_ms = params->deadline_ms,
    };
    size_t count = (size_t)((transfer.size + transfer.part_size - 1) / transfer.part_size);
    transfer.parts = calloc(count, sizeof(*transfer.parts));
    int result = transfer.parts ? transfer_file(&transfer, params->content_type, failure)
                                : failure_set(failure, -ENOMEM, "OutOfMemory",
                                              "out of memory for the list of parts");
    free(transfer.parts);
    close(file);
    if (result == 0) {
        ret->bytes = transfer.size;
        ret->parts = transfer.count;
    }
    return result;
}

void upload_abort_abandoned(struct aws *aws, const char *bucket, const char *prefix)
{
    struct failure failure = { 0 };
    int result = 0;
    for (int i = 0; i < MAX_ABANDONED && result == 0; i++) {
        AUTO_FREE char *key = NULL;
        AUTO_FREE char *upload_id = NULL;
        result = s3_find_upload(aws, bucket, prefix, &key, &upload_id, &failure);
        if (result == 0 && !key)
            return;
        if (result == 0)
            result = s3_abort_multipart_upload(aws, &(struct s3_object){ bucket, key }, upload_id,
                                               &failure);
    }
    log_write(LOG_WARNING, NULL, "an abandoned upload may stay open: %s",
              result < 0 ? failure.message : "there are too many");
}
