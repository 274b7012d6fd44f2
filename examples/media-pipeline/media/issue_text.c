/* SPDX-License-Identifier: Apache-2.0 */
#include "media/issue_text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <xraytrace/xraytrace.h>

#include "media/foreign.h"
#include "runtime/cleanup.h"
#include "runtime/text.h"

/* ---- Whom it is for ------------------------------------------------------------------ */

static const struct {
    enum problem_class class;
    bool only_final; /* before that, another try may do */
    const char *remedy;
} mendable[] = {
    { PROBLEM_BOT_CHECK, false,
      "The site wants to see a signed-in user: give yt-dlp new cookies." },
    { PROBLEM_NOT_INSTALLED, false,
      "The program cannot be run: look at the function's layer and at YTDLP_PATH." },
    { PROBLEM_BAD_USAGE, false,
      "yt-dlp did not understand how it was called: its version does not fit the function's." },
    { PROBLEM_NO_SPACE, false, "Give StartFileUpload more ephemeral storage." },
    { PROBLEM_KILLED, false,
      "Something killed yt-dlp, most often a lack of memory: give StartFileUpload more." },
    { PROBLEM_ABANDONED, false,
      "The function died at it each time: see how its log ends, and its memory and time-out." },
    { PROBLEM_FORMAT, true, "No format could be had: a newer yt-dlp may know how." },
    { PROBLEM_FORBIDDEN, true, "The site refuses the download: a newer yt-dlp may know how." },
    { PROBLEM_UPLOAD, true, "S3 did not take the file: look at the function's role and bucket." },
    { PROBLEM_TRANSIENT, true, "All tries failed: the function's log has each of them." },
};

static const char *remedy_of(enum problem_class class)
{
    for (size_t i = 0; i < sizeof(mendable) / sizeof(*mendable); i++)
        if (mendable[i].class == class)
            return mendable[i].remedy;
    return "";
}

bool issue_is_wanted(enum problem_class class, bool is_final)
{
    for (size_t i = 0; i < sizeof(mendable) / sizeof(*mendable); i++)
        if (mendable[i].class == class)
            return is_final || !mendable[i].only_final;
    return false;
}

/* ---- Text ------------------------------------------------------------------------------ */

/* yt-dlp's messages begin with "[extractor] id: ". */
bool issue_fingerprint(const struct issue_cause *cause, char ret[ISSUE_FINGERPRINT_SIZE])
{
    AUTO_TEXT struct text normal = { 0 };
    char hash[TEXT_HASH_SIZE];
    const char *rest = cause->message;
    size_t length;
    bool after_extractor = false;
    text_addf(&normal, "%s\n", problem_name(cause->class));
    for (const char *word; (word = foreign_next_word(&rest, &length)), length > 0;) {
        bool is_extractor = word[0] == '[' && word[length - 1] == ']';
        if (foreign_has_digit(word, length) || memchr(word, '/', length) ||
            (after_extractor && word[length - 1] == ':')) {
            text_add(&normal, "# ");
        } else {
            for (size_t i = 0; i < length; i++) {
                char lower = (char)tolower((unsigned char)word[i]);
                text_add_bytes(&normal, &lower, 1);
            }
            text_add(&normal, " ");
        }
        after_extractor = is_extractor;
    }
    if (normal.failed || !text_hash(normal.data, normal.length, hash))
        return false;
    snprintf(ret, ISSUE_FINGERPRINT_SIZE, "%.16s", hash);
    return true;
}

/* A block that nothing inside can end: its fence is longer than any row of "`" in there. */
static void add_block(struct text *text, const char *foreign)
{
    AUTO_TEXT struct text safe = { 0 };
    size_t longest = 0, run = 0;
    foreign_add(&safe, foreign);
    for (size_t i = 0; i < safe.length; i++) {
        run = safe.data[i] == '`' ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    AUTO_TEXT struct text fence = { 0 };
    for (size_t i = 0; i < (longest < 3 ? 3 : longest + 1); i++)
        text_add(&fence, "`");
    text->failed = text->failed || safe.failed || fence.failed;
    text_addf(text, "%stext\n%s\n%s\n", fence.failed ? "" : fence.data,
              safe.length ? safe.data : "", fence.failed ? "" : fence.data);
}

/* An id of ours; anything else is left out. */
static void add_id(struct text *text, const char *name, const char *id)
{
    size_t length = id ? strnlen(id, 65) : 0;
    if (length == 0 || length > 64)
        return;
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)id[i]) && id[i] != '-' && id[i] != '_')
            return;
    text_addf(text, "- %s: `%s`\n", name, id);
}

static void add_trace(struct text *text)
{
    xray_trace_header header = { 0 };
    static const xray_trace_id none = { 0 };
    char root[XRAY_TRACE_ID_SIZE];
    const char *value = getenv("_X_AMZN_TRACE_ID");
    if (!value || xray_trace_header_parse(&header, value) < 0 ||
        memcmp(&header.trace_id, &none, sizeof(none)) == 0)
        return;
    xray_trace_id_format(header.trace_id, root, sizeof(root));
    add_id(text, "trace", root);
}

char *issue_text(const struct issue_cause *cause, const char *fingerprint)
{
    AUTO_TEXT struct text body = { 0 };
    const char *category = problem_name(cause->class);
    text_addf(&body, "A video cannot be finished: `%s`. %s\n\nWhat was said:\n\n", category,
              remedy_of(cause->class));
    add_block(&body, cause->message);
    text_add(&body, "\nThe first file with this failure:\n\n");
    add_id(&body, "file", cause->file_id);
    add_id(&body, "correlation", cause->correlation_id);
    add_id(&body, "request", cause->request_id);
    add_trace(&body);
    text_addf(&body,
              "\nWhile this is open, the same failure is not reported again: `" ISSUE_LABEL
              "%s` marks "
              "it.\n",
              fingerprint);
    if (body.failed)
        return NULL;

    AUTO_JSON cJSON *issue = cJSON_CreateObject();
    char text[128];
    snprintf(text, sizeof(text), "Downloads fail: %s", category);
    cJSON_AddStringToObject(issue, "title", text);
    cJSON_AddStringToObject(issue, "body", body.data);
    cJSON *labels = cJSON_AddArrayToObject(issue, "labels");
    snprintf(text, sizeof(text), ISSUE_LABEL "%s", fingerprint);
    cJSON_AddItemToArray(labels, cJSON_CreateString(text));
    return cJSON_PrintUnformatted(issue);
}
