/* SPDX-License-Identifier: Apache-2.0 */
/* What is told to people about a failure, and which failures are the same one. The message is
 * somebody else's text: it can end no block of ours, and shows no address and no secret. */
#ifndef PIPELINE_MEDIA_ISSUE_TEXT_H
#define PIPELINE_MEDIA_ISSUE_TEXT_H

#include "media/problem.h"

#define ISSUE_FINGERPRINT_SIZE 17                  /* hexadecimal digits and a NUL */
#define ISSUE_LABEL            "download-failure-" /* and the fingerprint */

struct issue_cause {
    enum problem_class class;
    const char *message;
    const char *file_id;
    const char *correlation_id; /* NULL when there is none */
    const char *request_id;
};

/*
 * Whether a person can mend it. is_final: no other try will follow. What lies in
 * the video, or passes with time, is nobody's to mend.
 */
bool issue_is_wanted(enum problem_class class, bool is_final);

/* Files, numbers and addresses leave no mark in it: the same failure of two videos is one. */
bool issue_fingerprint(const struct issue_cause *cause, char ret[ISSUE_FINGERPRINT_SIZE]);

/* The issue as GitHub's API takes it, JSON; NULL when out of memory. The caller frees it. */
char *issue_text(const struct issue_cause *cause, const char *fingerprint);

#endif /* PIPELINE_MEDIA_ISSUE_TEXT_H */
