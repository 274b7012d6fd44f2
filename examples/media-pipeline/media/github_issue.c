/* SPDX-License-Identifier: Apache-2.0 */
#include "media/github_issue.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <xraytrace/curl.h>

#include "runtime/cleanup.h"
#include "runtime/clock.h"
#include "runtime/text.h"

/* A failure is written down and answered first of all: this may take little of its time. */
#define REQUEST_TIMEOUT_MS ((int64_t)3000)
#define LEAST_TIMEOUT_MS   ((int64_t)300)

#define MAX_REPLY_BYTES  ((size_t)256 * 1024)
#define MAX_TOKEN_LENGTH 255

/* ---- Requests ---------------------------------------------------------------------------- */

struct conversation {
    const struct github_config *config;
    CURL *easy;
    struct curl_slist *headers;
    int64_t deadline_ms;
    struct text reply;
};

static bool is_name(const char *text, size_t length)
{
    if (length == 0 || length > 100 || text[0] == '.')
        return false;
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)text[i]) && !strchr("-_.", text[i]))
            return false;
    return true;
}

/* The token goes to whoever answers there: nobody on the way may read it. */
static bool is_safe_url(const char *url)
{
    static const char *const starts[] = { "https://", "http://127.0.0.1:", "http://localhost:",
                                          "http://[::1]:" };
    if (strpbrk(url, " @?#\"\\\r\n\t"))
        return false;
    for (size_t i = 0; i < sizeof(starts) / sizeof(*starts); i++)
        if (strncmp(url, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
}

static int check_config(const struct github_config *config, struct failure *failure)
{
    size_t owner_length = strcspn(config->repository, "/");
    const char *name = config->repository + owner_length +
                       (config->repository[owner_length] == '/');
    size_t token_length = strnlen(config->token, MAX_TOKEN_LENGTH + 1);
    if (!is_name(config->repository, owner_length) || !is_name(name, strlen(name)))
        return failure_set(failure, -EINVAL, "GitHubConfiguration",
                           "GITHUB_REPOSITORY should be owner/name");
    if (token_length == 0 || token_length > MAX_TOKEN_LENGTH)
        return failure_set(failure, -EINVAL, "GitHubConfiguration",
                           "GITHUB_TOKEN is not set: it should be a token that may write issues");
    for (size_t i = 0; i < token_length; i++)
        if (config->token[i] <= ' ' || config->token[i] > '~')
            return failure_set(failure, -EINVAL, "GitHubConfiguration",
                               "GITHUB_TOKEN has characters that no token has");
    if (!is_safe_url(config->api_url))
        return failure_set(failure, -EINVAL, "GitHubConfiguration",
                           "GITHUB_API_URL should begin with https://");
    return 0;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *data)
{
    struct conversation *conversation = data;
    if (conversation->reply.length + size * count > MAX_REPLY_BYTES)
        return 0;
    text_add_bytes(&conversation->reply, bytes, size * count);
    return conversation->reply.failed ? 0 : size * count;
}

static bool add_header(struct conversation *conversation, const char *line)
{
    struct curl_slist *longer = curl_slist_append(conversation->headers, line);
    if (longer)
        conversation->headers = longer;
    return longer;
}

static int open_conversation(struct conversation *conversation, struct failure *failure)
{
    char authorization[MAX_TOKEN_LENGTH + 32];
    snprintf(authorization, sizeof(authorization), "Authorization: Bearer %s",
             conversation->config->token);
    conversation->easy = curl_easy_init();
    if (conversation->easy && add_header(conversation, authorization) &&
        add_header(conversation, "Accept: application/vnd.github+json") &&
        add_header(conversation, "Content-Type: application/json") &&
        add_header(conversation, "X-GitHub-Api-Version: 2022-11-28") &&
        add_header(conversation, "User-Agent: xraytrace-media-pipeline"))
        return 0;
    return failure_set(failure, -ENOMEM, "OutOfMemory", "out of memory for GitHub");
}

static void close_conversation(struct conversation *conversation)
{
    curl_easy_cleanup(conversation->easy);
    curl_slist_free_all(conversation->headers);
    text_release(&conversation->reply);
}

/* GET, or POST when there is a body. *ret is the parsed reply of a success. */
static int ask(struct conversation *conversation, const char *query, const char *body, cJSON **ret,
               struct failure *failure)
{
    const struct github_config *config = conversation->config;
    CURL *easy = conversation->easy;
    AUTO_TEXT struct text url = { 0 };
    int64_t left_ms = conversation->deadline_ms - clock_now_ms();
    if (left_ms < LEAST_TIMEOUT_MS)
        return failure_set(failure, -ETIMEDOUT, "Deadline", "no time is left to ask GitHub");
    text_addf(&url, "%.*s/repos/%s/issues%s", (int)strcspn(config->api_url, "\r\n"),
              config->api_url, config->repository, query);
    if (url.failed)
        return failure_set(failure, -ENOMEM, "OutOfMemory", "out of memory for GitHub");

    text_clear(&conversation->reply);
    curl_easy_setopt(easy, CURLOPT_URL, url.data);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, conversation->headers);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, conversation);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
                     (long)(left_ms < REQUEST_TIMEOUT_MS ? left_ms : REQUEST_TIMEOUT_MS));
    if (body)
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);

    /* Without headers to change: what we trace is nobody's business there. */
    CURLcode code = xray_curl_perform(easy, NULL);
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    const char *operation = body ? "opening an issue" : "looking for the issue";
    if (code != CURLE_OK)
        return failure_set(failure, code == CURLE_OPERATION_TIMEDOUT ? -ETIMEDOUT : -EIO,
                           "GitHubUnreachable", "%s: %s", operation, curl_easy_strerror(code));
    if (status < 200 || status > 299)
        return failure_set(failure, -EREMOTEIO, "GitHubRefused",
                           "%s: GitHub answered %ld: look at GITHUB_REPOSITORY and at what "
                           "GITHUB_TOKEN may do",
                           operation, status);
    *ret = cJSON_ParseWithLength(conversation->reply.data ? conversation->reply.data : "",
                                 conversation->reply.length);
    return *ret ? 0
                : failure_set(failure, -EPROTO, "GitHubReply", "%s: the reply is not JSON",
                              operation);
}

/* 1 when an open issue has the label. */
static int look(struct conversation *conversation, const char *fingerprint, struct failure *failure)
{
    AUTO_JSON cJSON *issues = NULL;
    char query[128];
    snprintf(query, sizeof(query), "?state=open&per_page=1&labels=" ISSUE_LABEL "%s", fingerprint);
    int result = ask(conversation, query, NULL, &issues, failure);
    if (result < 0)
        return result;
    if (!cJSON_IsArray(issues))
        return failure_set(failure, -EPROTO, "GitHubReply", "looking for the issue: no list came");
    return cJSON_GetArraySize(issues) > 0;
}

/* Whoever may not set labels is told nothing, and the issue has none: it would not be found. */
static int check_label(const cJSON *issue, const char *fingerprint, struct failure *failure)
{
    char wanted[64];
    const cJSON *label;
    snprintf(wanted, sizeof(wanted), ISSUE_LABEL "%s", fingerprint);
    cJSON_ArrayForEach(label, cJSON_GetObjectItemCaseSensitive(issue, "labels"))
    {
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(label, "name"));
        if (name && strcmp(name, wanted) == 0)
            return 0;
    }
    return failure_set(failure, -EPERM, "GitHubLabel",
                       "the issue was opened without its label and will be opened again: let "
                       "GITHUB_TOKEN set labels");
}

static bool is_known(const struct github_known *known, const char *fingerprint)
{
    for (size_t i = 0; i < GITHUB_KNOWN_LIMIT; i++)
        if (strcmp(known->fingerprints[i], fingerprint) == 0)
            return true;
    return false;
}

static void remember(struct github_known *known, const char *fingerprint)
{
    snprintf(known->fingerprints[known->next % GITHUB_KNOWN_LIMIT], ISSUE_FINGERPRINT_SIZE, "%s",
             fingerprint);
    known->next++;
}

static int talk(struct conversation *conversation, struct github_known *known,
                const struct issue_cause *cause, const char *fingerprint, struct failure *failure)
{
    AUTO_JSON cJSON *issue = NULL;
    AUTO_FREE char *text = NULL;
    int result = open_conversation(conversation, failure);
    if (result == 0)
        result = look(conversation, fingerprint, failure);
    if (result < 0)
        return result;
    if (result > 0) {
        remember(known, fingerprint);
        return 0;
    }
    text = issue_text(cause, fingerprint);
    if (!text)
        return failure_set(failure, -ENOMEM, "OutOfMemory", "out of memory for the issue");
    result = ask(conversation, "", text, &issue, failure);
    if (result < 0)
        return result;
    remember(known, fingerprint);
    result = check_label(issue, fingerprint, failure);
    return result < 0 ? result : 1;
}

int github_issue_report(const struct github_config *config, struct github_known *known,
                        const struct issue_cause *cause, int64_t deadline_ms,
                        struct failure *failure)
{
    char fingerprint[ISSUE_FINGERPRINT_SIZE];
    struct conversation conversation = { .config = config, .deadline_ms = deadline_ms };
    int result = check_config(config, failure);
    if (result < 0)
        return result;
    if (!issue_fingerprint(cause, fingerprint))
        return failure_set(failure, -ENOMEM, "OutOfMemory", "out of memory for the fingerprint");
    if (is_known(known, fingerprint))
        return 0;
    result = talk(&conversation, known, cause, fingerprint, failure);
    close_conversation(&conversation);
    return result;
}
