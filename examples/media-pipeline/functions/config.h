/* SPDX-License-Identifier: Apache-2.0 */
/* What the environment tells the functions. Read once, when a process begins. */
#ifndef PIPELINE_FUNCTIONS_CONFIG_H
#define PIPELINE_FUNCTIONS_CONFIG_H

#include <stdint.h>

#include "media/github_issue.h"
#include "runtime/failure.h"

/* Text belongs to the environment; "" when not set. */
struct config {
    const char *files_table;
    const char *user_files_table;
    const char *devices_table;
    const char *user_devices_table;
    const char *api_tokens_table;
    const char *bucket;
    const char *platform_application_arn;
    const char *file_url_base;
    const char *media_hosts;
    const char *ytdlp_path;
    const char *js_runtime;      /* "quickjs:/opt/bin/qjs" */
    const char *ffmpeg_location; /* of the program, or of its directory */
    const char *cookies_file;    /* of a browser, for yt-dlp */
    const char *start_file_upload_function;
    const char *file_coordinator_function;
    const char *download_directory;
    struct github_config github;
    int64_t part_bytes;
    int64_t max_file_bytes; /* 0: as much as there is room for */
    int64_t max_downloads;  /* under way at once, when the schedule starts more */
};

/* required: names of variables that must be set, ended by NULL. 0, or -EINVAL with *failure set. */
int config_read(struct config *ret, const char *const *required, struct failure *failure);

#endif /* PIPELINE_FUNCTIONS_CONFIG_H */
