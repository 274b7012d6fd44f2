/* SPDX-License-Identifier: Apache-2.0 */
/* Small named things beside the traces, such as groups and sampling rules, which
   survive with them. */
#include "local/store/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ITEMS_MAX 10000u

static void free_item(struct kept_item *item)
{
    free(item->kind);
    free(item->name);
    free(item->json);
}

void items_free(struct store *s)
{
    for (size_t i = 0; i < s->item_count; i++)
        free_item(&s->items[i]);
    free(s->items);
}

static int copy_item(const char *kind, const char *name, const char *json, struct kept_item *ret)
{
    *ret = (struct kept_item){ strdup(kind), strdup(name), strdup(json) };
    if (ret->kind && ret->name && ret->json)
        return 0;
    free_item(ret);
    return -ENOMEM;
}

/* The first that is not before kind and name. */
static size_t place_of(const struct store *s, const char *kind, const char *name)
{
    size_t at = 0;
    while (at < s->item_count) {
        const struct kept_item *item = &s->items[at];
        int order = strcmp(item->kind, kind);
        if (order > 0 || (order == 0 && strcmp(item->name, name) >= 0))
            break;
        at++;
    }
    return at;
}

static bool is_item(const struct store *s, size_t at, const char *kind, const char *name)
{
    return at < s->item_count && strcmp(s->items[at].kind, kind) == 0 &&
           strcmp(s->items[at].name, name) == 0;
}

int items_put(struct store *s, const char *kind, const char *name, const char *json)
{
    size_t at = place_of(s, kind, name);
    struct kept_item item;
    bool replaces = is_item(s, at, kind, name);
    if (!replaces && s->item_count == ITEMS_MAX)
        return -ENOSPC;
    int r = copy_item(kind, name, json, &item);
    if (r < 0)
        return r;
    if (replaces) {
        free_item(&s->items[at]);
    } else {
        struct kept_item *items = realloc(s->items, (s->item_count + 1) * sizeof *items);
        if (!items) {
            free_item(&item);
            return -ENOMEM;
        }
        s->items = items;
        memmove(&items[at + 1], &items[at], (s->item_count - at) * sizeof *items);
        s->item_count++;
    }
    s->items[at] = item;
    return 0;
}

static int items_remove(struct store *s, const char *kind, const char *name)
{
    size_t at = place_of(s, kind, name);
    if (!is_item(s, at, kind, name))
        return -ENOENT;
    free_item(&s->items[at]);
    s->item_count--;
    memmove(&s->items[at], &s->items[at + 1], (s->item_count - at) * sizeof *s->items);
    return 0;
}

int store_keep(struct store *s, const char *kind, const char *name, const char *json)
{
    pthread_mutex_lock(&s->lock);
    int r = json ? items_put(s, kind, name, json) : items_remove(s, kind, name);
    if (r == 0 && s->journal)
        journal_keep(s->journal, kind, name, json);
    pthread_mutex_unlock(&s->lock);
    return r;
}

static int copy_items(struct store *s, const char *kind, struct kept_item **ret, size_t *ret_count)
{
    int r = 0;
    size_t count = 0;
    pthread_mutex_lock(&s->lock);
    struct kept_item *items = calloc(s->item_count + 1, sizeof *items);
    for (size_t i = place_of(s, kind, ""); items && r == 0 && i < s->item_count; i++) {
        const struct kept_item *from = &s->items[i];
        if (strcmp(from->kind, kind) != 0)
            break;
        r = copy_item(from->kind, from->name, from->json, &items[count]);
        if (r == 0)
            count++;
    }
    pthread_mutex_unlock(&s->lock);
    *ret = items;
    *ret_count = count;
    return items ? r : -ENOMEM;
}

int store_kept(struct store *s, const char *kind, store_visitor *visitor, void *data)
{
    struct kept_item *items;
    size_t count;
    int r = copy_items(s, kind, &items, &count);
    for (size_t i = 0; i < count; i++) {
        if (r == 0)
            visitor(data, items[i].name, items[i].json);
        free_item(&items[i]);
    }
    free(items);
    return r;
}
