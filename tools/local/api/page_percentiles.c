/* SPDX-License-Identifier: Apache-2.0 */
/* Where a duration is among those of the same name and operation in the store. */
#include "local/api/page_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ITEMS_MAX   5000u
#define SAMPLES_MAX 1000000u

/* What is compared with each other. */
struct group {
    const char *name;
    const char *operation; /* "" if there is none */
    bool call;
    double *seconds;
    size_t count;
    size_t size;
};

struct groups {
    struct group *groups; /* in order */
    size_t count;
    size_t samples;
};

static int compare_groups(const void *a, const void *b)
{
    const struct group *x = a;
    const struct group *y = b;
    int r = x->call - y->call;
    if (r == 0)
        r = strcmp(x->name, y->name);
    return r ? r : strcmp(x->operation, y->operation);
}

static int compare_seconds(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static struct group group_of(const struct facts_item *item, bool call)
{
    return (struct group){ .name = item->name ? item->name : "",
                           .operation = item->operation ? item->operation : "",
                           .call = call };
}

/* What is inferred has the times of the call to it. */
static bool counts(const struct facts_item *item)
{
    return !(item->marks & (MARK_IN_PROGRESS | MARK_INFERRED));
}

static int find_groups(const struct facts *facts, struct groups *ret)
{
    size_t most = (size_t)facts->segment_count + facts->call_count;
    size_t count = 0;
    *ret = (struct groups){ .groups = calloc(most + 1, sizeof *ret->groups) };
    if (!ret->groups)
        return -1;
    for (uint32_t i = 0; i < facts->segment_count; i++)
        if (counts(&facts->segments[i].item))
            ret->groups[count++] = group_of(&facts->segments[i].item, false);
    for (uint32_t i = 0; i < facts->call_count; i++)
        if (counts(&facts->calls[i].item))
            ret->groups[count++] = group_of(&facts->calls[i].item, true);
    qsort(ret->groups, count, sizeof *ret->groups, compare_groups);
    for (size_t i = 0; i < count; i++)
        if (!i || compare_groups(&ret->groups[ret->count - 1], &ret->groups[i]) != 0)
            ret->groups[ret->count++] = ret->groups[i];
    return 0;
}

static struct group *find_group(const struct groups *groups, const struct facts_item *item,
                                bool call)
{
    struct group wanted = group_of(item, call);
    return bsearch(&wanted, groups->groups, groups->count, sizeof *groups->groups, compare_groups);
}

static int add_sample(struct groups *groups, const struct facts_item *item, bool call)
{
    struct group *group = counts(item) ? find_group(groups, item, call) : NULL;
    if (!group || groups->samples == SAMPLES_MAX)
        return 0;
    if (group->count == group->size) {
        size_t size = group->size ? group->size * 2 : 64;
        double *larger = realloc(group->seconds, size * sizeof *larger);
        if (!larger)
            return -1;
        group->seconds = larger;
        group->size = size;
    }
    group->seconds[group->count++] = item->end - item->start;
    groups->samples++;
    return 0;
}

static int add_samples(struct groups *groups, const struct facts *facts)
{
    int r = 0;
    for (uint32_t i = 0; r == 0 && i < facts->segment_count; i++)
        r = add_sample(groups, &facts->segments[i].item, false);
    for (uint32_t i = 0; r == 0 && i < facts->call_count; i++)
        r = add_sample(groups, &facts->calls[i].item, true);
    return r;
}

/* The share of those that were faster, and half of those that took as long: many that
   took the same are in the middle, not at the end. */
static double percentile(const struct group *group, double seconds)
{
    size_t low = 0;
    size_t high = group->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (group->seconds[middle] < seconds)
            low = middle + 1;
        else
            high = middle;
    }
    size_t equal = 0;
    while (low + equal < group->count && group->seconds[low + equal] == seconds)
        equal++;
    double share = ((double)low + (double)equal / 2) / (double)group->count;
    return round(share * 1000) / 10;
}

static void add_item(const struct groups *groups, const struct facts_item *item, bool call,
                     cJSON *list)
{
    char id[ENTITY_ID_LENGTH + 1];
    struct buffer name = { 0 };
    const struct group *group = counts(item) ? find_group(groups, item, call) : NULL;
    if (!group || !group->count)
        return;
    entity_id_format(item->id, id);
    buffer_printf(&name, "%s%s%s", group->name, *group->operation ? " " : "", group->operation);
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "Id", id);
    cJSON_AddNumberToObject(object, "Percentile", percentile(group, item->end - item->start));
    cJSON_AddNumberToObject(object, "Count", (double)group->count);
    cJSON_AddStringToObject(object, "Name", name.text ? name.text : "");
    cJSON_AddItemToArray(list, object);
    buffer_free(&name);
}

/* A segment that is called without a subsegment has the call's id, and a subsegment may
   call several: each id has one line. */
static bool is_named_before(const struct facts *facts, uint32_t call)
{
    uint64_t id = facts->calls[call].item.id;
    const struct facts_segment *to = &facts->segments[facts->calls[call].to];
    return (to->item.id == id && !(to->item.marks & MARK_INFERRED)) ||
           (call && facts->calls[call - 1].item.id == id);
}

static cJSON *write_items(const struct groups *groups, const struct facts *facts)
{
    cJSON *list = cJSON_CreateArray();
    for (uint32_t i = 0; i < facts->segment_count && i < ITEMS_MAX; i++)
        add_item(groups, &facts->segments[i].item, false, list);
    for (uint32_t i = 0; i < facts->call_count && i < ITEMS_MAX; i++)
        if (!is_named_before(facts, i))
            add_item(groups, &facts->calls[i].item, true, list);
    return list;
}

cJSON *page_percentiles(const struct api *api, const struct facts *facts)
{
    struct groups groups;
    struct found_traces all;
    cJSON *list = NULL;
    if (find_groups(facts, &groups) < 0)
        return NULL;
    int r = page_find_all(api, &all);
    if (r == 0) {
        for (size_t i = 0; r == 0 && i < all.count; i++)
            r = add_samples(&groups, all.traces[i].facts);
        for (size_t i = 0; i < groups.count; i++)
            if (groups.groups[i].count)
                qsort(groups.groups[i].seconds, groups.groups[i].count, sizeof(double),
                      compare_seconds);
        if (r == 0)
            list = write_items(&groups, facts);
        found_traces_free(&all);
    }
    for (size_t i = 0; i < groups.count; i++)
        free(groups.groups[i].seconds);
    free(groups.groups);
    return list;
}
