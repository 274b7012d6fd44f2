/* SPDX-License-Identifier: Apache-2.0 */
/* JSON from outside that is to become a part of ours: checked, and without its blanks. */
#ifndef XR_BASE_JSON_TEXT_H
#define XR_BASE_JSON_TEXT_H

#include <stddef.h>
#include <sys/types.h>

#define XR_JSON_DEPTH_MAX 100 /* arrays and objects within each other */

/*
 * Writes text without blanks between its tokens if it is one JSON value as
 * RFC 8259 has it: valid UTF-8, escaped surrogates in pairs, no raw control
 * characters, nothing behind it. Strings and numbers stay as they are written.
 *
 * Returns the length, never more than that of text; no NUL is written.
 * -EINVAL if text is not JSON or too deep; -EMSGSIZE if it is, but does not fit
 * into size bytes. The contents of ret are then undefined. It may be text itself.
 */
ssize_t xr_json_minify(char *ret, size_t size, const char *text, size_t length);

#endif /* XR_BASE_JSON_TEXT_H */
