/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The caller's own transfers, as subsegments. Whatever happens here, the transfer
 * is the one the caller asked for, and its handle is afterwards as it was.
 */
#include <xraytrace/curl.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <xraytrace/describe.h>

#include "url.h"

_Static_assert(sizeof(XRAY_TRACE_HEADER_NAME ": ") + XRAY_TRACE_HEADER_SIZE <=
                   sizeof(((xray_curl_transfer *)0)->header),
               "the longest trace header fits");

/* ---- Before --------------------------------------------------------------------------------- */

/* In libcurl's words "Name:" means "do not send it" and "Name;" an empty one: both are a choice. */
static bool has_trace_header(const struct curl_slist *headers)
{
    static const char NAME[] = XRAY_TRACE_HEADER_NAME;
    size_t length = sizeof(NAME) - 1;

    for (; headers; headers = headers->next) {
        const char *line = headers->data;

        if (line && strncasecmp(line, NAME, length) == 0) {
            line += length;
            line += strspn(line, " \t");
            if (*line == ':' || *line == ';')
                return true;
        }
    }
    return false;
}

/* Puts our header before the caller's, in a list that is the caller's from the second line on. */
static void send_header(xray_curl_transfer *transfer, struct curl_slist *headers)
{
    static const char NAME[] = XRAY_TRACE_HEADER_NAME ": ";
    xray_trace_header header;
    char *value = transfer->header + sizeof(NAME) - 1;

    if (has_trace_header(headers))
        return;
    xray_get_header(transfer->segment, &header);
    if (xray_trace_header_format(&header, value, XRAY_TRACE_HEADER_SIZE) == 0)
        return;
    memcpy(transfer->header, NAME, sizeof(NAME) - 1);
    transfer->trace.data = transfer->header;
    transfer->trace.next = headers;
    curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, &transfer->trace);
}

/* The host asked for: a transfer that is redirected keeps that name. */
static void name_after_host(CURL *easy, char *ret, size_t size)
{
    char *url = NULL;

    if (curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url) || !xr_curl_url_host(url, ret, size))
        snprintf(ret, size, "remote");
}

/* The list that the handle has when no header of ours is in it. */
static struct curl_slist *own_list(struct curl_slist *headers)
{
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): the public mark for "none" */
    return headers == XRAY_CURL_NO_HEADERS ? NULL : headers;
}

void xray_curl_begin(xray_curl_transfer *transfer, xray_segment *parent, CURL *easy,
                     struct curl_slist *headers)
{
    char name[XR_CURL_HOST_SIZE];

    if (!transfer)
        return;
    memset(transfer, 0, sizeof(*transfer));
    transfer->easy = easy;
    transfer->headers = headers;
    if (!easy)
        return;
    /* Also without a parent: a caller who passes headers here need not set them as well. */
    if (headers)
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, own_list(headers));
    if (!parent)
        return;
    name_after_host(easy, name, sizeof(name));
    transfer->segment = xray_start_subsegment_with(
        parent, xray_subsegment_params(.name = name, .name_space = "remote"));
    if (headers)
        send_header(transfer, own_list(headers));
}

/* ---- After ------------------------------------------------------------------------------------
 */

static bool is_http(CURL *easy)
{
    char *scheme = NULL;

    return curl_easy_getinfo(easy, CURLINFO_SCHEME, &scheme) == CURLE_OK && scheme &&
           (strcasecmp(scheme, "http") == 0 || strcasecmp(scheme, "https") == 0);
}

/* Returns HTTP's status, 0 without one. */
static int32_t record_exchange(xray_segment *segment, CURL *easy)
{
    xray_http http = { .size = sizeof(http) };
    char *url = NULL, *method = NULL, *shown;
    curl_off_t length = -1;
    long status = 0;

    curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);
    curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_METHOD, &method);
    curl_easy_getinfo(easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (is_http(easy))
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    shown = xr_curl_url_public(url);
    http.url = shown;
    http.method = method;
    http.content_length = status > 0 && length > 0 ? length : 0;
    http.status = (int32_t)status;
    xray_set_http(segment, &http);
    curl_free(shown);
    return http.status;
}

/* A callee may say that it keeps its segment. Before libcurl 7.84 nobody can ask for it. */
static void note_answer(xray_segment *segment, CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075400
    struct curl_header *found;
    xray_trace_header answer;

    if (curl_easy_header(easy, XRAY_TRACE_HEADER_NAME, 0, CURLH_HEADER, -1, &found) == CURLHE_OK &&
        xray_trace_header_parse(&answer, found->value) >= 0)
        xray_note_response_header(segment, &answer);
#else
    (void)segment;
    (void)easy;
#endif
}

/* CURLOPT_FAILONERROR makes a status an error of the transfer: it is no worse for that. */
static int32_t marks_of(CURLcode result, int32_t status)
{
    if (result != CURLE_HTTP_RETURNED_ERROR || status < 400 || status >= 500)
        return XRAY_FAULT;
    return status == 429 ? XRAY_THROTTLE | XRAY_ERROR : XRAY_ERROR;
}

static void record_failure(xray_segment *segment, CURLcode result, int32_t status)
{
    char type[32];
    xray_exception exception = { .size = sizeof(exception) };

    snprintf(type, sizeof(type), "CURLcode %d", (int)result);
    exception.type = type;
    /* Not the text of CURLOPT_ERRORBUFFER, which may quote what was sent. */
    exception.message = curl_easy_strerror(result);
    exception.remote = 1;
    exception.flags = marks_of(result, status);
    xray_add_exception_with(segment, &exception);
}

void xray_curl_end(xray_curl_transfer *transfer, CURLcode result)
{
    int32_t status;

    if (!transfer || !transfer->easy)
        return;
    if (xray_is_recording(transfer->segment)) {
        status = record_exchange(transfer->segment, transfer->easy);
        note_answer(transfer->segment, transfer->easy);
        if (result != CURLE_OK)
            record_failure(transfer->segment, result, status);
    }
    xray_end(transfer->segment);
    if (transfer->headers)
        curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, own_list(transfer->headers));
    /* A second end finds nothing to do. */
    transfer->easy = NULL;
    transfer->segment = NULL;
}

CURLcode xray_curl_perform(CURL *easy, struct curl_slist *headers)
{
    xray_curl_transfer transfer;
    CURLcode result;

    xray_curl_begin(&transfer, xray_current(), easy, headers);
    result = curl_easy_perform(easy);
    xray_curl_end(&transfer, result);
    return result;
}
