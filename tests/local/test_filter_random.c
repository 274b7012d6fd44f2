/* SPDX-License-Identifier: Apache-2.0 */
/* Random expressions, spelled at random, asked of random facts: what the filter says is
   what a second, slow reading of the rules says, and what it prints is itself again. */
#include "local/filter/filter.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define EXPRESSIONS 10000
#define SEGMENTS    4u
#define CALLS       4u
#define ANNOTATIONS 4u
#define EXCEPTIONS  6u
#define CAUSES      3u
#define SERVICES    5u
#define ENTITIES    7u

static uint64_t state;

static unsigned roll(unsigned sides)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33) % sides;
}

static bool often(unsigned percent)
{
    return roll(100) < percent;
}

#define PICK(array) ((array)[roll(sizeof(array) / sizeof((array)[0]))])

/* Few texts, so that many are equal; no text is another's name in JSON. */
static const char *const texts[] = { "a", "b", "ab", "bab", "A", "x\"y\\z", "\xc3\xa9" };
static const char *const types[] = { "t", "u", "client" };
static const double numbers[] = { 0, 1, 2, 0.5, 404, -3 };

static const char *some_text(void)
{
    return often(25) ? NULL : PICK(texts);
}

/* ---- Facts ---- */

struct world {
    struct facts facts;
    struct facts_http https[SEGMENTS + CALLS];
    struct facts_segment segments[SEGMENTS];
    struct facts_call calls[CALLS];
    struct facts_annotation annotations[ANNOTATIONS];
    struct facts_exception exceptions[EXCEPTIONS];
    struct facts_cause causes[CAUSES];
    struct facts_cause_service services[SERVICES];
    struct facts_cause_entity entities[ENTITIES];
};

static void make_range(unsigned most, uint32_t *ret_first, uint32_t *ret_count)
{
    *ret_first = roll(most);
    *ret_count = roll(most - *ret_first + 1);
}

static void make_item(struct facts_item *item, struct facts_http *http)
{
    *http = (struct facts_http){ .url = some_text(),
                                 .method = some_text(),
                                 .user_agent = some_text(),
                                 .client_ip = some_text(),
                                 .status = often(50) ? 404 : 0 };
    *item = (struct facts_item){
        .name = PICK(texts),
        .type = often(50) ? PICK(types) : NULL,
        .account_id = some_text(),
        .http = often(70) ? http : NULL,
        .user = some_text(),
        .start = 1,
        .end = 1 + (double)roll(3) / 2,
        .marks = roll(128),
    };
    make_range(EXCEPTIONS, &item->first_exception, &item->exceptions);
}

static void make_causes(struct world *w)
{
    for (unsigned i = 0; i < CAUSES; i++) {
        w->causes[i].kind = (enum facts_cause_kind)roll(3);
        make_range(SERVICES, &w->causes[i].first_service, &w->causes[i].services);
    }
    for (unsigned i = 0; i < SERVICES; i++) {
        w->services[i].segment = roll(SEGMENTS);
        make_range(ENTITIES, &w->services[i].first_entity, &w->services[i].entities);
    }
    for (unsigned i = 0; i < ENTITIES; i++) {
        w->entities[i] = (struct facts_cause_entity){ .name = PICK(texts),
                                                      .coverage = (double)roll(3) / 2,
                                                      .remote = often(50) };
        make_range(EXCEPTIONS, &w->entities[i].first_exception, &w->entities[i].exceptions);
    }
}

static void make_world(struct world *w)
{
    memset(w, 0, sizeof *w);
    for (unsigned i = 0; i < SEGMENTS; i++) {
        struct facts_segment *segment = &w->segments[i];
        make_item(&segment->item, &w->https[i]);
        segment->last_end = segment->item.end + (double)roll(2);
        segment->availability_zone = some_text();
        segment->instance_id = some_text();
        segment->resource_arn = some_text();
    }
    for (unsigned i = 0; i < CALLS; i++) {
        make_item(&w->calls[i].item, &w->https[SEGMENTS + i]);
        w->calls[i].from = roll(SEGMENTS);
        w->calls[i].to = roll(SEGMENTS);
    }
    for (unsigned i = 0; i < ANNOTATIONS; i++)
        w->annotations[i] = (struct facts_annotation){
            .key = PICK(texts),
            .value = { (enum facts_value_type)roll(3), PICK(texts), PICK(numbers), often(50) },
            .segment = roll(SEGMENTS),
        };
    for (unsigned i = 0; i < EXCEPTIONS; i++)
        w->exceptions[i] = (struct facts_exception){ some_text(), some_text(), often(50) };
    make_causes(w);
    w->facts = (struct facts){
        .start = 1,
        .end = 1 + (double)roll(4) / 2,
        .response_time = (double)roll(4) / 2,
        .root = often(80) ? roll(SEGMENTS) : FACTS_NONE,
        .partial = often(50),
        .segments = w->segments,
        .calls = w->calls,
        .annotations = w->annotations,
        .exceptions = w->exceptions,
        .causes = w->causes,
        .cause_services = w->services,
        .cause_entities = w->entities,
        .segment_count = SEGMENTS,
        .call_count = roll(CALLS + 1),
        .annotation_count = roll(ANNOTATIONS + 1),
        .exception_count = EXCEPTIONS,
        .cause_count = roll(CAUSES + 1),
    };
}

/* ---- Expressions ---- */

enum term {
    TERM_AND,
    TERM_OR,
    TERM_NOT,
    TERM_KEY,
    TERM_ANNOTATION,
    TERM_SERVICE,
    TERM_EDGE,
    TERM_CAUSE,
    TERM_JSON,
};

struct reference {
    const char *name, *type, *account;
};

/* Where a word is asked: "trace", "service", "edge"; 's', 'e', 'x' of a cause. */
struct expression {
    enum term term;
    struct expression *left, *right;
    const char *key;
    const char *sign; /* "" alone */
    struct facts_value value;
    struct reference from, to;
    int cause; /* -1: any */
    char level;
    const char *json_name, *json_type;
    int json_services, json_entities; /* -1: left out */
};

static const char *const booleans[] = { "ok",       "error", "throttle", "fault", "partial",
                                        "inferred", "root",  "first",    "last",  "remote" };
static const char *const amounts[] = { "responsetime", "duration", "http.status", "index",
                                       "coverage" };
static const char *const strings[] = { "http.url",      "http.method",  "http.useragent",
                                       "http.clientip", "user",         "name",
                                       "type",          "message",      "availabilityzone",
                                       "instance.id",   "resource.arn", "account.id" };
static const char *const orders[] = { "", "=", "!=", "<", "<=", ">", ">=" };
static const char *const likes[] = { "", "=", "!=", "CONTAINS", "BEGINSWITH", "ENDSWITH" };

static struct expression *make_expression(unsigned depth, char scope);

static void make_key(struct expression *e, char scope)
{
    unsigned kind = roll(3);
    e->value.type = kind == 0 ? VALUE_BOOLEAN : kind == 1 ? VALUE_NUMBER : VALUE_STRING;
    e->value.boolean = often(50);
    e->value.number = PICK(numbers);
    e->value.string = PICK(texts);
    /* The last three booleans and two numbers belong to causes, remote to edges too. */
    bool cause = strchr("sex", scope);
    if (kind == 0) {
        e->key = booleans[roll(cause ? 10 : 7)];
        if (scope == 'E' && often(10))
            e->key = "remote";
        e->sign = orders[roll(3)];
    } else if (kind == 1) {
        e->key = amounts[roll(cause ? 5 : 3)];
        e->sign = PICK(orders);
    } else {
        e->key = PICK(strings);
        e->sign = PICK(likes);
    }
}

static void make_annotation(struct expression *e)
{
    e->key = PICK(texts);
    e->value = (struct facts_value){ (enum facts_value_type)roll(3), PICK(texts), PICK(numbers),
                                     often(50) };
    if (e->value.type == VALUE_NUMBER)
        e->sign = PICK(orders);
    else if (e->value.type == VALUE_BOOLEAN)
        e->sign = orders[roll(3)];
    else
        e->sign = PICK(likes);
}

static void make_reference(struct reference *reference)
{
    unsigned bits = often(60) ? 1 : roll(8);
    *reference = (struct reference){ bits & 1 ? PICK(texts) : NULL, bits & 2 ? PICK(types) : NULL,
                                     bits & 4 ? PICK(texts) : NULL };
}

static void make_cause(struct expression *e, unsigned depth)
{
    e->cause = (int)roll(3);
    e->level = "sex"[roll(3)];
    e->left = depth && often(80) ? make_expression(depth - 1, e->level) : NULL;
}

static void make_json(struct expression *e)
{
    e->cause = (int)roll(4) - 1;
    e->sign = often(70) ? "=" : "!=";
    e->json_services = (int)roll(4) - 1;
    e->json_entities = (int)roll(4) - 1;
    e->json_name = often(50) ? PICK(texts) : NULL;
    e->json_type = often(30) ? PICK(types) : NULL;
}

static struct expression *make_expression(unsigned depth, char scope)
{
    struct expression *e = calloc(1, sizeof *e);
    static const enum term leaves[] = { TERM_KEY, TERM_KEY, TERM_KEY, TERM_ANNOTATION, TERM_JSON };
    e->term = depth && often(70) ? (enum term)roll(9) : PICK(leaves);
    switch (e->term) {
    case TERM_AND:
    case TERM_OR:
        e->right = make_expression(depth - 1, scope);
        __attribute__((fallthrough));
    case TERM_NOT:
        e->left = make_expression(depth - 1, scope);
        break;
    case TERM_KEY:
        make_key(e, scope);
        break;
    case TERM_ANNOTATION:
        make_annotation(e);
        break;
    case TERM_SERVICE:
        make_reference(&e->from);
        e->left = often(80) ? make_expression(depth - 1, 'S') : NULL;
        break;
    case TERM_EDGE:
        make_reference(&e->from);
        make_reference(&e->to);
        e->left = often(80) ? make_expression(depth - 1, 'E') : NULL;
        break;
    case TERM_CAUSE:
        make_cause(e, depth);
        break;
    case TERM_JSON:
        make_json(e);
        break;
    }
    return e;
}

static void free_expression(struct expression *e)
{
    if (!e)
        return;
    free_expression(e->left);
    free_expression(e->right);
    free(e);
}

/* ---- Spelling ---- */

static void spell_blanks(struct buffer *out, bool needed)
{
    static const char *const blanks[] = { " ", "  ", "\t", " \n " };
    if (needed || often(30))
        buffer_puts(out, PICK(blanks));
}

/* A keyword in any case. */
static void spell(struct buffer *out, const char *word)
{
    unsigned kind = roll(4);
    for (; *word; word++) {
        char c = *word;
        bool turn = kind == 0 || (kind == 1 && often(50));
        if (c >= 'a' && c <= 'z' && turn)
            c = (char)(c - 'a' + 'A');
        else if (c >= 'A' && c <= 'Z' && turn)
            c = (char)(c - 'A' + 'a');
        buffer_append(out, &c, 1);
    }
}

static void spell_text(struct buffer *out, const char *text)
{
    if (!strpbrk(text, "\"\\") && *text && often(40)) {
        buffer_puts(out, text);
        return;
    }
    buffer_puts(out, "\"");
    for (; *text; text++) {
        bool letter = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z');
        if (*text == '"' || *text == '\\' || (letter && often(20)))
            buffer_puts(out, "\\");
        buffer_append(out, text, 1);
    }
    buffer_puts(out, "\"");
}

static void spell_comparison(struct buffer *out, const struct expression *e)
{
    if (!*e->sign)
        return;
    bool word = *e->sign >= 'A' && *e->sign <= 'Z';
    spell_blanks(out, word);
    spell(out, e->sign);
    spell_blanks(out, word);
    if (e->value.type == VALUE_STRING)
        spell_text(out, e->value.string);
    else if (e->value.type == VALUE_BOOLEAN)
        spell(out, e->value.boolean ? "true" : "false");
    else
        buffer_printf(out, often(50) ? "%g" : "%.3f", e->value.number);
}

static void spell_reference(struct buffer *out, const struct reference *reference)
{
    const char *comma = "";
    if (!reference->type && !reference->account && often(80)) {
        if (reference->name)
            spell_text(out, reference->name);
        return;
    }
    if (!reference->name && !reference->type && !reference->account)
        return;
    buffer_puts(out, "id(");
    for (unsigned i = 0; i < 3; i++) {
        const char *names[] = { "type", "name", "account.id" };
        const char *parts[] = { reference->type, reference->name, reference->account };
        if (!parts[i])
            continue;
        buffer_puts(out, comma);
        spell_blanks(out, false);
        spell(out, names[i]);
        buffer_puts(out, ":");
        spell_blanks(out, false);
        spell_text(out, parts[i]);
        comma = ",";
    }
    buffer_puts(out, ")");
}

static void spell_expression(struct buffer *out, const struct expression *e);

static void spell_braces(struct buffer *out, const struct expression *inner)
{
    if (!inner)
        return;
    spell_blanks(out, false);
    buffer_puts(out, "{");
    spell_expression(out, inner);
    spell_blanks(out, false);
    buffer_puts(out, "}");
}

static void spell_operand(struct buffer *out, const struct expression *e)
{
    bool list = e->term == TERM_AND || e->term == TERM_OR;
    if (list || often(20)) {
        buffer_puts(out, "(");
        spell_expression(out, e);
        buffer_puts(out, ")");
    } else {
        spell_expression(out, e);
    }
}

static void spell_json_text(struct buffer *out, const char *name, const char *text)
{
    buffer_printf(out, "\"%s\": \"", name);
    for (; *text; text++)
        buffer_printf(out, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    buffer_puts(out, "\"");
}

/* Every service of it has the same members. */
static void spell_json(struct buffer *out, const struct expression *e)
{
    static const char *const kinds[] = { "", ".fault", ".error", ".responsetime" };
    spell(out, "rootcause");
    spell(out, kinds[e->cause + 1]);
    buffer_printf(out, ".json%s#[{", e->sign);
    if (e->json_services >= 0)
        buffer_puts(out, "\"Services\": [");
    for (int i = 0; i < e->json_services; i++) {
        const char *comma = "";
        buffer_puts(out, i ? ", {" : "{");
        if (e->json_name) {
            spell_json_text(out, "Name", e->json_name);
            comma = ", ";
        }
        if (e->json_type) {
            buffer_puts(out, comma);
            spell_json_text(out, "Type", e->json_type);
            comma = ", ";
        }
        if (e->json_entities >= 0) {
            buffer_printf(out, "%s\"EntityPath\": [", comma);
            for (int k = 0; k < e->json_entities; k++)
                buffer_puts(out, k ? ", {}" : "{}");
            buffer_puts(out, "]");
        }
        buffer_puts(out, "}");
    }
    buffer_puts(out, e->json_services >= 0 ? "]}]" : "}]");
}

static void spell_annotation(struct buffer *out, const struct expression *e)
{
    spell(out, "annotation");
    if (strlen(e->key) < 4 && (unsigned char)*e->key < 0x80 && often(60)) {
        buffer_printf(out, ".%s", e->key);
    } else {
        buffer_puts(out, "[");
        spell_text(out, e->key);
        buffer_puts(out, "]");
    }
    spell_comparison(out, e);
}

static void spell_list(struct buffer *out, const struct expression *e)
{
    static const char *const ands[] = { " ", " AND ", "&&", " and\n" };
    static const char *const ors[] = { " OR ", "||", " or " };
    spell_operand(out, e->left);
    buffer_puts(out, e->term == TERM_AND ? PICK(ands) : PICK(ors));
    spell_operand(out, e->right);
}

static void spell_expression(struct buffer *out, const struct expression *e)
{
    static const char *const levels[] = { ".service", ".entity", ".exception" };
    static const char *const kinds[] = { "rootcause.fault", "rootcause.error",
                                         "rootcause.responsetime" };
    spell_blanks(out, false);
    switch (e->term) {
    case TERM_AND:
    case TERM_OR:
        spell_list(out, e);
        break;
    case TERM_NOT:
        buffer_puts(out, often(70) ? "!" : "NOT ");
        spell_operand(out, e->left);
        break;
    case TERM_KEY:
        spell(out, e->key);
        spell_comparison(out, e);
        break;
    case TERM_ANNOTATION:
        spell_annotation(out, e);
        break;
    case TERM_SERVICE:
        spell(out, "service");
        buffer_puts(out, "(");
        spell_reference(out, &e->from);
        buffer_puts(out, ")");
        spell_braces(out, e->left);
        break;
    case TERM_EDGE:
        spell(out, "edge");
        buffer_puts(out, "(");
        spell_reference(out, &e->from);
        buffer_puts(out, ",");
        spell_blanks(out, false);
        spell_reference(out, &e->to);
        buffer_puts(out, ")");
        spell_braces(out, e->left);
        break;
    case TERM_CAUSE:
        spell(out, kinds[e->cause]);
        spell(out, levels[strchr("sex", e->level) - "sex"]);
        spell_braces(out, e->left);
        break;
    case TERM_JSON:
        spell_json(out, e);
        break;
    }
}

/* ---- The second reading: a word is a list of values, and one of them has to do ---- */

struct place {
    char scope; /* 'T', 'S', 'E', and of causes 's', 'e', 'x' */
    const struct facts *facts;
    const struct facts_segment *segment;
    const struct facts_item *item;
    const struct facts_call *call;
    const struct facts_cause *cause;
    const struct facts_cause_service *service;
    const struct facts_cause_entity *entity;
    const struct facts_exception *exception;
    uint32_t index, count;
};

struct values {
    struct facts_value list[64];
    unsigned count;
};

static void add_text(struct values *values, const char *text)
{
    if (text)
        values->list[values->count++] = (struct facts_value){ VALUE_STRING, text, 0, false };
}

static void add_number(struct values *values, double number, bool there)
{
    if (there)
        values->list[values->count++] = (struct facts_value){ VALUE_NUMBER, NULL, number, false };
}

static void add_messages(struct values *values, const struct facts *facts, uint32_t first,
                         uint32_t count)
{
    for (uint32_t i = first; i < first + count; i++)
        add_text(values, facts->exceptions[i].message);
}

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static bool naive_boolean(const char *key, const struct place *p)
{
    bool rootless = p->scope == 'T' && p->facts->root == FACTS_NONE;
    const struct facts_item *item = p->item    ? p->item
                                    : rootless ? NULL
                                               : &p->facts->segments[p->facts->root].item;
    uint32_t marks = item ? item->marks : 0;
    if (is(key, "ok"))
        return item && !(marks & MARK_FAULT) && !(marks & MARK_ERROR) && !(marks & MARK_THROTTLE) &&
               !(marks & MARK_IN_PROGRESS);
    if (is(key, "error"))
        return marks & MARK_ERROR;
    if (is(key, "throttle"))
        return marks & MARK_THROTTLE;
    if (is(key, "fault"))
        return marks & MARK_FAULT;
    if (is(key, "partial"))
        return p->scope == 'T' ? p->facts->partial : (marks & MARK_IN_PROGRESS) != 0;
    if (is(key, "root"))
        return p->scope == 'T' || p->segment->item.marks & MARK_ROOT;
    if (is(key, "first"))
        return p->index == 0;
    if (is(key, "last"))
        return p->index == p->count - 1;
    if (is(key, "remote")) {
        if (p->scope == 'E' || p->scope == 'S')
            return marks & MARK_REMOTE;
        return p->exception ? p->exception->remote
               : p->entity  ? p->entity->remote
                            : p->service->entities &&
                                 p->facts->cause_entities[p->service->first_entity].remote;
    }
    cr_assert_str_eq(key, "inferred");
    if (p->scope == 'T') {
        bool any = false;
        for (uint32_t i = 0; i < p->facts->segment_count; i++)
            any = any || p->facts->segments[i].item.marks & MARK_INFERRED;
        return any;
    }
    if (p->scope == 'E')
        return p->facts->segments[p->call->to].item.marks & MARK_INFERRED;
    return p->segment->item.marks & MARK_INFERRED;
}

static void naive_numbers(const char *key, const struct place *p, struct values *values)
{
    const struct facts *facts = p->facts;
    bool rootless = p->scope == 'T' && facts->root == FACTS_NONE;
    const struct facts_item *item = p->item    ? p->item
                                    : rootless ? NULL
                                               : &facts->segments[facts->root].item;
    bool done = item && !(item->marks & MARK_IN_PROGRESS);
    if (is(key, "responsetime")) {
        if (p->scope == 'T')
            add_number(values, facts->response_time, done);
        else
            add_number(values, item->end - item->start, done);
    } else if (is(key, "duration")) {
        if (p->scope == 'T')
            add_number(values, facts->end - facts->start, true);
        else if (p->scope == 'E')
            add_number(values, item->end - item->start, done);
        else
            add_number(values, p->segment->last_end - p->segment->item.start, done);
    } else if (is(key, "http.status")) {
        if (item && item->http)
            add_number(values, item->http->status, item->http->status != 0);
    } else if (is(key, "index")) {
        add_number(values, p->index, true);
    } else if (p->cause->kind == CAUSE_RESPONSE_TIME) {
        const struct facts_cause_entity *entity = p->entity;
        if (!entity && p->service->entities)
            entity = &facts->cause_entities[p->service->first_entity];
        add_number(values, entity ? entity->coverage : 0, entity);
    }
}

static void naive_messages(const struct place *p, struct values *values)
{
    const struct facts *facts = p->facts;
    if (p->scope == 'T') {
        add_messages(values, facts, 0, facts->exception_count);
    } else if (p->scope == 'S' || p->scope == 'E') {
        add_messages(values, facts, p->item->first_exception, p->item->exceptions);
    } else if (p->exception) {
        add_text(values, p->exception->message);
    } else if (p->entity) {
        add_messages(values, facts, p->entity->first_exception, p->entity->exceptions);
    } else {
        for (uint32_t i = 0; i < p->service->entities; i++) {
            const struct facts_cause_entity *e =
                &facts->cause_entities[p->service->first_entity + i];
            add_messages(values, facts, e->first_exception, e->exceptions);
        }
    }
}

static const char *naive_text(const char *key, const struct facts_segment *s,
                              const struct facts_item *item)
{
    return is(key, "user")               ? item->user
           : is(key, "name")             ? item->name
           : is(key, "type")             ? item->type
           : is(key, "account.id")       ? item->account_id
           : is(key, "availabilityzone") ? s->availability_zone
           : is(key, "instance.id")      ? s->instance_id
                                         : s->resource_arn;
}

static void naive_texts(const char *key, const struct place *p, struct values *values)
{
    const struct facts *facts = p->facts;
    if (strncmp(key, "http.", 5) == 0) {
        const struct facts_item *item = p->item;
        if (p->scope == 'T' && facts->root != FACTS_NONE)
            item = &facts->segments[facts->root].item;
        if (item && item->http)
            add_text(values, is(key, "http.url")         ? item->http->url
                             : is(key, "http.method")    ? item->http->method
                             : is(key, "http.useragent") ? item->http->user_agent
                                                         : item->http->client_ip);
    } else if (is(key, "message")) {
        naive_messages(p, values);
    } else if (p->scope == 'T') {
        for (uint32_t i = 0; i < facts->segment_count; i++)
            add_text(values, naive_text(key, &facts->segments[i], &facts->segments[i].item));
    } else if (p->exception && (is(key, "name") || is(key, "type"))) {
        add_text(values, p->exception->type);
    } else if (p->entity && !p->exception && is(key, "name")) {
        add_text(values, p->entity->name);
    } else {
        add_text(values, naive_text(key, p->segment, p->item));
    }
}

static bool naive_like(const char *sign, const char *a, const char *b, bool any_case)
{
    size_t m = strlen(a), n = strlen(b);
    int (*compare)(const char *, const char *, size_t) = any_case ? strncasecmp : strncmp;
    if (is(sign, "BEGINSWITH"))
        return n <= m && compare(a, b, n) == 0;
    if (is(sign, "ENDSWITH"))
        return n <= m && compare(a + m - n, b, n) == 0;
    for (size_t i = 0; i + n <= m; i++)
        if (compare(a + i, b, n) == 0)
            return true;
    return false;
}

static bool naive_does(const struct expression *e, const struct facts_value *found)
{
    const struct facts_value *wanted = &e->value;
    bool any_case = is(e->key, "http.method") && e->term == TERM_KEY;
    if (is(e->sign, ""))
        return found->type != VALUE_BOOLEAN || found->boolean;
    if (is(e->sign, "=") || is(e->sign, "!=")) {
        bool equal = found->type == wanted->type &&
                     (found->type == VALUE_NUMBER    ? found->number == wanted->number
                      : found->type == VALUE_BOOLEAN ? found->boolean == wanted->boolean
                      : any_case ? strcasecmp(found->string, wanted->string) == 0
                                 : is(found->string, wanted->string));
        return equal == is(e->sign, "=");
    }
    if (strchr("<>", *e->sign)) {
        if (found->type != VALUE_NUMBER)
            return false;
        int order = found->number < wanted->number ? '<' : found->number > wanted->number ? '>' : 0;
        return order ? order == *e->sign : e->sign[1] == '=';
    }
    return found->type == VALUE_STRING &&
           naive_like(e->sign, found->string, wanted->string, any_case);
}

static bool naive_any(const struct expression *e, const struct values *values)
{
    bool any = false;
    for (unsigned i = 0; i < values->count; i++)
        any = any || naive_does(e, &values->list[i]);
    return any;
}

static bool naive_key(const struct expression *e, const struct place *p)
{
    struct values values = { .count = 0 };
    if (e->value.type == VALUE_BOOLEAN) {
        bool found = naive_boolean(e->key, p);
        values.list[values.count++] = (struct facts_value){ VALUE_BOOLEAN, NULL, 0, found };
    } else if (e->value.type == VALUE_NUMBER) {
        naive_numbers(e->key, p, &values);
    } else {
        naive_texts(e->key, p, &values);
    }
    return naive_any(e, &values);
}

static bool naive_annotation(const struct expression *e, const struct place *p)
{
    struct values values = { .count = 0 };
    for (uint32_t i = 0; i < p->facts->annotation_count; i++) {
        const struct facts_annotation *a = &p->facts->annotations[i];
        if (is(a->key, e->key) &&
            (p->scope == 'T' || p->segment == &p->facts->segments[a->segment]))
            values.list[values.count++] = a->value;
    }
    return naive_any(e, &values);
}

static bool same(const char *wanted, const char *found)
{
    return !wanted || (found && is(wanted, found));
}

static bool is_client(const struct reference *r)
{
    return r->type && is(r->type, "client");
}

static bool refers(const struct reference *r, const struct facts_item *item)
{
    return same(r->name, item->name) && same(r->type, item->type) &&
           same(r->account, item->account_id);
}

static bool refers_client(const struct reference *r, const struct facts_item *item)
{
    return item->marks & MARK_ROOT && same(r->name, item->name) &&
           same(r->account, item->account_id);
}

static bool naive(const struct expression *e, const struct place *p);

static bool naive_service(const struct expression *e, const struct facts *facts, bool edge)
{
    bool any = false;
    for (uint32_t i = 0; i < facts->segment_count; i++) {
        const struct facts_segment *s = &facts->segments[i];
        struct place place = { .scope = 'S', .facts = facts, .segment = s, .item = &s->item };
        bool meant = is_client(&e->from) ? refers_client(&e->from, &s->item)
                                         : refers(&e->from, &s->item);
        if (edge)
            meant = meant && refers(&e->to, &s->item);
        any = any || (meant && (!e->left || naive(e->left, &place)));
    }
    return any;
}

static bool naive_edge(const struct expression *e, const struct facts *facts)
{
    bool any = false;
    if (is_client(&e->from))
        return naive_service(e, facts, true);
    for (uint32_t i = 0; i < facts->call_count; i++) {
        const struct facts_call *c = &facts->calls[i];
        struct place place = { .scope = 'E',
                               .facts = facts,
                               .segment = &facts->segments[c->from],
                               .item = &c->item,
                               .call = c };
        any = any || (refers(&e->from, &facts->segments[c->from].item) &&
                      refers(&e->to, &facts->segments[c->to].item) &&
                      (!e->left || naive(e->left, &place)));
    }
    return any;
}

static bool naive_here(const struct expression *e, struct place place, char level, uint32_t index,
                       uint32_t count)
{
    place.index = index;
    place.count = count;
    place.scope = level;
    return e->level == level && (!e->left || naive(e->left, &place));
}

static bool naive_cause(const struct expression *e, const struct facts *facts)
{
    bool any = false;
    for (uint32_t c = 0; c < facts->cause_count; c++) {
        struct place p = { .facts = facts, .cause = &facts->causes[c] };
        if ((int)p.cause->kind != e->cause)
            continue;
        for (uint32_t i = 0; i < p.cause->services; i++) {
            p.service = &facts->cause_services[p.cause->first_service + i];
            p.segment = &facts->segments[p.service->segment];
            p.item = &p.segment->item;
            p.entity = NULL;
            any = any || naive_here(e, p, 's', i, p.cause->services);
            for (uint32_t k = 0; k < p.service->entities; k++) {
                p.entity = &facts->cause_entities[p.service->first_entity + k];
                p.exception = NULL;
                any = any || naive_here(e, p, 'e', k, p.service->entities);
                for (uint32_t x = 0; x < p.entity->exceptions; x++) {
                    p.exception = &facts->exceptions[p.entity->first_exception + x];
                    any = any || naive_here(e, p, 'x', x, p.entity->exceptions);
                }
                p.exception = NULL;
            }
        }
    }
    return any;
}

static bool naive_json(const struct expression *e, const struct facts *facts)
{
    bool any = false;
    for (uint32_t c = 0; c < facts->cause_count; c++) {
        const struct facts_cause *cause = &facts->causes[c];
        bool like = (e->cause < 0 || (int)cause->kind == e->cause) &&
                    (e->json_services < 0 || (int)cause->services == e->json_services);
        for (uint32_t i = 0; i < cause->services && e->json_services >= 0; i++) {
            const struct facts_cause_service *s = &facts->cause_services[cause->first_service + i];
            const struct facts_item *item = &facts->segments[s->segment].item;
            like = like && same(e->json_name, item->name) && same(e->json_type, item->type) &&
                   (e->json_entities < 0 || (int)s->entities == e->json_entities);
        }
        any = any || like;
    }
    return any == is(e->sign, "=");
}

static bool naive(const struct expression *e, const struct place *p)
{
    switch (e->term) {
    case TERM_AND:
        return naive(e->left, p) && naive(e->right, p);
    case TERM_OR:
        return naive(e->left, p) || naive(e->right, p);
    case TERM_NOT:
        return !naive(e->left, p);
    case TERM_KEY:
        return naive_key(e, p);
    case TERM_ANNOTATION:
        return naive_annotation(e, p);
    case TERM_SERVICE:
        return naive_service(e, p->facts, false);
    case TERM_EDGE:
        return naive_edge(e, p->facts);
    case TERM_CAUSE:
        return naive_cause(e, p->facts);
    case TERM_JSON:
        break;
    }
    return naive_json(e, p->facts);
}

/* ---- The properties ---- */

static struct filter *parsed(const char *text)
{
    struct filter *filter = NULL;
    struct filter_error error = { 0 };
    int r = filter_parse(&filter, text, strlen(text), NULL, &error);
    cr_assert_eq(r, 0, "%s\n%s", text, error.message);
    return filter;
}

static char *printed(const struct filter *filter)
{
    struct buffer buffer = { 0 };
    filter_print(filter, &buffer);
    return buffer_take(&buffer, NULL);
}

static char *spelled(const struct expression *e)
{
    struct buffer buffer = { 0 };
    spell_expression(&buffer, e);
    return buffer_take(&buffer, NULL);
}

static struct world world;

Test(filter_random, agrees_with_a_second_reading_of_the_rules)
{
    unsigned yes = 0;
    for (unsigned i = 0; i < EXPRESSIONS; i++) {
        state = i;
        struct expression *e = make_expression(4, 'T');
        char *text = spelled(e);
        struct filter *filter = parsed(text);
        for (unsigned k = 0; k < 8; k++) {
            make_world(&world);
            const struct place trace = { .scope = 'T', .facts = &world.facts };
            bool wanted = naive(e, &trace);
            cr_assert_eq(filter_matches(filter, &world.facts), wanted, "%u.%u, not %d: %s", i, k,
                         wanted, text);
            yes += wanted;
        }
        filter_free(filter);
        free(text);
        free_expression(e);
    }
    /* Neither of both is rare. */
    cr_expect(yes > EXPRESSIONS && yes < EXPRESSIONS * 7, "%u", yes);
}

Test(filter_random, prints_what_reads_as_the_same)
{
    for (unsigned i = 0; i < EXPRESSIONS; i++) {
        state = i;
        struct expression *e = make_expression(4, 'T');
        char *text = spelled(e);
        struct filter *filter = parsed(text);
        char *once = printed(filter);
        struct filter *again = parsed(once);
        char *twice = printed(again);
        cr_assert_str_eq(once, twice, "%u: %s", i, text);
        for (unsigned k = 0; k < 8; k++) {
            make_world(&world);
            cr_assert_eq(filter_matches(filter, &world.facts), filter_matches(again, &world.facts),
                         "%u: %s", i, text);
        }
        filter_free(filter);
        filter_free(again);
        free(text);
        free(once);
        free(twice);
        free_expression(e);
    }
}
