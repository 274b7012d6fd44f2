/* SPDX-License-Identifier: Apache-2.0 */
/* JSON as a tree that keeps the text of its values: numbers are not turned into
   doubles, which would cost times their nanoseconds. */
#ifndef XR_OTLP_TREE_H
#define XR_OTLP_TREE_H

#include "otlp/memory.h"
#include "otlp/otlp.h"

#define XR_TREE_DEPTH_MAX  1000
#define XR_TREE_VALUES_MAX 600000u
#define XR_TREE_WHOLE      XR_TREE_DEPTH_MAX

enum xr_tree_type {
    XR_TREE_NULL,
    XR_TREE_TRUTH,
    XR_TREE_NUMBER,
    XR_TREE_STRING,
    XR_TREE_ARRAY,
    XR_TREE_OBJECT,
};

struct xr_tree {
    enum xr_tree_type type;
    bool truth;
    struct xr_slice key;  /* in an object */
    struct xr_slice raw;  /* the value as it is written */
    struct xr_slice text; /* of a string, without its escapes */
    struct xr_tree *children;
    struct xr_tree *next;
};

/* The tree is in the arena, and points into the text. What is deeper than levels is
   checked, but has no children. 0, -EBADMSG with the error, or -ENOMEM. */
int xr_tree_parse(struct xr_tree **ret, struct xr_arena *arena, struct xr_slice text,
                  unsigned levels, struct xr_otlp_error *ret_error);

/* NULL if object is NULL or no object. Of a member that comes twice the last one counts. */
const struct xr_tree *xr_tree_member(const struct xr_tree *object, const char *name);
/* The text of a string; none for anything else. */
struct xr_slice xr_tree_text(const struct xr_tree *value);
struct xr_slice xr_tree_member_text(const struct xr_tree *object, const char *name);
bool xr_tree_is_true(const struct xr_tree *value);

/* Whole numbers, written as such or as a string. */
bool xr_tree_int64(const struct xr_tree *value, int64_t *ret);
bool xr_tree_uint64(const struct xr_tree *value, uint64_t *ret);
/* A number, or a string such as "NaN" and "1.5". */
bool xr_tree_double(const struct xr_tree *value, double *ret);

bool xr_number_int64(struct xr_slice text, int64_t *ret);
bool xr_number_uint64(struct xr_slice text, uint64_t *ret);
/* Of a number as JSON has it, in any locale. */
double xr_number_double(struct xr_slice text);
/* Seconds to nanoseconds, rounded half up, from the digits; false if negative or too large. */
bool xr_number_seconds_ns(struct xr_slice text, uint64_t *ret);

#endif
