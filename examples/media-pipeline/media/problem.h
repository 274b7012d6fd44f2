/* SPDX-License-Identifier: Apache-2.0 */
/* Why a video could not be had: classes of failures, and which are worth another try. */
#ifndef PIPELINE_MEDIA_PROBLEM_H
#define PIPELINE_MEDIA_PROBLEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum problem_class {
    PROBLEM_NONE,
    /* These end it. */
    PROBLEM_KILLED,         /* a signal, not ours */
    PROBLEM_DEADLINE,       /* our time was up */
    PROBLEM_STOPPED,        /* we were told to stop */
    PROBLEM_NOT_INSTALLED,  /* the program cannot be run */
    PROBLEM_BAD_USAGE,      /* it did not understand us */
    PROBLEM_AGE_RESTRICTED, /* before the bot check: the texts overlap */
    PROBLEM_BOT_CHECK,      /* needs a person, with cookies */
    PROBLEM_MEMBERS_ONLY,
    PROBLEM_PRIVATE,
    PROBLEM_GEO_BLOCKED,
    PROBLEM_UNAVAILABLE,
    PROBLEM_NOT_SINGLE,  /* a playlist */
    PROBLEM_NOT_ALLOWED, /* it leads into our own network */
    PROBLEM_TOO_LARGE,
    PROBLEM_UNSUPPORTED,
    PROBLEM_NO_SPACE,
    PROBLEM_ABANDONED, /* the function died too often while at it */
    /* These are tried again, some times. */
    PROBLEM_LIVESTREAM_UPCOMING,
    PROBLEM_LIVESTREAM, /* on air: it would not end */
    PROBLEM_SCHEDULED,  /* a premiere */
    PROBLEM_RATE_LIMITED,
    PROBLEM_FORMAT,    /* another format may do, at once */
    PROBLEM_FORBIDDEN, /* HTTP 403: the same */
    PROBLEM_UPLOAD,
    PROBLEM_TRANSIENT, /* whatever else */
};

struct problem {
    enum problem_class class;
    int64_t release_ms; /* when it should be there; Unix time, 0 when not known */
    char message[512];  /* valid UTF-8 */
};

/* "age_restricted": what the Files item and the trace say. */
const char *problem_name(enum problem_class class);

/* Whether it lies in what was asked for, and not in us: an error in the trace, not a fault. */
bool problem_is_of_caller(enum problem_class class);

/* Fills in *problem, and gives the class's errno back: always negative. */
int problem_set(struct problem *problem, enum problem_class class, const char *format, ...)
    __attribute__((__format__(__printf__, 3, 4)));

/* What yt-dlp's stderr means, and the line that says it. For exits with status 1. */
enum problem_class problem_of_errors(const char *errors, char *ret_line, size_t size);

/*
 * When to try again (Unix time in ms) after retries tries that followed the
 * first one; 0 when not at all.
 */
int64_t problem_retry_at(const struct problem *problem, int64_t retries, int64_t now_ms);

#endif /* PIPELINE_MEDIA_PROBLEM_H */
