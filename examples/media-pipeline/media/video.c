/* SPDX-License-Identifier: Apache-2.0 */
#include "media/video.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "runtime/cleanup.h"
#include "runtime/clock.h"
#include "runtime/text.h"

/* The first of these members that is a text with something in it, or NULL. */
static const char *first_text(const cJSON *json, const char *const *names)
{
    for (; *names; names++) {
        const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, *names));
        if (text && *text)
            return text;
    }
    return NULL;
}

static double number(const cJSON *json, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);
    return cJSON_IsNumber(item) && item->valuedouble > 0 ? item->valuedouble : 0;
}

static void copy_text(char *ret, size_t size, const char *text)
{
    snprintf(ret, size, "%.*s", (int)text_cut_length(text, size - 1), text);
    text_clean_utf8(ret);
}

/* A date of eight digits or a time in seconds; now when it says nothing. */
static void read_date(const cJSON *json, int64_t now_ms, char ret[static CLOCK_ISO_SIZE])
{
    static const char *const dates[] = { "release_date", "upload_date", NULL };
    double seconds = number(json, "release_timestamp");
    if (seconds <= 0)
        seconds = number(json, "timestamp");
    ret[0] = '\0';
    if (seconds > 0 && seconds < 253402300800.0)
        clock_format_iso((int64_t)seconds * 1000, ret);
    const char *date = first_text(json, dates);
    if (!ret[0] && date && strspn(date, "0123456789") == 8 && strlen(date) == 8)
        snprintf(ret, CLOCK_ISO_SIZE, "%.4s-%.2s-%.2sT00:00:00.000Z", date, date + 4, date + 6);
    if (!ret[0])
        clock_format_iso(now_ms, ret);
}

/* What is announced for the whole, else for the formats that would be merged. */
static int64_t read_size(const cJSON *json)
{
    double size = number(json, "filesize");
    if (size <= 0)
        size = number(json, "filesize_approx");
    if (size <= 0) {
        const cJSON *format;
        cJSON_ArrayForEach(format, cJSON_GetObjectItemCaseSensitive(json, "requested_formats"))
            size += number(format, "filesize");
    }
    return size < 9e15 ? (int64_t)size : 0;
}

/* Why there is nothing to download, where the page says so; the texts of the failure may not. */
static int check_formats(const cJSON *json, struct problem *problem)
{
    static const struct {
        const char *availability;
        enum problem_class class;
        const char *message;
    } kinds[] = {
        { "private", PROBLEM_PRIVATE, "the video is private" },
        { "premium_only", PROBLEM_MEMBERS_ONLY, "the video is for paying users" },
        { "subscriber_only", PROBLEM_MEMBERS_ONLY, "the video is for members" },
        { "needs_auth", PROBLEM_BOT_CHECK,
          "the video is for users with an account: set COOKIES_FILE" },
    };
    static const char *const names[] = { "availability", NULL };
    const cJSON *formats = cJSON_GetObjectItemCaseSensitive(json, "formats");
    const char *availability = first_text(json, names);
    if (!cJSON_IsArray(formats) || cJSON_GetArraySize(formats) > 0)
        return 0;
    if (number(json, "age_limit") >= 18)
        return problem_set(problem, PROBLEM_AGE_RESTRICTED, "the video is for adults");
    for (size_t i = 0; availability && i < sizeof(kinds) / sizeof(*kinds); i++)
        if (strcmp(availability, kinds[i].availability) == 0)
            return problem_set(problem, kinds[i].class, "%s", kinds[i].message);
    return 0;
}

static int check_availability(const cJSON *json, int64_t now_ms, struct problem *problem)
{
    static const char *const status_name[] = { "live_status", NULL };
    static const char *const type_name[] = { "_type", NULL };
    const char *status = first_text(json, status_name);
    const char *type = first_text(json, type_name);
    int64_t release_ms = (int64_t)(number(json, "release_timestamp") * 1000);
    int result = 0;
    if (type && strcmp(type, "video") != 0)
        result = problem_set(problem, PROBLEM_NOT_SINGLE,
                             "the address is a %s: post the address of a single video", type);
    else if (status && strcmp(status, "is_upcoming") == 0)
        result = problem_set(problem, PROBLEM_LIVESTREAM_UPCOMING, "the livestream has not begun");
    else if (status && strcmp(status, "is_live") == 0)
        result = problem_set(problem, PROBLEM_LIVESTREAM, "the livestream has not ended");
    else if (release_ms > now_ms)
        result = problem_set(problem, PROBLEM_SCHEDULED, "the video is not released yet");
    if (result == 0)
        return check_formats(json, problem);
    problem->release_ms = release_ms > now_ms ? release_ms : 0;
    return result;
}

int video_parse(const char *json, size_t length, const char *host, int64_t now_ms,
                struct video *ret, struct problem *problem)
{
    static const char *const titles[] = { "title", "fulltitle", "id", NULL };
    static const char *const descriptions[] = { "description", NULL };
    static const char *const authors[] = { "uploader", "channel", "creator", NULL };
    AUTO_JSON cJSON *document = cJSON_ParseWithLength(json, length);
    /* An unavailable video can be a "null" that ends well. */
    if (!cJSON_IsObject(document))
        return problem_set(problem, PROBLEM_TRANSIENT, "yt-dlp's description is no JSON object");
    int result = check_availability(document, now_ms, problem);
    if (result < 0)
        return result;

    const char *title = first_text(document, titles);
    const char *description = first_text(document, descriptions);
    const char *author = first_text(document, authors);
    memset(ret, 0, sizeof(*ret));
    copy_text(ret->title, sizeof(ret->title), title ? title : "Untitled");
    copy_text(ret->description, sizeof(ret->description), description ? description : "");
    copy_text(ret->author_name, sizeof(ret->author_name), author ? author : host);
    for (size_t i = 0; ret->author_name[i]; i++) {
        unsigned char c = (unsigned char)ret->author_name[i];
        ret->author_user[i] = c == ' ' ? '_' : c < 0x80 ? (char)tolower(c) : (char)c;
    }
    read_date(document, now_ms, ret->publish_date);
    ret->size = read_size(document);
    ret->duration = number(document, "duration");
    return 0;
}

const char *video_content_type(const char *extension)
{
    static const struct {
        const char *extension;
        const char *type;
    } types[] = {
        { "mp4", "video/mp4" },        { "m4v", "video/mp4" },       { "webm", "video/webm" },
        { "mkv", "video/x-matroska" }, { "mov", "video/quicktime" }, { "m4a", "audio/mp4" },
        { "mp3", "audio/mpeg" },       { "ogg", "application/ogg" }, { "opus", "audio/ogg" },
        { "3gp", "video/3gpp" },
    };
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
        if (strcasecmp(extension, types[i].extension) == 0)
            return types[i].type;
    return "application/octet-stream";
}
