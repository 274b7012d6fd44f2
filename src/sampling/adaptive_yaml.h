/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small part of YAML, read into cJSON's objects. It has block mappings and
 * sequences, flow ones (so also JSON), plain scalars and quoted ones, each on one
 * line, and comments. All else of YAML is refused: what is read means the same to
 * every reader of YAML.
 */
#ifndef XR_SAMPLING_ADAPTIVE_YAML_H
#define XR_SAMPLING_ADAPTIVE_YAML_H

#include <cjson/cJSON.h>
#include <stddef.h>

#define XR_YAML_DEPTH_MAX   16
#define XR_YAML_MEMBERS_MAX 64 /* of one mapping */

/* Where the reason of a refusal goes: printable ASCII, cut to its size. */
struct xr_yaml_reason {
    char *text; /* may be NULL */
    size_t size;
};

/* Writes "line 3: …"; line 0 is not written. */
void xr_yaml_say(const struct xr_yaml_reason *reason, size_t line, const char *format, ...)
    __attribute__((__format__(__printf__, 3, 4)));

/*
 * Reads one document. Numbers are decimal, and true, false and null are what they
 * are in JSON. 0, or -EINVAL or -ENOMEM with a reason. The caller deletes *ret.
 */
int xr_yaml_parse(cJSON **ret, const char *text, size_t length,
                  const struct xr_yaml_reason *reason);

/* Where an item of the result begins. */
size_t xr_yaml_line(const cJSON *item);

/* The text of a string, or of a plain scalar as it is written (5 is "5"); else NULL. */
const char *xr_yaml_text(const cJSON *item);

#endif /* XR_SAMPLING_ADAPTIVE_YAML_H */
