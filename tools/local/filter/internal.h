/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of a filter, and what its files share. */
#ifndef LOCAL_FILTER_INTERNAL_H
#define LOCAL_FILTER_INTERNAL_H

#include "local/filter/filter.h"

#include <cjson/cJSON.h>
#include <stdint.h>

/* In the order of the table in words.c, of which they are the indices. */
enum word {
    WORD_OK,
    WORD_ERROR,
    WORD_THROTTLE,
    WORD_FAULT,
    WORD_PARTIAL,
    WORD_INFERRED,
    WORD_FIRST,
    WORD_LAST,
    WORD_REMOTE,
    WORD_ROOT,
    WORD_RESPONSETIME,
    WORD_DURATION,
    WORD_HTTP_STATUS,
    WORD_INDEX,
    WORD_COVERAGE,
    WORD_HTTP_URL,
    WORD_HTTP_METHOD,
    WORD_HTTP_USERAGENT,
    WORD_HTTP_CLIENTIP,
    WORD_USER,
    WORD_NAME,
    WORD_TYPE,
    WORD_MESSAGE,
    WORD_AVAILABILITYZONE,
    WORD_INSTANCE_ID,
    WORD_RESOURCE_ARN,
    WORD_ACCOUNT_ID,
    WORD_KEYS, /* so many can be compared */
};

/* What an expression is asked of. */
enum scope_kind {
    SCOPE_TRACE,
    SCOPE_SERVICE,
    SCOPE_EDGE,
    SCOPE_CAUSE_SERVICE,
    SCOPE_CAUSE_ENTITY,
    SCOPE_CAUSE_EXCEPTION,
};
#define SCOPE_IS_CAUSE(scope) ((scope) >= SCOPE_CAUSE_SERVICE)

enum comparison {
    COMPARE_NONE, /* the key alone */
    COMPARE_EQUAL,
    COMPARE_NOT_EQUAL,
    COMPARE_LESS,
    COMPARE_LESS_EQUAL,
    COMPARE_GREATER,
    COMPARE_GREATER_EQUAL,
    COMPARE_CONTAINS,
    COMPARE_BEGINSWITH,
    COMPARE_ENDSWITH,
};
extern const char *const comparison_texts[];

enum node_kind {
    NODE_ALL, /* every trace */
    NODE_AND,
    NODE_OR,
    NODE_NOT,
    NODE_WORD,
    NODE_ANNOTATION,
    NODE_SERVICE,
    NODE_EDGE,
    NODE_CAUSE,
    NODE_CAUSE_JSON,
    NODE_GROUP,
};

/* A service that is asked for; NULL members match any. */
struct reference {
    char *name;
    char *type;
    char *account_id;
};

struct constant {
    enum facts_value_type type;
    bool boolean;
    double number;
    char *string; /* of every type the text that stood there */
};

/* Of rootcause.json and rootcause.X.…: which causes. */
#define CAUSE_ANY (-1)

struct node {
    enum node_kind kind;
    unsigned number;         /* no other node of the filter has it */
    enum word word;          /* of NODE_WORD */
    enum comparison compare; /* of WORD, ANNOTATION, GROUP, CAUSE_JSON */
    enum scope_kind level;   /* of CAUSE */
    int cause;               /* of CAUSE, CAUSE_JSON: enum facts_cause_kind or CAUSE_ANY */
    bool is_arn;             /* of GROUP */
    struct constant value;   /* of WORD, ANNOTATION; the name of a GROUP */
    char *key;               /* of ANNOTATION */
    struct reference from;   /* of EDGE, SERVICE */
    struct reference to;     /* of EDGE */
    cJSON *json;             /* of CAUSE_JSON */
    struct node *first;      /* AND, OR: operands; others: what is in the braces, or NULL */
    struct node *next;       /* the next operand */
};

struct note {
    size_t position;
    const char *sentence;
};
#define NOTES_MAX 32u

/* With the expressions of groups, which may name others many times. */
#define NODES_MAX 20000u

struct filter {
    struct node *root;
    unsigned node_count;
    struct note notes[NOTES_MAX];
    size_t note_count;
};

struct node *node_new(enum node_kind kind);
void node_free(struct node *node);
void reference_free(struct reference *reference);

/* Where words have a meaning, as a set of 1 << enum scope_kind. */
unsigned word_scopes(enum word word);
enum filter_word_kind word_kind(enum word word);
const char *word_text(enum word word);
/* WORD_KEYS: there is none. */
enum word word_find(const char *text, size_t length);
/* The word that was meant, if it is but a slip away; NULL otherwise. */
const char *word_near(const char *text, size_t length);
bool word_equal(const char *text, size_t length, const char *word);

/* ---- Reading ---- */

struct parser {
    const char *text;
    size_t length;
    size_t at;
    unsigned depth;
    unsigned groups; /* expressions of groups that this one is inside of */
    unsigned *nodes; /* so many has the filter, those of groups too; NULL: not counted */
    enum scope_kind scope;
    const struct filter_groups *known_groups;
    struct filter *filter; /* takes the notes; NULL: none are wanted */
    struct filter_error *error;
    int failure; /* the first one: -EINVAL or -ENOMEM */
};

/* Each remembers the first failure and returns false. */
__attribute__((format(printf, 3, 4))) bool parse_fail(struct parser *p, size_t position,
                                                      const char *format, ...);
bool parse_no_memory(struct parser *p);
/* "unexpected … at N". */
bool parse_unexpected(struct parser *p, const char *expected);
void parse_note(struct parser *p, size_t position, const char *sentence);

void scan_blanks(struct parser *p);
/* After blanks: the next byte, or -1 at the end. */
int scan_peek(struct parser *p);
bool scan_take(struct parser *p, char byte);
bool scan_expect(struct parser *p, char byte);
/* The length of the word at the parser's place, which stays: of letters, digits, _ and .; or
   of what a value without quotes may have. */
size_t scan_key_length(const struct parser *p);
size_t scan_bare_length(const struct parser *p);
bool scan_is_bare(char byte);
/* True, and past it, if this keyword comes next. */
bool scan_keyword(struct parser *p, const char *keyword);
/* Text in quotes. */
bool scan_string(struct parser *p, char **ret);
/* Text in quotes or without. */
bool scan_text(struct parser *p, const char *what, char **ret);
bool scan_constant(struct parser *p, struct constant *ret);

/* NULL is a failure. */
struct node *parse_new_node(struct parser *p, enum node_kind kind);
struct node *parse_expression(struct parser *p);
/* The rest of a term after its first word. */
struct node *parse_service(struct parser *p, size_t position);
struct node *parse_edge(struct parser *p, size_t position);
struct node *parse_cause(struct parser *p, const char *word, size_t length, size_t position);
struct node *parse_group(struct parser *p, bool is_arn, size_t position);
bool parse_reference(struct parser *p, struct reference *ret);
bool parse_comparison(struct parser *p, enum comparison *ret);
/* A whole text, as the filter's own or a group's. */
struct node *parse_all(struct parser *p);
bool parse_check_text(struct parser *p);

/* ---- Asking ---- */

/* What has been asked of the whole trace, by the number of the node: in braces it is
   asked again for each service, and there may be braces in them. */
struct answers {
    unsigned char known[NODES_MAX / 8 + 1];
    unsigned char yes[NODES_MAX / 8 + 1];
};

struct scope {
    enum scope_kind kind;
    struct answers *answers;
    const struct facts *facts;
    const struct facts_segment *segment; /* of an edge the caller; of a trace NULL */
    const struct facts_item *item;       /* of the segment or the call; of a trace NULL */
    const struct facts_call *call;
    /* of causes */
    const struct facts_cause_entity *entities; /* the service's, or the one */
    uint32_t entity_count;
    const struct facts_exception *exception;
    bool is_timed; /* a cause of response time: entities have coverages */
    uint32_t index;
    uint32_t count;
};

bool evaluate(const struct node *node, const struct scope *scope);
bool evaluate_causes(const struct node *node, const struct scope *trace);
bool evaluate_cause_json(const struct node *node, const struct facts *facts);
/* For a client, of the type "client", the segment is the root that it calls. */
bool reference_matches(const struct reference *reference, const struct facts_segment *segment);
bool reference_is_client(const struct reference *reference);

/* Checks the members of the JSON of rootcause.json; the reason on failure. */
bool cause_json_check(const cJSON *json, char *ret_reason, size_t size);

void print_quoted(struct buffer *buffer, const char *text);
/* Any locale writes it with a point, and reading it gives the same number. */
void print_number(struct buffer *buffer, double number);
/* -EINVAL: not a number; -ERANGE: too large. */
int read_number(const char *text, size_t length, double *ret);

#endif
