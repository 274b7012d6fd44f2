/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP request by libcurl. */

#include "http_client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

/* A reply that media-local keeps in memory: what moto answers to its own calls. */
#define REPLY_LIMIT (16u << 20)

struct transfer {
    const struct http_call *call;
    CURL *easy;
    struct buffer body;
};

static size_t on_body(char *bytes, size_t size, size_t count, void *data)
{
    struct transfer *transfer = data;
    size_t length = size * count;
    long status = 0;

    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    if (transfer->call->receive && status < 400)
        return transfer->call->receive(transfer->call->data, bytes, length);
    if (length > REPLY_LIMIT - transfer->body.length)
        return 0;
    buffer_append(&transfer->body, bytes, length);
    return length;
}

static size_t on_header(char *line, size_t size, size_t count, void *data)
{
    struct transfer *transfer = data;
    size_t length = size * count;

    while (length && (line[length - 1] == '\n' || line[length - 1] == '\r'))
        length--;
    if (transfer->call->header)
        transfer->call->header(transfer->call->data, line, length);
    return size * count;
}

static void set_up(CURL *easy, struct transfer *transfer, struct curl_slist **headers)
{
    const struct http_call *call = transfer->call;

    for (const char *const *header = call->headers; header && *header; header++)
        *headers = curl_slist_append(*headers, *header);
    *headers = curl_slist_append(*headers, "Expect:");

    curl_easy_setopt(easy, CURLOPT_URL, call->url);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(call->timeout_ms ? call->timeout_ms : 30000));
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    if (call->body) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body_length);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body);
    }
    if (call->method && strcmp(call->method, "HEAD") == 0)
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    else if (call->method)
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->method);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, *headers);
}

int http_call(struct http_answer *ret, const struct http_call *call)
{
    struct transfer transfer = { .call = call, .easy = curl_easy_init() };
    struct curl_slist *headers = NULL;
    char reason[CURL_ERROR_SIZE] = "";
    long status = 0;

    *ret = (struct http_answer){ 0 };
    if (!transfer.easy) {
        ret->error = text_copy("libcurl cannot start");
        return -EIO;
    }
    curl_easy_setopt(transfer.easy, CURLOPT_ERRORBUFFER, reason);
    set_up(transfer.easy, &transfer, &headers);
    CURLcode code = curl_easy_perform(transfer.easy);
    curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(transfer.easy);
    curl_slist_free_all(headers);

    buffer_text(&transfer.body, "");
    ret->body = transfer.body.data;
    ret->body_length = transfer.body.length;
    ret->status = (int)status;
    if (code != CURLE_OK) {
        ret->error = text_copy(reason[0] ? reason : curl_easy_strerror(code));
        return -EIO;
    }
    return 0;
}

void http_answer_free(struct http_answer *answer)
{
    free(answer->body);
    free(answer->error);
    *answer = (struct http_answer){ 0 };
}
