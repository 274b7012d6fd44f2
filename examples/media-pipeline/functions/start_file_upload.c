/* SPDX-License-Identifier: Apache-2.0 */
/* The long one: takes the lease of a file, has yt-dlp describe and download it, uploads it,
 * and tells everybody who asked. A failure ends in the item, so that Lambda does not repeat it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "functions/functions.h"
#include "media/source.h"
#include "media/upload.h"
#include "media/workspace.h"
#include "media/ytdlp.h"
#include "runtime/clock.h"
#include "runtime/log.h"

/* At the end of the time there is still to kill, to abort, to write down and to answer. */
#define MIN_CLEAN_UP_MS ((int64_t)2000)
#define MAX_CLEAN_UP_MS ((int64_t)10000)

/* A lease that outlives its holder by this cannot be taken while the holder still writes. */
#define LEASE_RESERVE_MS ((int64_t)5000)

#define PROGRESS_EVERY_MS ((int64_t)2000)

struct job {
    struct pipeline *pipeline;
    struct invocation *invocation;
    struct file_table table;
    struct file *file;
    struct source source;
    int64_t deadline_ms; /* of the work itself */
    char key[64];
    struct upload upload;
    struct problem problem;
    struct failure failure; /* of what is ours: the table */
};

/* ---- Pieces of the work ------------------------------------------------------------- */

static void record_problem(struct job *job, xray_segment *segment)
{
    struct failure failure;
    failure_set(&failure, 0, problem_name(job->problem.class), "%s", job->problem.message);
    failure.caller = problem_is_of_caller(job->problem.class);
    failure_record(&failure, segment);
    xray_annotate(segment, "error_category", problem_name(job->problem.class));
    xray_add_metadata(segment, "media", "error", job->problem.message);
}

static int describe(struct job *job, const struct ytdlp *ytdlp, struct video *ret)
{
    char host[256] = "YouTube";
    struct text json = { 0 };
    xray_segment *segment = xray_begin_subsegment("yt-dlp metadata");
    xray_annotate(segment, "video_id", job->file->id);
    xray_send_in_progress(segment);
    if (!job->source.is_youtube)
        source_host(&job->source, host, sizeof(host));
    int result = ytdlp_describe(ytdlp, job->source.url, &json, &job->problem);
    if (result == 0)
        result = video_parse(json.data ? json.data : "", json.length, host, clock_now_ms(), ret,
                             &job->problem);
    if (result < 0)
        record_problem(job, segment);
    xray_end(segment);
    text_release(&json);
    return result;
}

struct listener {
    const char *file_id;
    int64_t last_ms;
    struct ytdlp_progress progress;
};

static void on_progress(void *data, const struct ytdlp_progress *progress)
{
    struct listener *listener = data;
    int64_t now_ms = clock_now_ms();
    bool is_whole = progress->total > 0 && progress->bytes >= progress->total &&
                    listener->progress.bytes < progress->bytes;
    listener->progress = *progress;
    if (!is_whole && now_ms - listener->last_ms < PROGRESS_EVERY_MS)
        return;
    listener->last_ms = now_ms;
    cJSON *fields = cJSON_CreateObject();
    cJSON_AddStringToObject(fields, "fileId", listener->file_id);
    cJSON_AddNumberToObject(fields, "bytes", (double)progress->bytes);
    if (progress->total > 0) {
        int64_t percent = 100 * progress->bytes / progress->total;
        cJSON_AddNumberToObject(fields, "percent", (double)percent);
    }
    log_write(LOG_INFO, fields, "downloading");
}

static const char *extension_of(const char *path)
{
    const char *dot = strrchr(path, '.');
    const char *extension = dot ? dot + 1 : "mp4";
    bool is_plain = *extension && strlen(extension) <= 8 &&
                    strspn(extension, "abcdefghijklmnopqrstuvwxyz0123456789") == strlen(extension);
    return is_plain ? extension : "bin";
}

static int upload(struct job *job, const char *path)
{
    const struct config *config = &job->pipeline->config;
    struct failure failure = { 0 };
    struct upload_params params = {
        .path = path,
        .object = { config->bucket, job->key },
        .content_type = video_content_type(extension_of(path)),
        .part_size = config->part_bytes,
        .deadline_ms = job->deadline_ms,
    };
    snprintf(job->key, sizeof(job->key), "%s.%s", job->file->id, extension_of(path));
    int result = upload_file(&job->pipeline->aws, &params, &job->upload, &failure);
    if (result == 0)
        return 0;
    return problem_set(&job->problem,
                       result == -ECANCELED                    ? PROBLEM_STOPPED
                       : strcmp(failure.type, "Deadline") == 0 ? PROBLEM_DEADLINE
                                                               : PROBLEM_UPLOAD,
                       "upload: %s", failure.message);
}

/* Also of a download that failed, as far as it came. */
static void record_download(const struct ytdlp_file *file, xray_segment *segment)
{
    xray_annotate(segment, "attempt", file->attempts);
    xray_annotate(segment, "file_size", file->bytes);
    if (*file->format)
        xray_add_metadata(segment, "media", "format", file->format);
    xray_add_metadata(segment, "media", "bytes_per_second", file->bytes_per_s);
    xray_add_metadata(segment, "media", "fragments", file->fragments);
    xray_add_metadata(segment, "media", "progress_reports", file->reports);
}

/* Better before than when the disk is full. What is announced need not be right, or there at all.
 */
static int check_size(struct job *job, const struct ytdlp *ytdlp, const struct video *video)
{
    const long long mib = 1024 * 1024;
    int64_t room = workspace_room(ytdlp->directory);
    if (ytdlp->max_bytes > 0 && video->size > ytdlp->max_bytes)
        return problem_set(&job->problem, PROBLEM_TOO_LARGE,
                           "the video has %lld MiB, and MAX_FILE_MIB is %lld", video->size / mib,
                           ytdlp->max_bytes / mib);
    if (room >= 0 && video->size > room)
        return problem_set(&job->problem, PROBLEM_NO_SPACE,
                           "the video has %lld MiB, and DOWNLOAD_DIRECTORY has room for %lld: give "
                           "the function more ephemeral storage",
                           video->size / mib, room / mib);
    return 0;
}

/* Seen while it lasts, which may be long. */
static int download(struct job *job, const struct ytdlp *ytdlp, struct ytdlp_file *ret)
{
    struct listener listener = { .file_id = job->file->id, .last_ms = clock_now_ms() };
    xray_segment *segment = xray_begin_subsegment("yt-dlp download");
    xray_annotate(segment, "video_id", job->file->id);
    xray_send_in_progress(segment);

    int result = ytdlp_download(ytdlp, job->source.url, on_progress, &listener, ret, &job->problem);
    record_download(ret, segment);
    if (result < 0)
        record_problem(job, segment);
    xray_end(segment);
    return result;
}

/* ---- The whole ----------------------------------------------------------------------- */

static void measure(const struct job *job, int64_t begin_ms)
{
    double seconds = (double)(clock_now_ms() - begin_ms) / 1000;
    log_metric("VideoDownloadSuccess", "Count", 1);
    log_metric("VideoDownloadDuration", "Seconds", seconds);
    log_metric("VideoFileSize", "Bytes", (double)job->upload.bytes);
    if (seconds > 0)
        log_metric("VideoThroughput", "Bytes/Second", (double)job->upload.bytes / seconds);
}

/* 0; -EREMOTEIO with job->problem; anything else with job->failure. */
static int work(struct job *job, const struct ytdlp *ytdlp)
{
    struct video video;
    int64_t begin_ms = clock_now_ms();
    int result = describe(job, ytdlp, &video);
    if (result == 0)
        result = check_size(job, ytdlp, &video);
    if (result < 0)
        return -EREMOTEIO;
    if (file_describe(&job->table, job->file, &video, clock_now_ms(), &job->failure) < 0 ||
        file_begin_download(&job->table, job->file, clock_now_ms(), &job->failure) < 0)
        return -EIO;
    struct ytdlp_file file = { 0 };
    result = download(job, ytdlp, &file);
    if (result == 0)
        result = upload(job, file.path);
    if (result < 0)
        return -EREMOTEIO;

    struct text url = { 0 };
    const char *base = job->pipeline->config.file_url_base;
    size_t length = strlen(base);
    text_addf(&url, "%.*s/", (int)(length && base[length - 1] == '/' ? length - 1 : length), base);
    text_add_encoded(&url, job->key, true);
    struct file_object object = {
        .key = job->key,
        .url = url.data ? url.data : "",
        .content_type = video_content_type(extension_of(job->key)),
        .size = job->upload.bytes,
    };
    result = file_finish(&job->table, job->file, &object, clock_now_ms(), &job->failure);
    text_release(&url);
    if (result < 0)
        return -EIO;
    measure(job, begin_ms);
    return 0;
}

/* As work(). yt-dlp has the guard's way to the network for as long as it runs. */
static int work_in(struct job *job, const char *directory)
{
    const struct config *config = &job->pipeline->config;
    struct guard_params guard = { .media_hosts = config->media_hosts };
    struct ytdlp ytdlp = {
        .program = config->ytdlp_path,
        .directory = directory,
        .deadline_ms = job->deadline_ms,
        .js_runtime = config->js_runtime,
        .ffmpeg_location = config->ffmpeg_location,
        .cookies_file = config->cookies_file,
        .max_bytes = config->max_file_bytes,
    };
    if (guard_start(&guard, &ytdlp.guard, &job->failure) < 0) {
        problem_set(&job->problem, PROBLEM_TRANSIENT, "%s", job->failure.message);
        return -EREMOTEIO;
    }
    int result = work(job, &ytdlp);
    guard_stop(ytdlp.guard);
    return result;
}

/*
 * The file is there whatever becomes of the messages about it. Whoever does not
 * get through all devices, or dies at it, keeps the lease: when that has run out
 * it is tried again. A device that SNS refuses has been tried.
 */
static void announce(struct job *job)
{
    struct failure failure = { 0 };
    struct push_counts counts = { 0 };
    struct push_tables tables = pipeline_push(job->pipeline);
    int result = push_to_all(&tables, job->file->item,
                             job->invocation->deadline_ms - PIPELINE_RESERVE_MS, &counts, &failure);
    if (result < 0) {
        log_write(LOG_ERROR, NULL, "not everybody was told: %s", failure.message);
        failure_record(&failure, job->invocation->segment);
    }
    /* An item that cannot be announced will not be better the next time. */
    if ((result == 0 || result == -EPROTO) &&
        file_release_lease(&job->table, job->file, clock_now_ms(), &failure) < 0)
        log_write(LOG_WARNING, NULL, "they may be told again: %s", failure.message);
    xray_annotate(job->invocation->segment, "push_sent", counts.sent);
    xray_annotate(job->invocation->segment, "push_failed", counts.failed);
}

static cJSON *answer_with(const struct file *file, const char *outcome)
{
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddStringToObject(answer, "fileId", file->id);
    cJSON_AddStringToObject(answer, "status", file_status_name(file->status));
    cJSON_AddStringToObject(answer, "outcome", outcome);
    return answer;
}

/* An issue is opened where somebody should look. Its own trouble ends in the log and a metric. */
static void tell_people(struct job *job)
{
    struct pipeline *pipeline = job->pipeline;
    struct failure failure = { 0 };
    struct issue_cause cause = {
        .class = job->problem.class,
        .message = job->problem.message,
        .file_id = job->file->id,
        .correlation_id = attribute_get_string(job->file->item, "correlationId"),
        .request_id = job->invocation->request_id,
    };
    if (!*pipeline->config.github.repository ||
        !issue_is_wanted(cause.class, job->file->status == FILE_FAILED))
        return;
    int result = github_issue_report(&pipeline->config.github, &pipeline->known_issues, &cause,
                                     job->invocation->deadline_ms - PIPELINE_RESERVE_MS, &failure);
    if (result > 0)
        log_metric("IssueOpened", "Count", 1);
    if (result >= 0)
        return;
    log_metric("IssueNotOpened", "Count", 1);
    log_write(LOG_WARNING, NULL, "no issue: %s", failure.message);
}

static cJSON *give_up(struct job *job)
{
    struct invocation *invocation = job->invocation;
    record_problem(job, invocation->segment);
    log_metric("VideoDownloadFailure", "Count", 1);
    if (job->problem.class == PROBLEM_BOT_CHECK)
        log_metric("CookieAuthenticationFailure", "Count", 1);
    if (file_give_up(&job->table, job->file, &job->problem, clock_now_ms(), &invocation->failure) <
        0) {
        if (!invocation->failure.type[0])
            failure_set(&invocation->failure, 0, "LeaseLost", "%s: somebody else took it over",
                        job->file->id);
        return NULL;
    }
    cJSON *fields = cJSON_CreateObject();
    cJSON_AddStringToObject(fields, "fileId", job->file->id);
    cJSON_AddStringToObject(fields, "status", file_status_name(job->file->status));
    cJSON_AddStringToObject(fields, "errorCategory", problem_name(job->problem.class));
    log_write(LOG_ERROR, fields, "%s", job->problem.message);
    tell_people(job);
    cJSON *answer = answer_with(job->file, "problem");
    cJSON_AddStringToObject(answer, "errorCategory", problem_name(job->problem.class));
    return answer;
}

static cJSON *run(struct job *job)
{
    struct invocation *invocation = job->invocation;
    struct workspace workspace;
    if (job->file->status == FILE_DOWNLOADED) {
        announce(job);
        return answer_with(job->file, "announced");
    }
    int result = workspace_open(&workspace, job->pipeline->config.download_directory,
                                &job->failure);
    if (result < 0) {
        problem_set(&job->problem,
                    result == -ENOSPC || result == -EDQUOT ? PROBLEM_NO_SPACE : PROBLEM_TRANSIENT,
                    "%s", job->failure.message);
        result = -EREMOTEIO;
    } else {
        result = work_in(job, workspace.path);
        workspace_close(&workspace);
    }
    if (result == -EREMOTEIO)
        return give_up(job);
    if (result < 0) {
        invocation->failure = job->failure;
        if (!invocation->failure.type[0])
            failure_set(&invocation->failure, 0, "LeaseLost", "%s: somebody else took it over",
                        job->file->id);
        return NULL;
    }
    xray_annotate(invocation->segment, "file_size", job->upload.bytes);
    xray_annotate(invocation->segment, "parts", job->upload.parts);
    announce(job);
    return answer_with(job->file, "done");
}

/* What the webhook wrote down, checked again: the list of hosts may have changed. */
static int read_source(struct job *job)
{
    char url[64];
    const char *text = attribute_get_string(job->file->item, "sourceUrl");
    const char *reason = NULL;
    if (!text) {
        snprintf(url, sizeof(url), "https://www.youtube.com/watch?v=%s", job->file->id);
        text = url;
    }
    if (source_parse(text, job->pipeline->config.media_hosts, &job->source, &reason) < 0)
        return problem_set(&job->problem, PROBLEM_UNSUPPORTED, "sourceUrl: %s", reason);
    char shown[SOURCE_URL_SIZE];
    source_show(&job->source, shown, sizeof(shown));
    xray_add_metadata(job->invocation->segment, "media", "url", shown);
    return 0;
}

/* Of who died at this file: each of them may have left one, under whatever extension. */
static void end_uploads(struct job *job)
{
    char prefix[sizeof(job->file->id) + 1];
    snprintf(prefix, sizeof(prefix), "%s.", job->file->id);
    upload_abort_abandoned(&job->pipeline->aws, job->pipeline->config.bucket, prefix);
}

/* 1 when the file is ours now, 0 when there is nothing to do, -errno with the failure set. */
static int claim(struct job *job)
{
    struct invocation *invocation = job->invocation;
    struct file *file = job->file;
    xray_annotate(invocation->segment, "status_before", file_status_name(file->status));
    if (!file_is_due(file, clock_now_ms()))
        return 0;
    bool is_abandoned = file->lease_until > 0 && file->status != FILE_DOWNLOADED;
    int result = file_claim(&job->table, file, invocation->deadline_ms + LEASE_RESERVE_MS,
                            clock_now_ms(), &invocation->failure);
    if (is_abandoned && (result == 0 || result == -ECANCELED))
        end_uploads(job);
    if (result == -ECANCELED) {
        log_write(LOG_ERROR, NULL, "%s", invocation->failure.message);
        problem_set(&job->problem, PROBLEM_ABANDONED, "%s", invocation->failure.message);
        tell_people(job);
    }
    if (result == -EAGAIN || result == -ECANCELED)
        return 0;
    if (result < 0)
        return result;
    xray_annotate(invocation->segment, "attempt", file->retry_count + 1);
    return 1;
}

/* When the work itself has to be over: a quarter of a short time is left, ten seconds of a long. */
static int64_t work_deadline_ms(const struct invocation *invocation)
{
    int64_t clean_up_ms = invocation_time_left(invocation, 0) / 4;
    if (clean_up_ms < MIN_CLEAN_UP_MS)
        clean_up_ms = MIN_CLEAN_UP_MS;
    if (clean_up_ms > MAX_CLEAN_UP_MS)
        clean_up_ms = MAX_CLEAN_UP_MS;
    return invocation->deadline_ms - clean_up_ms;
}

cJSON *start_file_upload(void *data, struct invocation *invocation, const cJSON *event)
{
    struct pipeline *pipeline = data;
    const char *file_id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(event, "fileId"));
    if (!file_id || !source_is_file_id(file_id)) {
        failure_set(&invocation->failure, 0, "BadEvent", "fileId is missing or is none");
        invocation->failure.caller = true;
        return NULL;
    }
    invocation_annotate(invocation, "video_id", file_id);
    invocation_annotate(
        invocation, "correlation_id",
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(event, "correlationId")));
    /* It may take a quarter of an hour, and end with the process. */
    xray_send_in_progress(invocation->segment);

    AUTO_FILE struct file file = { 0 };
    struct job job = {
        .pipeline = pipeline,
        .invocation = invocation,
        .table = pipeline_files(pipeline),
        .file = &file,
        .deadline_ms = work_deadline_ms(invocation),
    };
    if (file_read(&job.table, file_id, &file, &invocation->failure) < 0)
        return NULL;
    int result = claim(&job);
    if (result < 0)
        return NULL;
    cJSON *answer = NULL;
    if (result == 0) {
        log_write(LOG_INFO, NULL, "nothing to do: the file is %s", file_status_name(file.status));
        answer = answer_with(&file, "nothing to do");
    } else {
        answer = read_source(&job) < 0 ? give_up(&job) : run(&job);
    }
    xray_annotate(invocation->segment, "status_after", file_status_name(file.status));
    return answer;
}
