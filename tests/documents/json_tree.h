/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A strict reader of compact JSON that keeps what others throw away: how numbers
 * were written, the order of members, and members that are there twice.
 */
#ifndef TESTS_DOCUMENTS_JSON_TREE_H
#define TESTS_DOCUMENTS_JSON_TREE_H

#include <stdbool.h>
#include <stddef.h>

enum node_type {
    NODE_NULL,
    NODE_TRUE,
    NODE_FALSE,
    NODE_NUMBER,
    NODE_STRING,
    NODE_ARRAY,
    NODE_OBJECT
};

struct node {
    enum node_type type;
    const char *raw; /* as it stands in the document, with quotes */
    size_t raw_length;
    const char *key; /* of a member, NUL-terminated and unescaped; else NULL */
    size_t key_length;
    const char *text; /* of a string, likewise */
    size_t text_length;
    size_t characters; /* of a string */
    struct node *parent, *child, *next;
};

/* What is wrong with a text, and where. */
struct json_error {
    const char *what; /* "is not valid UTF-8", for example */
    size_t at;
};

/* NULL, with *ret filled in, unless it is one compact value. Nothing is freed before tree_free().
 */
struct node *tree_parse(const char *text, size_t length, struct json_error *ret);
void tree_free(struct node *root);

/* A member by its name, or NULL. */
const struct node *tree_member(const struct node *object, const char *name);

/* "subsegments[0].http.request.url"; cut at size. */
void tree_path(const struct node *node, char *ret, size_t size);

#endif /* TESTS_DOCUMENTS_JSON_TREE_H */
