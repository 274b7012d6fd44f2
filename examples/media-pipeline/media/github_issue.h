/* SPDX-License-Identifier: Apache-2.0 */
/* Opens a GitHub issue for a failure that does not mend itself, and one only: before, it looks for
 * an open one with the label of the same failure. GitHub gets no trace header. */
#ifndef PIPELINE_MEDIA_GITHUB_ISSUE_H
#define PIPELINE_MEDIA_GITHUB_ISSUE_H

#include <stdint.h>

#include "media/issue_text.h"
#include "runtime/failure.h"

/* Text belongs to the environment; a repository of "" turns it off. */
struct github_config {
    const char *repository; /* "owner/name" */
    const char *token;
    const char *api_url;
};

/* What this process need not ask about again. All zero is empty. */
#define GITHUB_KNOWN_LIMIT 16
struct github_known {
    char fingerprints[GITHUB_KNOWN_LIMIT][ISSUE_FINGERPRINT_SIZE];
    size_t next;
};

/*
 * 1 when an issue was opened, 0 when there is one already, or -errno with
 * *failure set. Sends nothing that could last beyond deadline_ms (Unix time).
 */
int github_issue_report(const struct github_config *config, struct github_known *known,
                        const struct issue_cause *cause, int64_t deadline_ms,
                        struct failure *failure);

#endif /* PIPELINE_MEDIA_GITHUB_ISSUE_H */
