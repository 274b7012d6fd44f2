/* SPDX-License-Identifier: Apache-2.0 */
/* A tree asked of the facts of one trace. Nothing is allocated, and the depth is the
   tree's. */
#include "local/filter/internal.h"
#include "local/trace/summary.h"

#include <string.h>
#include <strings.h>

static bool client_calls(const struct reference *client, const struct facts_segment *segment)
{
    const struct reference root = { .name = client->name, .account_id = client->account_id };
    return (segment->item.marks & MARK_ROOT) && reference_matches(&root, segment);
}

/* ---- Booleans ---- */

static const struct facts_segment *root_of(const struct facts *facts)
{
    return facts->root == FACTS_NONE ? NULL : &facts->segments[facts->root];
}

static bool has_inferred(const struct facts *facts)
{
    for (uint32_t i = 0; i < facts->segment_count; i++)
        if (facts->segments[i].item.marks & MARK_INFERRED)
            return true;
    return false;
}

static bool is_inferred(const struct scope *scope)
{
    if (scope->kind == SCOPE_TRACE)
        return has_inferred(scope->facts);
    const struct facts_segment *segment = scope->kind == SCOPE_EDGE
                                              ? &scope->facts->segments[scope->call->to]
                                              : scope->segment;
    return segment->item.marks & MARK_INFERRED;
}

static bool is_remote(const struct scope *scope)
{
    if (scope->exception)
        return scope->exception->remote;
    if (SCOPE_IS_CAUSE(scope->kind))
        return scope->entity_count > 0 && scope->entities[0].remote;
    return scope->item && scope->item->marks & MARK_REMOTE;
}

static bool is_partial(const struct scope *scope)
{
    return scope->kind == SCOPE_TRACE ? scope->facts->partial
                                      : scope->item->marks & MARK_IN_PROGRESS;
}

static bool truth(enum word word, const struct scope *scope)
{
    const struct facts_segment *root = root_of(scope->facts);
    /* A trace is as its root is. Without one it has not gone well either. */
    uint32_t marks = scope->item ? scope->item->marks : root ? root->item.marks : MARK_IN_PROGRESS;
    switch (word) {
    case WORD_OK:
        return !(marks & (MARK_FAULT | MARK_ERROR | MARK_THROTTLE | MARK_IN_PROGRESS));
    case WORD_ERROR:
        return marks & MARK_ERROR;
    case WORD_THROTTLE:
        return marks & MARK_THROTTLE;
    case WORD_FAULT:
        return marks & MARK_FAULT;
    case WORD_PARTIAL:
        return is_partial(scope);
    case WORD_INFERRED:
        return is_inferred(scope);
    case WORD_FIRST:
        return scope->index == 0;
    case WORD_LAST:
        return scope->index + 1 == scope->count;
    case WORD_REMOTE:
        return is_remote(scope);
    default: /* WORD_ROOT */
        return scope->kind == SCOPE_TRACE || scope->segment->item.marks & MARK_ROOT;
    }
}

/* ---- Numbers ---- */

static const struct facts_http *http_of(const struct scope *scope)
{
    const struct facts_segment *root = root_of(scope->facts);
    return scope->item ? scope->item->http : root ? root->item.http : NULL;
}

/* Of what goes on nobody knows how long it takes. */
static bool response_time(const struct scope *scope, double *ret)
{
    const struct facts_segment *root = root_of(scope->facts);
    const struct facts_item *item = scope->item ? scope->item : root ? &root->item : NULL;
    if (!item || item->marks & MARK_IN_PROGRESS)
        return false;
    *ret = scope->item ? item->end - item->start : scope->facts->response_time;
    return true;
}

static bool duration(const struct scope *scope, double *ret)
{
    if (scope->kind == SCOPE_EDGE)
        return response_time(scope, ret);
    if (scope->item && scope->item->marks & MARK_IN_PROGRESS)
        return false;
    *ret = scope->item ? scope->segment->last_end - scope->item->start
                       : scope->facts->end - scope->facts->start;
    return true;
}

/* False: it has no such number. */
static bool number(enum word word, const struct scope *scope, double *ret)
{
    const struct facts_http *http;
    switch (word) {
    case WORD_RESPONSETIME:
    case WORD_DURATION:
        if (!(word == WORD_DURATION ? duration : response_time)(scope, ret))
            return false;
        *ret = summary_round(*ret);
        return true;
    case WORD_HTTP_STATUS:
        http = http_of(scope);
        *ret = http ? http->status : 0;
        return *ret != 0;
    case WORD_INDEX:
        *ret = scope->index;
        return true;
    default: /* WORD_COVERAGE */
        *ret = scope->entity_count > 0 ? scope->entities[0].coverage : 0;
        return scope->entity_count > 0 && scope->is_timed;
    }
}

static bool test_number(enum comparison compare, double a, double b)
{
    switch (compare) {
    case COMPARE_EQUAL:
        return a == b;
    case COMPARE_NOT_EQUAL:
        return a != b;
    case COMPARE_LESS:
        return a < b;
    case COMPARE_LESS_EQUAL:
        return a <= b;
    case COMPARE_GREATER:
        return a > b;
    case COMPARE_GREATER_EQUAL:
        return a >= b;
    default: /* COMPARE_NONE: it is there */
        return true;
    }
}

/* ---- Texts ---- */

static bool same_bytes(const char *a, const char *b, size_t length, bool any_case)
{
    return (any_case ? strncasecmp(a, b, length) : strncmp(a, b, length)) == 0;
}

static bool compare_text(enum comparison compare, const char *text, const char *value,
                         bool any_case)
{
    if (!text)
        return false;
    size_t length = strlen(text);
    size_t part = strlen(value ? value : "");
    switch (compare) {
    case COMPARE_EQUAL:
        return length == part && same_bytes(text, value, part, any_case);
    case COMPARE_NOT_EQUAL:
        return length != part || !same_bytes(text, value, part, any_case);
    case COMPARE_CONTAINS:
        return any_case ? strcasestr(text, value) : strstr(text, value);
    case COMPARE_BEGINSWITH:
        return same_bytes(text, value, part, any_case);
    case COMPARE_ENDSWITH:
        return length >= part && same_bytes(text + length - part, value, part, any_case);
    default: /* COMPARE_NONE */
        return true;
    }
}

static bool test_text(enum comparison compare, const char *text, const char *value)
{
    return compare_text(compare, text, value, false);
}

/* Programs write methods in any case. */
static bool test_method(enum comparison compare, const char *text, const char *value)
{
    return compare_text(compare, text, value, true);
}

static bool test_http(const struct node *node, const struct scope *scope)
{
    const struct facts_http *http = http_of(scope);
    const char *value = node->value.string;
    if (!http)
        return false;
    switch (node->word) {
    case WORD_HTTP_URL:
        return test_text(node->compare, http->url, value);
    case WORD_HTTP_METHOD:
        return test_method(node->compare, http->method, value);
    case WORD_HTTP_USERAGENT:
        return test_text(node->compare, http->user_agent, value);
    default: /* WORD_HTTP_CLIENTIP */
        return test_text(node->compare, http->client_ip, value);
    }
}

static bool test_exceptions(const struct node *node, const struct facts *facts, uint32_t first,
                            uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (test_text(node->compare, facts->exceptions[first + i].message, node->value.string))
            return true;
    return false;
}

static bool test_message(const struct node *node, const struct scope *scope)
{
    const struct facts *facts = scope->facts;
    if (scope->exception)
        return test_text(node->compare, scope->exception->message, node->value.string);
    if (!SCOPE_IS_CAUSE(scope->kind))
        return scope->item ? test_exceptions(node, facts, scope->item->first_exception,
                                             scope->item->exceptions)
                           : test_exceptions(node, facts, 0, facts->exception_count);
    for (uint32_t i = 0; i < scope->entity_count; i++)
        if (test_exceptions(node, facts, scope->entities[i].first_exception,
                            scope->entities[i].exceptions))
            return true;
    return false;
}

static const char *segment_text(enum word word, const struct facts_segment *segment,
                                const struct facts_item *item)
{
    switch (word) {
    case WORD_USER:
        return item->user;
    case WORD_NAME:
        return item->name;
    case WORD_TYPE:
        return item->type;
    case WORD_ACCOUNT_ID:
        return item->account_id;
    case WORD_AVAILABILITYZONE:
        return segment->availability_zone;
    case WORD_INSTANCE_ID:
        return segment->instance_id;
    default: /* WORD_RESOURCE_ARN */
        return segment->resource_arn;
    }
}

static const char *scope_text(enum word word, const struct scope *scope)
{
    if (scope->exception && (word == WORD_NAME || word == WORD_TYPE))
        return scope->exception->type;
    if (scope->kind == SCOPE_CAUSE_ENTITY && word == WORD_NAME)
        return scope->entities[0].name;
    return segment_text(word, scope->segment, scope->item);
}

static bool test_texts(const struct node *node, const struct scope *scope)
{
    const struct facts *facts = scope->facts;
    if (node->word >= WORD_HTTP_URL && node->word <= WORD_HTTP_CLIENTIP)
        return test_http(node, scope);
    if (node->word == WORD_MESSAGE)
        return test_message(node, scope);
    if (scope->item)
        return test_text(node->compare, scope_text(node->word, scope), node->value.string);
    for (uint32_t i = 0; i < facts->segment_count; i++) {
        const struct facts_segment *segment = &facts->segments[i];
        if (test_text(node->compare, segment_text(node->word, segment, &segment->item),
                      node->value.string))
            return true;
    }
    return false;
}

static bool evaluate_word(const struct node *node, const struct scope *scope)
{
    double found;
    switch (word_kind(node->word)) {
    case WORD_BOOLEAN:
        if (node->compare == COMPARE_NONE)
            return truth(node->word, scope);
        return (truth(node->word, scope) == node->value.boolean) ==
               (node->compare == COMPARE_EQUAL);
    case WORD_NUMBER:
        return number(node->word, scope, &found) &&
               test_number(node->compare, found, node->value.number);
    default:
        return test_texts(node, scope);
    }
}

/* ---- Annotations ---- */

static bool equal_values(const struct facts_value *a, const struct constant *b)
{
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case VALUE_STRING:
        return strcmp(a->string, b->string) == 0;
    case VALUE_NUMBER:
        return a->number == b->number;
    case VALUE_BOOLEAN:
        break;
    }
    return a->boolean == b->boolean;
}

static bool test_value(const struct node *node, const struct facts_value *value)
{
    switch (node->compare) {
    case COMPARE_NONE:
        return value->type != VALUE_BOOLEAN || value->boolean;
    case COMPARE_EQUAL:
        return equal_values(value, &node->value);
    case COMPARE_NOT_EQUAL:
        return !equal_values(value, &node->value);
    case COMPARE_CONTAINS:
    case COMPARE_BEGINSWITH:
    case COMPARE_ENDSWITH:
        return value->type == VALUE_STRING &&
               test_text(node->compare, value->string, node->value.string);
    default:
        return value->type == VALUE_NUMBER &&
               test_number(node->compare, value->number, node->value.number);
    }
}

static bool evaluate_annotation(const struct node *node, const struct scope *scope)
{
    const struct facts *facts = scope->facts;
    for (uint32_t i = 0; i < facts->annotation_count; i++) {
        const struct facts_annotation *annotation = &facts->annotations[i];
        if (scope->segment && (annotation->segment == FACTS_NONE ||
                               &facts->segments[annotation->segment] != scope->segment))
            continue;
        if (strcmp(annotation->key, node->key) == 0 && test_value(node, &annotation->value))
            return true;
    }
    return false;
}

/* ---- Services and calls ---- */

/* Empty braces hold for all. */
static bool evaluate_segment(const struct node *inner, const struct scope *trace,
                             const struct facts_segment *segment)
{
    const struct scope scope = {
        .kind = SCOPE_SERVICE,
        .answers = trace->answers,
        .facts = trace->facts,
        .segment = segment,
        .item = &segment->item,
    };
    return !inner || evaluate(inner, &scope);
}

static bool evaluate_service(const struct node *node, const struct scope *trace)
{
    const struct facts *facts = trace->facts;
    bool client = reference_is_client(&node->from);
    for (uint32_t i = 0; i < facts->segment_count; i++) {
        const struct facts_segment *segment = &facts->segments[i];
        if ((client ? client_calls : reference_matches)(&node->from, segment) &&
            evaluate_segment(node->first, trace, segment))
            return true;
    }
    return false;
}

/* Of a client's call there is only what the root says. */
static bool evaluate_client_edge(const struct node *node, const struct scope *trace)
{
    const struct facts *facts = trace->facts;
    for (uint32_t i = 0; i < facts->segment_count; i++) {
        const struct facts_segment *segment = &facts->segments[i];
        if (client_calls(&node->from, segment) && reference_matches(&node->to, segment) &&
            evaluate_segment(node->first, trace, segment))
            return true;
    }
    return false;
}

static bool evaluate_edge(const struct node *node, const struct scope *trace)
{
    const struct facts *facts = trace->facts;
    if (reference_is_client(&node->from))
        return evaluate_client_edge(node, trace);
    for (uint32_t i = 0; i < facts->call_count; i++) {
        const struct facts_call *call = &facts->calls[i];
        const struct scope scope = {
            .kind = SCOPE_EDGE,
            .answers = trace->answers,
            .facts = facts,
            .segment = &facts->segments[call->from],
            .item = &call->item,
            .call = call,
        };
        if (reference_matches(&node->from, scope.segment) &&
            reference_matches(&node->to, &facts->segments[call->to]) &&
            (!node->first || evaluate(node->first, &scope)))
            return true;
    }
    return false;
}

static bool evaluate_list(const struct node *node, const struct scope *scope)
{
    bool or = node->kind == NODE_OR;
    for (const struct node *operand = node->first; operand; operand = operand->next)
        if (evaluate(operand, scope) == or)
            return or ;
    return ! or ;
}

static bool evaluate_trace(const struct node *node, const struct scope *scope)
{
    const struct scope trace = { .kind = SCOPE_TRACE,
                                 .answers = scope->answers,
                                 .facts = scope->facts };
    switch (node->kind) {
    case NODE_SERVICE:
        return evaluate_service(node, &trace);
    case NODE_EDGE:
        return evaluate_edge(node, &trace);
    case NODE_CAUSE:
        return evaluate_causes(node, &trace);
    case NODE_CAUSE_JSON:
        return evaluate_cause_json(node, scope->facts);
    default: /* NODE_GROUP */
        return evaluate(node->first, &trace) == (node->compare == COMPARE_EQUAL);
    }
}

static bool evaluate_once(const struct node *node, const struct scope *scope)
{
    struct answers *answers = scope->answers;
    unsigned char *known = &answers->known[node->number / 8];
    unsigned char *yes = &answers->yes[node->number / 8];
    unsigned char bit = (unsigned char)(1u << node->number % 8);
    if (*known & bit)
        return *yes & bit;
    bool answer = evaluate_trace(node, scope);
    *known |= bit;
    *yes = answer ? *yes | bit : *yes & (unsigned char)~bit;
    return answer;
}

bool evaluate(const struct node *node, const struct scope *scope)
{
    switch (node->kind) {
    case NODE_ALL:
        return true;
    case NODE_AND:
    case NODE_OR:
        return evaluate_list(node, scope);
    case NODE_NOT:
        return !evaluate(node->first, scope);
    case NODE_WORD:
        return evaluate_word(node, scope);
    case NODE_ANNOTATION:
        return evaluate_annotation(node, scope);
    default:
        return evaluate_once(node, scope);
    }
}
