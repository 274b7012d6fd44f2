/* SPDX-License-Identifier: Apache-2.0 */
/* Tells phones that a file is there. One device that cannot be reached does not stop the others. */
#ifndef PIPELINE_MEDIA_PUSH_H
#define PIPELINE_MEDIA_PUSH_H

#include <stdint.h>

#include <cjson/cJSON.h>

#include "aws/client.h"

struct push_tables {
    struct aws *aws;
    const char *user_files;
    const char *user_devices;
    const char *devices;
};

struct push_counts {
    int sent;
    int failed;
};

/* To every device of every user who asked for the item of the Files table. */
int push_to_all(const struct push_tables *tables, const cJSON *item, int64_t deadline_ms,
                struct push_counts *ret, struct failure *failure);

/* To every device of one user. */
int push_to_user(const struct push_tables *tables, const cJSON *item, const char *user_id,
                 int64_t deadline_ms, struct push_counts *ret, struct failure *failure);

#endif /* PIPELINE_MEDIA_PUSH_H */
