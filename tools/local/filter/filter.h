/* SPDX-License-Identifier: Apache-2.0 */
/* X-Ray's filter expressions: text to a tree, a tree against the facts of a trace, and
   back to text. Depth and length are bounded; a filter is immutable and may be used by
   several threads. */
#ifndef LOCAL_FILTER_H
#define LOCAL_FILTER_H

#include "local/base/buffer.h"
#include "local/trace/facts.h"

#include <stdbool.h>
#include <stddef.h>

#define FILTER_LENGTH_MAX 8192u
#define FILTER_DEPTH_MAX  64u

struct filter;

struct filter_error {
    size_t position; /* in bytes, from 0 */
    char message[192];
};

/* For group.name and group.arn: the group's expression, or NULL if there is no such
   group. May be NULL as a whole: then no group is known. */
struct filter_groups {
    const char *(*find)(void *data, const char *name, bool is_arn);
    void *data;
};

/* Empty text, or blanks, match every trace. Messages read like the service's:
   "unexpected '}' at 17". 0, -EINVAL with the error, -ENOMEM. */
int filter_parse(struct filter **ret, const char *text, size_t length,
                 const struct filter_groups *groups, struct filter_error *ret_error);
void filter_free(struct filter *filter);

bool filter_matches(const struct filter *filter, const struct facts *facts);

/* The same filter in one spelling, which parses to the same tree. */
void filter_print(const struct filter *filter, struct buffer *buffer);

/* What the cloud does not take in this filter: a sentence each, through the call. */
typedef void filter_note(void *data, size_t position, const char *sentence);
void filter_notes(const struct filter *filter, filter_note *note, void *data);

/* EntitySelectorExpression of the time series: nothing (all edges), service(…), edge(…,…). */
struct filter_selector;
enum filter_selected {
    SELECTED_EDGES,
    SELECTED_SERVICE,
    SELECTED_EDGE,
};
int filter_selector_parse(struct filter_selector **ret, const char *text, size_t length,
                          struct filter_error *ret_error);
void filter_selector_free(struct filter_selector *selector);
enum filter_selected filter_selector_kind(const struct filter_selector *selector);
bool filter_selector_takes_segment(const struct filter_selector *selector,
                                   const struct facts_segment *segment);
bool filter_selector_takes_call(const struct filter_selector *selector, const struct facts *facts,
                                const struct facts_call *call);

/* The words of the language, for completion: the parser's own table. */
enum filter_word_kind {
    WORD_BOOLEAN,
    WORD_NUMBER,
    WORD_STRING,
    WORD_COMPLEX,
    WORD_OPERATOR,
};
struct filter_word {
    const char *text;
    enum filter_word_kind kind;
    const char *help; /* one sentence */
};
const struct filter_word *filter_words(size_t *ret_count);

#endif
