/* SPDX-License-Identifier: Apache-2.0 */
#include "media/problem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "runtime/text.h"

#define MINUTE_MS ((int64_t)60 * 1000)

/* After the announced time, for the service to make the video of it. */
#define RELEASE_RESERVE_MS (5 * MINUTE_MS)

static const struct {
    const char *name;
    int max_retries;
    int64_t first_delay_ms; /* doubles with each retry */
} classes[] = {
    [PROBLEM_NONE] = { "none", 0, 0 },
    [PROBLEM_KILLED] = { "killed", 0, 0 },
    [PROBLEM_DEADLINE] = { "deadline", 0, 0 },
    [PROBLEM_STOPPED] = { "stopped", 0, 0 },
    [PROBLEM_NOT_INSTALLED] = { "not_installed", 0, 0 },
    [PROBLEM_BAD_USAGE] = { "bad_usage", 0, 0 },
    [PROBLEM_AGE_RESTRICTED] = { "age_restricted", 0, 0 },
    [PROBLEM_BOT_CHECK] = { "bot_check", 0, 0 },
    [PROBLEM_MEMBERS_ONLY] = { "members_only", 0, 0 },
    [PROBLEM_PRIVATE] = { "private", 0, 0 },
    [PROBLEM_GEO_BLOCKED] = { "geo_blocked", 0, 0 },
    [PROBLEM_UNAVAILABLE] = { "unavailable", 0, 0 },
    [PROBLEM_NOT_SINGLE] = { "not_single", 0, 0 },
    [PROBLEM_NOT_ALLOWED] = { "not_allowed", 0, 0 },
    [PROBLEM_TOO_LARGE] = { "too_large", 0, 0 },
    [PROBLEM_UNSUPPORTED] = { "unsupported", 0, 0 },
    [PROBLEM_NO_SPACE] = { "no_space", 0, 0 },
    [PROBLEM_ABANDONED] = { "abandoned", 0, 0 },
    [PROBLEM_LIVESTREAM_UPCOMING] = { "livestream_upcoming", 10, 15 * MINUTE_MS },
    [PROBLEM_LIVESTREAM] = { "livestream", 10, 30 * MINUTE_MS },
    [PROBLEM_SCHEDULED] = { "scheduled", 3, 15 * MINUTE_MS },
    [PROBLEM_RATE_LIMITED] = { "rate_limited", 5, 60 * MINUTE_MS },
    [PROBLEM_FORMAT] = { "format", 5, 15 * MINUTE_MS },
    [PROBLEM_FORBIDDEN] = { "forbidden", 5, 15 * MINUTE_MS },
    [PROBLEM_UPLOAD] = { "upload", 5, 15 * MINUTE_MS },
    [PROBLEM_TRANSIENT] = { "transient", 5, 15 * MINUTE_MS },
};

const char *problem_name(enum problem_class class)
{
    return classes[class].name;
}

bool problem_is_of_caller(enum problem_class class)
{
    return (class >= PROBLEM_AGE_RESTRICTED && class <= PROBLEM_UNSUPPORTED) ||
           (class >= PROBLEM_LIVESTREAM_UPCOMING && class <= PROBLEM_SCHEDULED);
}

int problem_set(struct problem *problem, enum problem_class class, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    memset(problem, 0, sizeof(*problem));
    problem->class = class;
    vsnprintf(problem->message, sizeof(problem->message), format, arguments);
    va_end(arguments);
    text_clean_utf8(problem->message);
    return -EREMOTEIO;
}

/*
 * In this order: yt-dlp adds a hint about --cookies to every request to sign
 * in, so that age comes before the bot check, and "cookies" alone says nothing.
 */
static const struct {
    const char *sign;
    enum problem_class class;
} signs[] = {
    { "no space left on device", PROBLEM_NO_SPACE },
    { "confirm your age", PROBLEM_AGE_RESTRICTED },
    { "age-restricted", PROBLEM_AGE_RESTRICTED },
    { "age restricted", PROBLEM_AGE_RESTRICTED },
    { "inappropriate for some users", PROBLEM_AGE_RESTRICTED },
    { "not a bot", PROBLEM_BOT_CHECK },
    { "bot detection", PROBLEM_BOT_CHECK },
    { "helps protect our community", PROBLEM_BOT_CHECK },
    { "cookies are no longer valid", PROBLEM_BOT_CHECK },
    { "members-only", PROBLEM_MEMBERS_ONLY },
    { "members only", PROBLEM_MEMBERS_ONLY },
    { "join this channel", PROBLEM_MEMBERS_ONLY },
    { "premium members", PROBLEM_MEMBERS_ONLY },
    { "private video", PROBLEM_PRIVATE },
    { "video is private", PROBLEM_PRIVATE },
    { "available in your country", PROBLEM_GEO_BLOCKED },
    { "from your location", PROBLEM_GEO_BLOCKED },
    { "geo restriction", PROBLEM_GEO_BLOCKED },
    { "premieres in", PROBLEM_SCHEDULED },
    { "premiere will begin", PROBLEM_SCHEDULED },
    { "scheduled for", PROBLEM_SCHEDULED },
    { "will be available", PROBLEM_SCHEDULED },
    { "live event will begin", PROBLEM_LIVESTREAM_UPCOMING },
    { "live event has not started", PROBLEM_LIVESTREAM_UPCOMING },
    { "rate-limited", PROBLEM_RATE_LIMITED },
    { "try again later", PROBLEM_RATE_LIMITED },
    { "http error 429", PROBLEM_RATE_LIMITED },
    { "too many requests", PROBLEM_RATE_LIMITED },
    { "requested format is not available", PROBLEM_FORMAT },
    { "no video formats found", PROBLEM_FORMAT },
    { "sabr streaming", PROBLEM_FORMAT },
    { "sabr-only", PROBLEM_FORMAT },
    { "merging of multiple formats", PROBLEM_FORMAT },
    { "conversion failed", PROBLEM_FORMAT },
    { "postprocessing:", PROBLEM_FORMAT },
    { "http error 403", PROBLEM_FORBIDDEN },
    { "http error 404", PROBLEM_UNAVAILABLE },
    { "http error 410", PROBLEM_UNAVAILABLE },
    { "video unavailable", PROBLEM_UNAVAILABLE },
    { "has been removed", PROBLEM_UNAVAILABLE },
    { "no longer available", PROBLEM_UNAVAILABLE },
    { "account associated with this video has been terminated", PROBLEM_UNAVAILABLE },
    { "unsupported url", PROBLEM_UNSUPPORTED },
    { "is not a valid url", PROBLEM_UNSUPPORTED },
    { "drm protect", PROBLEM_UNSUPPORTED },
    { "interrupted by user", PROBLEM_KILLED },
};

static enum problem_class class_of_line(const char *line)
{
    for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++)
        if (strcasestr(line, signs[i].sign))
            return signs[i].class;
    return PROBLEM_TRANSIENT;
}

/* The last "ERROR:" line says why it gave up; without one, the last line at all. */
enum problem_class problem_of_errors(const char *errors, char *ret_line, size_t size)
{
    const char *best = NULL;
    bool best_is_error = false;
    size_t best_length = 0;
    while (errors && *errors) {
        size_t length = strcspn(errors, "\r\n");
        bool is_error = strncmp(errors, "ERROR:", 6) == 0;
        if (length > 0 && (is_error || !best_is_error)) {
            best = errors;
            best_length = length;
            best_is_error = is_error;
        }
        errors += length + (errors[length] != '\0');
    }
    if (!best) {
        snprintf(ret_line, size, "yt-dlp failed and did not say why");
        return PROBLEM_TRANSIENT;
    }
    if (best_is_error) {
        size_t skip = strspn(best + 6, " ") + 6;
        best += skip < best_length ? skip : 0;
        best_length -= skip < best_length ? skip : 0;
    }
    if (best_length >= size)
        best_length = text_cut_length(best, size - 1);
    memcpy(ret_line, best, best_length);
    ret_line[best_length] = '\0';
    return class_of_line(ret_line);
}

int64_t problem_retry_at(const struct problem *problem, int64_t retries, int64_t now_ms)
{
    if (retries < 0 || retries >= classes[problem->class].max_retries)
        return 0;
    if (problem->release_ms > now_ms &&
        (problem->class == PROBLEM_LIVESTREAM_UPCOMING || problem->class == PROBLEM_SCHEDULED))
        return problem->release_ms + RELEASE_RESERVE_MS;
    /* 15 minutes, 30, 1 hour, 2, 4, and no more. */
    int64_t shift = retries < 4 ? retries : 4;
    return now_ms + (classes[problem->class].first_delay_ms << shift);
}
