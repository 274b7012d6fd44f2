/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a small real video with ffmpeg and serves it, with HEAD and ranges. */

#include "media.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "http_range.h"
#include "http_server.h"
#include "port.h"
#include "process.h"
#include "util.h"

#define VIDEO_SECONDS     "24"
#define VIDEO_LEAST_BYTES (12 << 20) /* three parts of an upload */
#define FFMPEG_TIMEOUT_MS 300000
#define SLOW_BLOCK        (32 << 10)

struct media {
    struct media_params params;
    char *directory;
    struct http_server *server;
};

/* ---- The test video --------------------------------------------------------------- */

/* Between the program and the output; a constant rate, so that every encoder makes as much. */
/* clang-format off */
static const char *const ffmpeg_arguments[] = {
    "-nostdin", "-y", "-loglevel", "warning",
    "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30",
    "-f", "lavfi", "-i", "sine=frequency=440:beep_factor=4:sample_rate=48000",
    "-t", VIDEO_SECONDS,
    "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p",
    "-b:v", "5500k", "-minrate", "5500k", "-maxrate", "5500k", "-bufsize", "5500k",
    "-x264-params", "nal-hrd=cbr",
    "-c:a", "aac", "-b:a", "128k",
    "-metadata", "title=A test picture with a beep", "-movflags", "+faststart",
};
/* clang-format on */

#define FFMPEG_ARGUMENT_COUNT (sizeof(ffmpeg_arguments) / sizeof(ffmpeg_arguments[0]))

static int run_ffmpeg(const struct media_params *params, const char *output)
{
    char *log_path = text_format("%s/ffmpeg.log", params->log_directory);
    char *path = text_format("PATH=%s", getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin");
    const char *environment[] = { path, "LANG=C.UTF-8", NULL };
    const char *argv[FFMPEG_ARGUMENT_COUNT + 3] = { params->ffmpeg };
    struct process *process = NULL;

    memcpy(argv + 1, ffmpeg_arguments, sizeof(ffmpeg_arguments));
    argv[FFMPEG_ARGUMENT_COUNT + 1] = output;
    int error = process_start(
        &process,
        &(struct process_params){ .argv = argv, .environment = environment, .log_path = log_path });
    if (error) {
        log_error("cannot start %s: %s. Install it (apt-get install ffmpeg) or give its path with "
                  "--ffmpeg",
                  params->ffmpeg, strerror(-error));
    } else if (!process_wait(process, FFMPEG_TIMEOUT_MS) || !process_succeeded(process)) {
        log_error("ffmpeg made no video (%s); its output is in %s", process_outcome(process),
                  log_path);
        error = -EIO;
    }
    process_free(process);
    free(log_path);
    free(path);
    return error;
}

static int make_video(const struct media_params *params)
{
    char *path = text_format("%s/" MEDIA_VIDEO, params->directory);
    char *unfinished = text_format("%s/unfinished.mp4", params->directory);
    struct stat file;
    int error = 0;

    if (stat(path, &file) < 0 || file.st_size < VIDEO_LEAST_BYTES) {
        log_line("making a test video of %s seconds with ffmpeg …", VIDEO_SECONDS);
        error = run_ffmpeg(params, unfinished);
        if (!error && stat(unfinished, &file) == 0 && file.st_size < VIDEO_LEAST_BYTES) {
            log_error("ffmpeg made only %lld bytes of video, expected %d at least",
                      (long long)file.st_size, VIDEO_LEAST_BYTES);
            error = -EIO;
        }
        if (!error && rename(unfinished, path) < 0) {
            error = -errno;
            log_error("cannot write %s: %s", path, strerror(-error));
        }
        if (error)
            unlink(unfinished);
    }
    free(path);
    free(unfinished);
    return error;
}

/* ---- Serving ------------------------------------------------------------------------- */

struct slow_file {
    int fd;
    int64_t first;
    int64_t bytes_per_second;
};

static ssize_t read_slowly(void *data, uint64_t position, char *buf, size_t size)
{
    struct slow_file *file = data;

    if (size > SLOW_BLOCK)
        size = SLOW_BLOCK;
    ssize_t length = pread(file->fd, buf, size, file->first + (int64_t)position);
    if (length <= 0)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    int64_t pause = length * NS_PER_SECOND / file->bytes_per_second;
    nanosleep(&(struct timespec){ pause / NS_PER_SECOND, pause % NS_PER_SECOND }, NULL);
    return length;
}

static void close_slow_file(void *data)
{
    struct slow_file *file = data;

    close(file->fd);
    free(file);
}

static struct MHD_Response *file_response(const struct media *media, int fd,
                                          const struct http_range *range)
{
    if (!media->params.bytes_per_second)
        return MHD_create_response_from_fd_at_offset64((uint64_t)range->length, fd,
                                                       (uint64_t)range->first);
    struct slow_file *file = memory_new(sizeof(*file));
    *file = (struct slow_file){ fd, range->first, media->params.bytes_per_second };
    return MHD_create_response_from_callback((uint64_t)range->length, SLOW_BLOCK, read_slowly, file,
                                             close_slow_file);
}

/* Plain names only: no directories, no hidden files. */
static bool is_plain_name(const char *name)
{
    return *name && *name != '.' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
               strlen(name);
}

static const char *content_type(const char *name)
{
    const char *extension = strrchr(name, '.');

    if (extension && strcmp(extension, ".mp4") == 0)
        return "video/mp4";
    if (extension && strcmp(extension, ".webm") == 0)
        return "video/webm";
    return "application/octet-stream";
}

static void handle(void *data, const struct http_request *request, struct http_reply *reply)
{
    struct media *media = data;
    const char *name = request->path + 1;
    struct stat file;

    if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0) {
        http_reply_text(reply, 405, "text/plain", "only GET and HEAD\n");
        return;
    }
    char *path = text_format("%s/%s", media->directory, name);
    int fd = is_plain_name(name) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    free(path);
    if (fd < 0 || fstat(fd, &file) < 0 || !S_ISREG(file.st_mode)) {
        if (fd >= 0)
            close(fd);
        http_reply_text(reply, 404, "text/plain", "no such video\n");
        return;
    }
    struct http_range range = http_range_of(request, file.st_size);
    if (!http_range_answer(&range, file.st_size, reply)) {
        close(fd);
        return;
    }
    http_reply_header(reply, "Content-Type", content_type(name));
    reply->response = file_response(media, fd, &range);
}

int media_start(struct media **ret, const struct media_params *params)
{
    int error = make_directories(params->directory);

    if (error) {
        log_error("cannot make %s: %s", params->directory, strerror(-error));
        return error;
    }
    error = make_video(params);
    if (error)
        return error;

    struct media *media = memory_new(sizeof(*media));
    media->params = *params;
    media->directory = text_copy(params->directory);
    error = http_server_start(
        &media->server,
        &(struct http_server_params){ .port = port_choose(params->port, "the video server"),
                                      .body_limit = 64 << 10,
                                      .handle = handle,
                                      .data = media });
    if (error) {
        log_error("the video server cannot listen: %s", strerror(-error));
        media_free(media);
        return error;
    }
    *ret = media;
    return 0;
}

uint16_t media_port(const struct media *media)
{
    return http_server_port(media->server);
}

void media_free(struct media *media)
{
    if (!media)
        return;
    http_server_free(media->server);
    free(media->directory);
    free(media);
}
