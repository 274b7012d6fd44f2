/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XRAYTRACE_CURL_H
#define XRAYTRACE_CURL_H

/* libxraytrace-curl: link it beside libxraytrace (pkg-config: xraytrace-curl). */

#include <curl/curl.h>

#include <xraytrace/segment.h>
#include <xraytrace/transport.h>

XRAY_BEGIN_DECLS

/*
 * curl_easy_perform(), as a subsegment of the current segment: named after the
 * host, with method, URL (without user info and query), status and length, and
 * the transport's own error as an exception.
 *
 * headers is the list you would give CURLOPT_HTTPHEADER: libcurl cannot be
 * asked for it. The trace header is put before it for the call, unless it has
 * one, and the handle has headers again when it returns. XRAY_CURL_NO_HEADERS
 * says that there are none. NULL leaves the handle's headers alone: the call is
 * recorded, and nothing is sent downstream.
 *
 * Without a current segment it is curl_easy_perform(). Returns what that does.
 */
#define XRAY_CURL_NO_HEADERS ((struct curl_slist *)-1)
XRAY_API CURLcode xray_curl_perform(CURL *easy, struct curl_slist *headers);

/*
 * The same in two halves, for the multi interface. Lives as long as the transfer,
 * and must not move; its members are the library's.
 */
typedef struct xray_curl_transfer {
    CURL *easy;
    xray_segment *segment;
    struct curl_slist *headers;
    struct curl_slist trace;                  /* our header, then the caller's */
    char header[XRAY_TRACE_HEADER_SIZE + 24]; /* "X-Amzn-Trace-Id: …" */
    void *reserved[8];
} xray_curl_transfer;

/*
 * Before the transfer: fills *transfer in and starts the subsegment, of parent
 * and not of the current segment. The URL and the method are read when it ends.
 */
XRAY_API void xray_curl_begin(xray_curl_transfer *transfer, xray_segment *parent, CURL *easy,
                              struct curl_slist *headers);

/*
 * After it, on any thread: records the outcome, and ends the subsegment. Once
 * for each begin, whatever became of the transfer.
 */
XRAY_API void xray_curl_end(xray_curl_transfer *transfer, CURLcode result);

/*
 * HTTP by libcurl, as a hook. Set ret->size first. Keeps a connection for each
 * thread that uses it. Its requests are never traced. Returns 0, -EINVAL for a
 * struct without its size, or -ENOMEM. Give it to what takes a transport, or
 * call its destroy(data).
 */
XRAY_CHECKED XRAY_API int xray_transport_curl(xray_transport *ret);

/*
 * One line for main(): makes a recorder from the environment, with central
 * sampling through the daemon, the default one for the rest of the process.
 * XRAYTRACE_SAMPLING_RULES, XRAYTRACE_SAMPLING_RATE, or one a second and 5 %,
 * decide until rules are there; in Lambda, which decides itself, nothing is
 * fetched. Returns 0; -EBUSY when the default recorder has been used or set
 * before; or what xray_recorder_new() returned. Called again, it does nothing
 * and returns the same.
 */
XRAY_CHECKED XRAY_API int xray_curl_enable(void);

XRAY_END_DECLS

#endif /* XRAYTRACE_CURL_H */
