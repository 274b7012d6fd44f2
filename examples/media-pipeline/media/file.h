/* SPDX-License-Identifier: Apache-2.0 */
/* An item of the Files table and its way through the pipeline. Every step is a conditional
 * update: whoever comes second with an old view of the item changes nothing. */
#ifndef PIPELINE_MEDIA_FILE_H
#define PIPELINE_MEDIA_FILE_H

#include <stdint.h>

#include "aws/dynamodb.h"
#include "media/problem.h"
#include "media/video.h"

enum file_status {
    FILE_ABSENT,
    FILE_PENDING_METADATA,
    FILE_PENDING_DOWNLOAD,
    FILE_DOWNLOADING,
    FILE_DOWNLOADED,
    FILE_SCHEDULED,
    FILE_FAILED,
    FILE_UNKNOWN, /* somebody else's; it is left alone */
};

const char *file_status_name(enum file_status status);

/* An item as it was seen, and as far as conditions depend on it. */
struct file {
    char id[24];
    enum file_status status;
    int64_t lease_until; /* Unix ms; 0 when nobody works on it */
    int64_t retry_after; /* Unix ms; 0 when there is none */
    int64_t retry_count;
    cJSON *item; /* all of it, as last read or written; NULL when absent */
};

void file_release(struct file *file);
#define AUTO_FILE __attribute__((__cleanup__(file_release)))

/* From an item of the table (taken over). False for one without a usable id. */
bool file_from_item(struct file *ret, cJSON *item);

/*
 * Whether StartFileUpload may work on it now: it waits, or its holder died. A
 * file that is Downloaded keeps its lease until everybody was told.
 */
bool file_is_due(const struct file *file, int64_t now_ms);

/* Whether somebody works on it. */
bool file_is_under_way(const struct file *file, int64_t now_ms);

/* ---- The table ------------------------------------------------------------------ */

struct file_table {
    struct aws *aws;
    const char *name;
};

/* All return 0 or -errno with *failure set; -EAGAIN when somebody else was quicker. */

int file_read(const struct file_table *table, const char *id, struct file *ret,
              struct failure *failure);

/* Somebody wants it: absent or Failed → PendingMetadata, with a fresh count of retries. */
int file_request(const struct file_table *table, struct file *file, const char *source_url,
                 const char *correlation_id, int64_t now_ms, struct failure *failure);

/*
 * Takes it for work until lease_until. A lease that ran out counts as a retry:
 * its holder died. -ECANCELED when that has happened too often.
 */
int file_claim(const struct file_table *table, struct file *file, int64_t lease_until,
               int64_t now_ms, struct failure *failure);

/* The steps of whoever holds the lease. */
int file_describe(const struct file_table *table, struct file *file, const struct video *video,
                  int64_t now_ms, struct failure *failure);
int file_begin_download(const struct file_table *table, struct file *file, int64_t now_ms,
                        struct failure *failure);

struct file_object {
    const char *key;
    const char *url;
    const char *content_type;
    int64_t size;
};
/* Downloaded, and still held: file_release_lease() comes after the messages. */
int file_finish(const struct file_table *table, struct file *file, const struct file_object *object,
                int64_t now_ms, struct failure *failure);

/* Everybody was told of a file that is Downloaded, or nobody can be. */
int file_release_lease(const struct file_table *table, struct file *file, int64_t now_ms,
                       struct failure *failure);

/* Scheduled for another try where the problem allows it, else Failed. */
int file_give_up(const struct file_table *table, struct file *file, const struct problem *problem,
                 int64_t now_ms, struct failure *failure);

/* ---- What others see ---------------------------------------------------------------- */

/* For the list of files: everything about the video, nothing about our work. */
cJSON *file_to_json(const cJSON *item);

/* The message of a push, with one member for each protocol; NULL when the item lacks something. */
char *file_notification(const cJSON *item);

#endif /* PIPELINE_MEDIA_FILE_H */
