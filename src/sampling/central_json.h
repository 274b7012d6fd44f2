/* SPDX-License-Identifier: Apache-2.0 */
/* Reading replies of X-Ray, which may come from something else: tolerant, and bounded. */
#ifndef XR_SAMPLING_CENTRAL_JSON_H
#define XR_SAMPLING_CENTRAL_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The object that body is, or NULL. A reader's tree takes eighty bytes for each
 * value, and stack for each level, so that too many of them are refused first.
 */
cJSON *xr_reply_parse(const char *body, size_t length);

/* NULL when it is not there, or null. */
const cJSON *xr_reply_member(const cJSON *object, const char *name);

/* A finite number, also one that is written as a string. *ret is left alone without one. */
bool xr_reply_number(const cJSON *object, const char *name, double *ret);

/* False when it is there and no number from least to most. */
bool xr_reply_number_within(const cJSON *object, const char *name, double least, double most,
                            double *ret);

/* Epoch seconds as ns; those that do not fit are the last ones that do. */
bool xr_reply_time(const cJSON *object, const char *name, int64_t *ret_ns);

#endif /* XR_SAMPLING_CENTRAL_JSON_H */
