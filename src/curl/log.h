/* SPDX-License-Identifier: Apache-2.0 */
/* What set-up calls say when they fail, in the words of the library's own default log. */
#ifndef XR_CURL_LOG_H
#define XR_CURL_LOG_H

/*
 * One line to stderr, without a newline, unless AWS_XRAY_LOG_LEVEL is "silent".
 * Never a credential. errno is left alone.
 */
void xr_curl_log_error(const char *format, ...) __attribute__((__format__(__printf__, 1, 2)));

#endif /* XR_CURL_LOG_H */
