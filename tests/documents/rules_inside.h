/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the rules share. */
#ifndef TESTS_DOCUMENTS_RULES_INSIDE_H
#define TESTS_DOCUMENTS_RULES_INSIDE_H

#include "json_tree.h"
#include "rules.h"

/* Where an entity stands. */
#define SEGMENT    (1u << 0)
#define SUBSEGMENT (1u << 1) /* a document of its own */
#define EMBEDDED   (1u << 2)

/* The check of one document. */
struct check {
    struct violation *ret;
    struct documents *documents; /* or NULL */
    struct id_set entities, exceptions, causes;
};

/* Every check returns false when it has filled in check->ret. */
typedef bool check_function(struct check *check, const struct node *node, unsigned where);

/* A member that an object may have. */
struct member_rule {
    const char *name;
    check_function *check;
    unsigned where; /* 0: wherever the object may stand */
};

bool broken(struct check *check, enum rule rule, const struct node *node);
bool check_type(struct check *check, const struct node *node, enum node_type type);

/* An object that is not empty, and has these members only; ended by a NULL name. */
bool check_object(struct check *check, const struct node *node, unsigned where,
                  const struct member_rule *rules);

/* An array that is not empty, each element of which keeps the rule. */
bool check_array(struct check *check, const struct node *node, unsigned where,
                 check_function *element);

bool check_required(struct check *check, const struct node *object, const char *name);
bool check_text_of(struct check *check, const struct node *node, size_t characters);
bool read_id(const struct node *node, uint64_t *ret);

check_function check_text, check_long_text, check_truth, check_mark, check_whole, check_count,
    check_id, check_trace_id, check_finite, check_url;

/* Blocks. */
check_function check_service, check_http, check_aws, check_sql, check_links, check_annotations,
    check_metadata, check_cause, check_precursors;

#endif /* TESTS_DOCUMENTS_RULES_INSIDE_H */
