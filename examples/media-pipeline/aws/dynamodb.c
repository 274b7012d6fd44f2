/* SPDX-License-Identifier: Apache-2.0 */
#include "aws/dynamodb.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runtime/cleanup.h"
#include "runtime/clock.h"

#define MAX_BATCH_TRIES 6

/* Sends request (consumed) for the table; *ret is the parsed reply. */
static int call(struct aws *aws, const char *operation, const char *table, cJSON *request,
                cJSON **ret, struct failure *failure)
{
    char target[64];
    AUTO_JSON cJSON *taken = request;
    AUTO_FREE char *body = cJSON_PrintUnformatted(taken);
    if (!body)
        return failure_set(failure, -ENOMEM, "OutOfMemory", "out of memory for %s", operation);
    snprintf(target, sizeof(target), "X-Amz-Target: DynamoDB_20120810.%s", operation);
    const char *headers[] = { "Content-Type: application/x-amz-json-1.0", target, NULL };
    const xray_aws_resource resources[] = { { "table_name", table }, { NULL, NULL } };

    xray_aws_reply reply;
    int result = aws_call(aws, AWS_DYNAMODB,
                          xray_aws_request(.operation = operation, .headers = headers, .body = body,
                                           .body_length = strlen(body), .resources = resources),
                          &reply, failure);
    if (result < 0)
        return result;
    cJSON *parsed = cJSON_ParseWithLength(reply.body, reply.body_length);
    if (!cJSON_IsObject(parsed)) {
        cJSON_Delete(parsed);
        return failure_set(failure, -EPROTO, "BadReply", "DynamoDB %s: the reply is not JSON",
                           operation);
    }
    *ret = parsed;
    return 0;
}

int dynamodb_get(struct aws *aws, const char *table, cJSON *key, cJSON **ret,
                 struct failure *failure)
{
    AUTO_JSON cJSON *reply = NULL;
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "TableName", table);
    cJSON_AddItemToObject(request, "Key", key);
    cJSON_AddTrueToObject(request, "ConsistentRead");
    int result = call(aws, "GetItem", table, request, &reply, failure);
    if (result == 0)
        *ret = cJSON_DetachItemFromObjectCaseSensitive(reply, "Item");
    return result;
}

int dynamodb_put(struct aws *aws, const char *table, cJSON *item, cJSON **ret_old,
                 struct failure *failure)
{
    AUTO_JSON cJSON *reply = NULL;
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "TableName", table);
    cJSON_AddItemToObject(request, "Item", item);
    cJSON_AddStringToObject(request, "ReturnValues", "ALL_OLD");
    int result = call(aws, "PutItem", table, request, &reply, failure);
    if (result == 0)
        *ret_old = cJSON_DetachItemFromObjectCaseSensitive(reply, "Attributes");
    return result;
}

/* ---- Updates ---------------------------------------------------------------- */

static void start_clause(struct text *clause, const char *word, const char *separator)
{
    text_add(clause, clause->length ? separator : word);
}

/* Each use has a placeholder of its own; two for one name are allowed. */
static int add_name(struct update *update, const char *name)
{
    char placeholder[16];
    snprintf(placeholder, sizeof(placeholder), "#n%d", update->count);
    if (!update->names)
        update->names = cJSON_CreateObject();
    cJSON_AddStringToObject(update->names, placeholder, name);
    return update->count++;
}

static int add_pair(struct update *update, const char *name, cJSON *value)
{
    char placeholder[16];
    int number = add_name(update, name);
    snprintf(placeholder, sizeof(placeholder), ":v%d", number);
    if (!update->values)
        update->values = cJSON_CreateObject();
    cJSON_AddItemToObject(update->values, placeholder, value);
    return number;
}

void update_set(struct update *update, const char *name, cJSON *value)
{
    int number = add_pair(update, name, value);
    start_clause(&update->set, "SET ", ", ");
    text_addf(&update->set, "#n%d = :v%d", number, number);
}

void update_remove(struct update *update, const char *name)
{
    int number = add_name(update, name);
    start_clause(&update->remove, " REMOVE ", ", ");
    text_addf(&update->remove, "#n%d", number);
}

void update_add(struct update *update, const char *name, cJSON *set)
{
    int number = add_pair(update, name, set);
    start_clause(&update->add, " ADD ", ", ");
    text_addf(&update->add, "#n%d :v%d", number, number);
}

void update_delete(struct update *update, const char *name, cJSON *set)
{
    int number = add_pair(update, name, set);
    start_clause(&update->take, " DELETE ", ", ");
    text_addf(&update->take, "#n%d :v%d", number, number);
}

void update_if_equal(struct update *update, const char *name, cJSON *value)
{
    int number = add_pair(update, name, value);
    start_clause(&update->condition, "", " AND ");
    text_addf(&update->condition, "#n%d = :v%d", number, number);
}

void update_if_absent(struct update *update, const char *name)
{
    int number = add_name(update, name);
    start_clause(&update->condition, "", " AND ");
    text_addf(&update->condition, "attribute_not_exists(#n%d)", number);
}

void update_release(struct update *update)
{
    cJSON_Delete(update->names);
    cJSON_Delete(update->values);
    text_release(&update->set);
    text_release(&update->remove);
    text_release(&update->add);
    text_release(&update->take);
    text_release(&update->condition);
    memset(update, 0, sizeof(*update));
}

/* The request without its table and key; NULL when out of memory. Takes names and values over. */
static cJSON *update_request(struct update *update)
{
    AUTO_TEXT struct text expression = { 0 };
    const struct text *clauses[] = { &update->set, &update->remove, &update->add, &update->take };
    bool failed = update->condition.failed;
    for (size_t i = 0; i < sizeof(clauses) / sizeof(*clauses); i++) {
        failed = failed || clauses[i]->failed;
        if (clauses[i]->length)
            text_add(&expression, clauses[i]->data);
    }
    if (failed || expression.failed || !expression.length)
        return NULL;

    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "UpdateExpression", expression.data);
    if (update->condition.length)
        cJSON_AddStringToObject(request, "ConditionExpression", update->condition.data);
    cJSON_AddItemToObject(request, "ExpressionAttributeNames", update->names);
    if (update->values)
        cJSON_AddItemToObject(request, "ExpressionAttributeValues", update->values);
    update->names = update->values = NULL;
    return request;
}

int dynamodb_update(struct aws *aws, const char *table, cJSON *key, struct update *update,
                    cJSON **ret_new, struct failure *failure)
{
    AUTO_JSON cJSON *reply = NULL;
    cJSON *request = update_request(update);
    update_release(update);
    if (!request) {
        cJSON_Delete(key);
        return failure_set(failure, -ENOMEM, "OutOfMemory", "out of memory for UpdateItem");
    }
    cJSON_AddStringToObject(request, "TableName", table);
    cJSON_AddItemToObject(request, "Key", key);
    if (ret_new)
        cJSON_AddStringToObject(request, "ReturnValues", "ALL_NEW");
    struct failure own;
    struct failure *seen = failure ? failure : &own;
    int result = call(aws, "UpdateItem", table, request, &reply, seen);
    if (result == -EREMOTEIO && strcmp(seen->type, "ConditionalCheckFailedException") == 0)
        return -EAGAIN;
    if (result == 0 && ret_new)
        *ret_new = cJSON_DetachItemFromObjectCaseSensitive(reply, "Attributes");
    return result;
}

/* ---- Many items -------------------------------------------------------------- */

int dynamodb_scan(struct aws *aws, const char *table, cJSON *request, dynamodb_visitor visitor,
                  void *data, struct failure *failure)
{
    AUTO_JSON cJSON *base = request;
    cJSON_AddStringToObject(base, "TableName", table);
    for (;;) {
        AUTO_JSON cJSON *reply = NULL;
        int result = call(aws, "Scan", table, cJSON_Duplicate(base, true), &reply, failure);
        if (result < 0)
            return result;
        const cJSON *item;
        cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(
                                     reply, "Items")) if (!visitor(data, item)) return 0;

        cJSON *last = cJSON_DetachItemFromObjectCaseSensitive(reply, "LastEvaluatedKey");
        if (!last)
            return 0;
        cJSON_DeleteItemFromObjectCaseSensitive(base, "ExclusiveStartKey");
        cJSON_AddItemToObject(base, "ExclusiveStartKey", last);
    }
}

/* Moves the items of a reply to all, and gives back the keys that DynamoDB did not get to. */
static cJSON *take_items(cJSON *reply, const char *table, cJSON *all)
{
    cJSON *responses = cJSON_GetObjectItemCaseSensitive(reply, "Responses");
    cJSON *items = cJSON_GetObjectItemCaseSensitive(responses, table);
    while (items && items->child)
        cJSON_AddItemToArray(all, cJSON_DetachItemViaPointer(items, items->child));

    cJSON *left = cJSON_GetObjectItemCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(reply, "UnprocessedKeys"), table);
    cJSON *keys = cJSON_DetachItemFromObjectCaseSensitive(left, "Keys");
    if (cJSON_GetArraySize(keys) > 0)
        return keys;
    cJSON_Delete(keys);
    return NULL;
}

/* One chunk of keys (consumed) with everything that is left over. */
static int get_chunk(struct aws *aws, const char *table, cJSON *keys, int64_t deadline_ms,
                     cJSON *all, struct failure *failure)
{
    for (int tries = 0; keys; tries++) {
        if (tries == MAX_BATCH_TRIES || (tries > 0 && clock_now_ms() > deadline_ms)) {
            cJSON_Delete(keys);
            return failure_set(failure, -ETIMEDOUT, "Throttled",
                               "DynamoDB BatchGetItem: keys of %s were left over after %d tries",
                               table, tries);
        }
        if (tries > 0)
            clock_sleep_ms((int64_t)25 << tries);

        AUTO_JSON cJSON *reply = NULL;
        cJSON *request = cJSON_CreateObject();
        cJSON *of_table = cJSON_AddObjectToObject(cJSON_AddObjectToObject(request, "RequestItems"),
                                                  table);
        cJSON_AddItemToObject(of_table, "Keys", keys);
        cJSON_AddTrueToObject(of_table, "ConsistentRead");
        int result = call(aws, "BatchGetItem", table, request, &reply, failure);
        if (result < 0)
            return result;
        keys = take_items(reply, table, all);
    }
    return 0;
}

int dynamodb_batch_get(struct aws *aws, const char *table, const char *key_name, const cJSON *ids,
                       int64_t deadline_ms, cJSON **ret, struct failure *failure)
{
    AUTO_JSON cJSON *all = cJSON_CreateArray();
    AUTO_JSON cJSON *seen = cJSON_CreateObject(); /* DynamoDB refuses a key that comes twice */
    cJSON *keys = NULL;
    int count = 0, result = 0;
    const cJSON *id;
    cJSON_ArrayForEach(id, ids)
    {
        const char *text = cJSON_GetStringValue(id);
        if (!text || !*text || cJSON_GetObjectItemCaseSensitive(seen, text))
            continue;
        cJSON_AddTrueToObject(seen, text);
        if (!keys)
            keys = cJSON_CreateArray();
        cJSON_AddItemToArray(keys, attribute_key(key_name, text));
        if (++count == DYNAMODB_BATCH_KEYS) {
            result = get_chunk(aws, table, keys, deadline_ms, all, failure);
            keys = NULL;
            count = 0;
            if (result < 0)
                return result;
        }
    }
    if (keys)
        result = get_chunk(aws, table, keys, deadline_ms, all, failure);
    if (result < 0)
        return result;
    *ret = all;
    all = NULL;
    return 0;
}
