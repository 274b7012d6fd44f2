/* SPDX-License-Identifier: Apache-2.0 */
/* The DynamoDB operations that the functions need. Items are cJSON objects of attribute values;
 * attribute names always travel as placeholders, since many of ours are reserved words. */
#ifndef PIPELINE_AWS_DYNAMODB_H
#define PIPELINE_AWS_DYNAMODB_H

#include "aws/attribute.h"
#include "aws/client.h"
#include "runtime/text.h"

/* Every cJSON that is passed in is consumed. Functions return 0 or -errno with *failure set. */

/* *ret is NULL when there is no such item. Reads are consistent. */
int dynamodb_get(struct aws *aws, const char *table, cJSON *key, cJSON **ret,
                 struct failure *failure);

/* Replaces the item; *ret_old is what was there, or NULL. */
int dynamodb_put(struct aws *aws, const char *table, cJSON *item, cJSON **ret_old,
                 struct failure *failure);

/* ---- Updates ---------------------------------------------------------------- */

/* What an update does, and on which condition (all of them). All zero is empty. */
struct update {
    cJSON *names;
    cJSON *values;
    int count;
    struct text set, remove, add, take, condition;
};

void update_set(struct update *update, const char *name, cJSON *value);
void update_remove(struct update *update, const char *name);
void update_add(struct update *update, const char *name, cJSON *set);    /* to a set */
void update_delete(struct update *update, const char *name, cJSON *set); /* from a set */
void update_if_equal(struct update *update, const char *name, cJSON *value);
void update_if_absent(struct update *update, const char *name);
void update_release(struct update *update);

/*
 * *update is empty again afterwards. *ret_new (NULL is allowed) is the item as
 * it is then. -EAGAIN when the condition does not hold.
 */
int dynamodb_update(struct aws *aws, const char *table, cJSON *key, struct update *update,
                    cJSON **ret_new, struct failure *failure);

/* ---- Many items -------------------------------------------------------------- */

/* Called for each item; false ends the reading. */
typedef bool (*dynamodb_visitor)(void *data, const cJSON *item);

/* request has everything but TableName. Follows LastEvaluatedKey to the end. */
int dynamodb_scan(struct aws *aws, const char *table, cJSON *request, dynamodb_visitor visitor,
                  void *data, struct failure *failure);

/* DynamoDB's limit for one BatchGetItem. */
#define DYNAMODB_BATCH_KEYS 100

/*
 * The items whose string key is in ids (an array of strings, not consumed), in
 * no order, as an array; ids without an item are left out, and each id counts
 * once. Asks again for what DynamoDB did not get to, until deadline_ms (Unix).
 */
int dynamodb_batch_get(struct aws *aws, const char *table, const char *key_name, const cJSON *ids,
                       int64_t deadline_ms, cJSON **ret, struct failure *failure);

#endif /* PIPELINE_AWS_DYNAMODB_H */
