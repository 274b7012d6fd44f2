/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of X-Ray's segment documents, as far as its schema, its guide and
 * the daemon have them, and those that this library adds for itself.
 */
#ifndef TESTS_DOCUMENTS_RULES_H
#define TESTS_DOCUMENTS_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* With the daemon's header line 63 KiB. */
#define DOCUMENT_MAX (63 * 1024 - 30)

/* Each rule, and what is said of what breaks it. */
#define RULES(RULE)                                                                 \
    RULE(SIZE, "is larger than 63 KiB with the header line")                        \
    RULE(JSON, "is not compact JSON in UTF-8")                                      \
    RULE(ID_FIRST, "does not begin with its id")                                    \
    RULE(TRACE_ID_FIRST, "has another trace_id in its text before its own")         \
    RULE(TYPE_OF_VALUE, "has a value of another type than it may have")             \
    RULE(UNKNOWN_MEMBER, "is no member that X-Ray knows")                           \
    RULE(MEMBER_TWICE, "is there twice")                                            \
    RULE(MISSING_MEMBER, "lacks a member that it has to have")                      \
    RULE(NULL_VALUE, "is null")                                                     \
    RULE(EMPTY, "is empty")                                                         \
    RULE(NOT_IN_A_SEGMENT, "must not stand in a segment")                           \
    RULE(NOT_IN_A_SUBSEGMENT, "must not stand in a subsegment")                     \
    RULE(NOT_EMBEDDED, "must not stand in an embedded subsegment")                  \
    RULE(ID, "is not 16 lower-case hexadecimal digits, one of them not zero")       \
    RULE(TRACE_ID, "is not a trace id such as 1-5759e988-bd862e3fe1be46a994272793") \
    RULE(OWN_PARENT, "is the entity's own id")                                      \
    RULE(ID_TWICE, "has the id of another entity")                                  \
    RULE(SUBSEGMENT_TYPE, "is not \"subsegment\"")                                  \
    RULE(NAME_EMPTY, "has no character")                                            \
    RULE(NAME_CHARACTER, "has a character that names must not have")                \
    RULE(NAME_LENGTH, "has more than 200 characters")                               \
    RULE(TEXT_LENGTH, "is longer than such texts may be")                           \
    RULE(TIME, "is not a plain decimal number")                                     \
    RULE(END_BEFORE_START, "is before start_time")                                  \
    RULE(END_OR_PROGRESS, "has not exactly one of end_time and in_progress")        \
    RULE(MARK, "is neither true nor absent")                                        \
    RULE(THROTTLE_ALONE, "is true without error")                                   \
    RULE(WHOLE_NUMBER, "is no whole number")                                        \
    RULE(NEGATIVE, "is negative")                                                   \
    RULE(INFINITE, "is larger than a double can be")                                \
    RULE(NAMESPACE, "is neither aws nor remote")                                    \
    RULE(PREPARATION, "is neither statement nor call")                              \
    RULE(URL_SECRETS, "has user info, a query or a fragment")                       \
    RULE(ANNOTATION_KEY, "is no key of 1 to 500 letters, digits and _")             \
    RULE(ANNOTATION_VALUE, "is neither text, number nor truth")                     \
    RULE(RESERVED_NAMESPACE, "begins with AWS., which is reserved")                 \
    RULE(AWS_KEY, "is no key of letters, digits and _")                             \
    RULE(PRECURSOR_TWICE, "is a precursor twice")                                   \
    RULE(LINKS, "is more than 20 links")                                            \
    RULE(EXCEPTION_TWICE, "has the id of another exception")                        \
    RULE(CAUSE_UNRESOLVED, "names an exception that is not there")

enum rule {
    RULE_NONE,
#define RULE(name, text) RULE_##name,
    RULES(RULE)
#undef RULE
        RULE_COUNT
};

struct violation {
    enum rule rule;
    char text[400]; /* "subsegments[0].name: has no character" */
};

/* Ids, for looking them up. */
struct id_set {
    uint64_t *ids; /* 0 is a free place */
    size_t size, count;
};

bool id_set_add(struct id_set *set, uint64_t id); /* false if it was there */
bool id_set_has(const struct id_set *set, uint64_t id);
void id_set_clear(struct id_set *set);

/* What several documents, such as all of one program, have to keep between them. */
struct documents {
    struct id_set ended, in_progress; /* entities: each once, and once more in progress */
    struct id_set exceptions;         /* all that are in a document, or were declared */
    struct id_set causes;             /* all that were named */
};

#define DOCUMENT_PADDED (1u << 0) /* may have blanks before its last brace */

/*
 * Checks one document. Returns true, or false with the first rule that it
 * breaks. With documents, its ids are compared with theirs and added to them,
 * and a cause may name what another document has: see documents_end().
 */
bool document_check(const char *text, size_t length, unsigned flags, struct documents *documents,
                    struct violation *ret);

/* An exception that is in no document, but elsewhere. */
void documents_declare(struct documents *documents, uint64_t exception);

/* After the last one: whether every cause is there. Forgets all. */
bool documents_end(struct documents *documents, struct violation *ret);

#endif /* TESTS_DOCUMENTS_RULES_H */
