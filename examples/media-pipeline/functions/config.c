/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/config.h"

#include <errno.h>
#include <stdlib.h>

#define MIB ((int64_t)1024 * 1024)

/* S3 takes parts up to 5 GiB, but one is held in memory. */
#define MAX_PART_MIB 512

/* S3's largest object. */
#define MAX_FILE_MIB (5L * 1024 * 1024)

static const char *variable(const char *name, const char *fallback)
{
    const char *value = getenv(name);
    return value && *value ? value : fallback;
}

static int read_number(const char *name, const char *fallback, long smallest, long largest,
                       int64_t *ret, struct failure *failure)
{
    const char *text = variable(name, fallback);
    char *end;
    errno = 0;
    long number = strtol(text, &end, 10);
    if (errno || *end || number < smallest || number > largest)
        return failure_set(failure, -EINVAL, "Runtime.BadConfiguration",
                           "%s is \"%s\": it should be a number from %ld to %ld", name, text,
                           smallest, largest);
    *ret = number;
    return 0;
}

int config_read(struct config *ret, const char *const *required, struct failure *failure)
{
    for (; *required; required++)
        if (!*variable(*required, ""))
            return failure_set(failure, -EINVAL, "Runtime.MissingConfiguration",
                               "%s is not set: set it in the function's environment", *required);
    struct config config = {
        .files_table = variable("FILES_TABLE", ""),
        .user_files_table = variable("USER_FILES_TABLE", ""),
        .devices_table = variable("DEVICES_TABLE", ""),
        .user_devices_table = variable("USER_DEVICES_TABLE", ""),
        .api_tokens_table = variable("API_TOKENS_TABLE", ""),
        .bucket = variable("BUCKET", ""),
        .platform_application_arn = variable("PLATFORM_APPLICATION_ARN", ""),
        .file_url_base = variable("FILE_URL_BASE", ""),
        .media_hosts = variable("MEDIA_HOSTS", ""),
        .ytdlp_path = variable("YTDLP_PATH", "yt-dlp"),
        .js_runtime = variable("JS_RUNTIME", ""),
        .ffmpeg_location = variable("FFMPEG_LOCATION", ""),
        .cookies_file = variable("COOKIES_FILE", ""),
        .start_file_upload_function = variable("START_FILE_UPLOAD_FUNCTION", "StartFileUpload"),
        .file_coordinator_function = variable("FILE_COORDINATOR_FUNCTION", "FileCoordinator"),
        .download_directory = variable("DOWNLOAD_DIRECTORY", variable("TMPDIR", "/tmp")),
        .github = { variable("GITHUB_REPOSITORY", ""), variable("GITHUB_TOKEN", ""),
                    variable("GITHUB_API_URL", "https://api.github.com") },
    };
    int64_t part_mib = 0, max_file_mib = 0;
    int result = read_number("PART_SIZE_MIB", "5", 5, MAX_PART_MIB, &part_mib, failure);
    if (result == 0)
        result = read_number("MAX_FILE_MIB", "0", 0, MAX_FILE_MIB, &max_file_mib, failure);
    if (result == 0)
        result = read_number("MAX_DOWNLOADS", "10", 1, 1000, &config.max_downloads, failure);
    if (result < 0)
        return result;
    config.part_bytes = part_mib * MIB;
    config.max_file_bytes = max_file_mib * MIB;
    *ret = config;
    return 0;
}
