/* SPDX-License-Identifier: Apache-2.0 */
/* Filter expressions as they are typed: whether one is right, and what may come next. */
#include "local/api/groups.h"
#include "local/api/page_internal.h"
#include "local/filter/filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX        250u /* longer ones are no help */
#define SERVICES_MAX    200u
#define ANNOTATIONS_MAX 200u
#define VALUES_MAX      20
#define USERS_MAX       50u
#define URLS_MAX        50u

static void add_note(void *data, size_t position, const char *sentence)
{
    cJSON *note = cJSON_CreateObject();
    cJSON_AddNumberToObject(note, "position", (double)position);
    cJSON_AddStringToObject(note, "message", sentence);
    cJSON_AddItemToArray(data, note);
}

static cJSON *describe(const struct filter *filter)
{
    struct buffer buffer = { 0 };
    filter_print(filter, &buffer);
    char *canonical = buffer_take(&buffer, NULL);
    cJSON *body = cJSON_CreateObject();
    cJSON_AddTrueToObject(body, "ok");
    cJSON_AddStringToObject(body, "canonical", canonical ? canonical : "");
    filter_notes(filter, add_note, cJSON_AddArrayToObject(body, "notes"));
    free(canonical);
    return body;
}

void page_filter(const struct page_call *call)
{
    const char *expression = http_query(call->request, "expression");
    struct filter *filter;
    struct filter_error error;
    if (!expression) {
        api_invalid(call->reply, "give the filter as ?expression=…");
        return;
    }
    int r = group_filter_parse(&filter, expression, strlen(expression), call->api->store, &error);
    if (r == -ENOMEM) {
        api_reply(call->reply, NULL);
        return;
    }
    cJSON *body;
    if (r < 0) {
        body = cJSON_CreateObject();
        cJSON_AddFalseToObject(body, "ok");
        cJSON_AddNumberToObject(body, "position", (double)error.position);
        cJSON_AddStringToObject(body, "message", error.message);
    } else {
        body = describe(filter);
        filter_free(filter);
    }
    api_reply(call->reply, body);
}

/* ---- words ---- */

/* Texts that were seen, each once, in order. */
struct seen {
    const char *text;
    const char *more; /* a service's type, or an annotation's value printed */
    cJSON *list;      /* of an annotation: its values */
};

struct seen_set {
    struct seen items[SERVICES_MAX];
    size_t count;
    size_t most;
};

static int compare_texts(const char *a, const char *b)
{
    if (!a || !b)
        return (a != NULL) - (b != NULL);
    return strcmp(a, b);
}

/* NULL if it is too long, or there is no room. */
static struct seen *note_seen(struct seen_set *set, const char *text, const char *more)
{
    size_t low = 0;
    size_t high = set->count;
    if (!text || !*text || strlen(text) > TEXT_MAX)
        return NULL;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int r = compare_texts(set->items[middle].text, text);
        if (r == 0)
            r = compare_texts(set->items[middle].more, more);
        if (r == 0)
            return &set->items[middle];
        if (r < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (set->count == set->most)
        return NULL;
    memmove(&set->items[low + 1], &set->items[low], (set->count - low) * sizeof *set->items);
    set->count++;
    set->items[low] = (struct seen){ .text = text, .more = more };
    return &set->items[low];
}

struct vocabulary {
    struct seen_set services;
    struct seen_set annotations;
    struct seen_set users;
    struct seen_set urls;
};

static cJSON *value_json(const struct facts_value *value)
{
    if (value->type == VALUE_NUMBER)
        return cJSON_CreateNumber(value->number);
    if (value->type == VALUE_BOOLEAN)
        return cJSON_CreateBool(value->boolean);
    return strlen(value->string) > TEXT_MAX ? NULL : cJSON_CreateString(value->string);
}

static void note_value(struct seen *seen, const struct facts_value *value)
{
    const cJSON *other;
    if (!seen->list)
        seen->list = cJSON_CreateArray();
    if (cJSON_GetArraySize(seen->list) >= VALUES_MAX)
        return;
    cJSON *json = value_json(value);
    cJSON_ArrayForEach(other, seen->list)
    {
        if (cJSON_Compare(other, json, true)) {
            cJSON_Delete(json);
            return;
        }
    }
    if (json)
        cJSON_AddItemToArray(seen->list, json);
}

static void note_item(struct vocabulary *words, const struct facts_item *item)
{
    note_seen(&words->users, item->user, NULL);
    if (item->http)
        note_seen(&words->urls, item->http->url, NULL);
}

static void note_facts(struct vocabulary *words, const struct facts *facts)
{
    for (uint32_t i = 0; i < facts->segment_count; i++) {
        const struct facts_item *item = &facts->segments[i].item;
        note_seen(&words->services, item->name, item->type);
        note_item(words, item);
    }
    for (uint32_t i = 0; i < facts->call_count; i++)
        note_item(words, &facts->calls[i].item);
    for (uint32_t i = 0; i < facts->annotation_count; i++) {
        struct seen *seen = note_seen(&words->annotations, facts->annotations[i].key, NULL);
        if (seen)
            note_value(seen, &facts->annotations[i].value);
    }
}

static void add_texts(cJSON *body, const char *name, const struct seen_set *set)
{
    cJSON *list = cJSON_AddArrayToObject(body, name);
    for (size_t i = 0; i < set->count; i++)
        cJSON_AddItemToArray(list, cJSON_CreateString(set->items[i].text));
}

static void add_language(cJSON *body)
{
    static const char *const kinds[] = {
        [WORD_BOOLEAN] = "boolean", [WORD_NUMBER] = "number",     [WORD_STRING] = "string",
        [WORD_COMPLEX] = "complex", [WORD_OPERATOR] = "operator",
    };
    size_t count;
    const struct filter_word *words = filter_words(&count);
    cJSON *list = cJSON_AddArrayToObject(body, "words");
    for (size_t i = 0; i < count; i++) {
        cJSON *word = cJSON_CreateObject();
        cJSON_AddStringToObject(word, "text", words[i].text);
        cJSON_AddStringToObject(word, "kind", kinds[words[i].kind]);
        cJSON_AddStringToObject(word, "help", words[i].help);
        cJSON_AddItemToArray(list, word);
    }
}

static cJSON *write_vocabulary(const struct vocabulary *words)
{
    cJSON *body = cJSON_CreateObject();
    add_language(body);
    cJSON *services = cJSON_AddArrayToObject(body, "services");
    for (size_t i = 0; i < words->services.count; i++) {
        cJSON *service = cJSON_CreateObject();
        cJSON_AddStringToObject(service, "name", words->services.items[i].text);
        if (words->services.items[i].more)
            cJSON_AddStringToObject(service, "type", words->services.items[i].more);
        else
            cJSON_AddNullToObject(service, "type");
        cJSON_AddItemToArray(services, service);
    }
    cJSON *annotations = cJSON_AddArrayToObject(body, "annotations");
    for (size_t i = 0; i < words->annotations.count; i++) {
        cJSON *annotation = cJSON_CreateObject();
        cJSON_AddStringToObject(annotation, "key", words->annotations.items[i].text);
        cJSON_AddItemToObject(annotation, "values", words->annotations.items[i].list);
        cJSON_AddItemToArray(annotations, annotation);
    }
    add_texts(body, "users", &words->users);
    add_texts(body, "urls", &words->urls);
    return body;
}

void page_words(const struct page_call *call)
{
    struct found_traces all;
    struct vocabulary *words = calloc(1, sizeof *words);
    if (!words || page_find_all(call->api, &all) < 0) {
        free(words);
        api_reply(call->reply, NULL);
        return;
    }
    words->services.most = SERVICES_MAX;
    words->annotations.most = ANNOTATIONS_MAX;
    words->users.most = USERS_MAX;
    words->urls.most = URLS_MAX;
    for (size_t i = 0; i < all.count; i++)
        note_facts(words, all.traces[i].facts);
    api_reply(call->reply, write_vocabulary(words));
    found_traces_free(&all);
    free(words);
}
