/* SPDX-License-Identifier: Apache-2.0 */
/* What the page changes: traces are pinned, forgotten, and one is made to look at. */
#include "local/api/page_internal.h"
#include "local/trace/trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void page_pin(const struct page_call *call)
{
    const char *text = trace_string(call->body, "TraceId");
    const cJSON *pinned = cJSON_GetObjectItemCaseSensitive(call->body, "Pinned");
    struct trace_id id;
    if (!text || !trace_id_parse_any(text, &id)) {
        api_invalid(call->reply, "TraceId must be a trace id, 1-<8 hex>-<24 hex>");
        return;
    }
    if (!cJSON_IsBool(pinned)) {
        api_invalid(call->reply, "Pinned must be true or false");
        return;
    }
    int r = store_pin(call->api->store, &id, cJSON_IsTrue(pinned));
    if (r == -ENOENT)
        page_not_found(call->reply, "there is no such trace here, or not any more");
    else if (r == -ENOSPC)
        api_invalid(call->reply, "pinned traces may have half of the room, and have it: "
                                 "unpin another one");
    else
        api_reply(call->reply, r < 0 ? NULL : cJSON_CreateObject());
}

void page_clear(const struct page_call *call)
{
    store_clear(call->api->store);
    api_reply(call->reply, cJSON_CreateObject());
}

/* A shop whose payment fails: the exception is in the service that is called. Times are
   seconds since the beginning, ids are made anew. */
static const char sample_shop[] =
    "{'id':'1','name':'shop','start_time':0,'end_time':0.412,'fault':true,"
    "'origin':'AWS::ECS::Container','user':'sample',"
    "'http':{'request':{'method':'POST','url':'http://shop.example/orders',"
    "'user_agent':'curl/8.5','client_ip':'192.0.2.7'},'response':{'status':500}},"
    "'annotations':{'order':'A-1017','items':3,'gift':true},"
    "'metadata':{'default':{'cart':['tea','cup','spoon']}},"
    "'subsegments':["
    "{'id':'2','name':'read the cart','start_time':0.004,'end_time':0.061,'subsegments':["
    "{'id':'3','name':'DynamoDB','namespace':'aws','start_time':0.006,'end_time':0.058,"
    "'aws':{'operation':'GetItem','table_name':'carts','region':'eu-west-1'},"
    "'http':{'response':{'status':200}}}]},"
    "{'id':'4','name':'payment','namespace':'remote','traced':true,'start_time':0.07,"
    "'end_time':0.405,'fault':true,'http':{'request':{'method':'POST',"
    "'url':'http://payment.example/charge'},'response':{'status':500}},"
    "'cause':{'exceptions':[{'id':'5','type':'HttpError','remote':true,"
    "'message':'payment.example answered 500'}]}}],"
    "'cause':{'exceptions':[{'id':'6','type':'PaymentFailed',"
    "'message':'the order A-1017 is not paid'}]}}";
static const char sample_payment[] =
    "{'id':'7','parent_id':'4','name':'payment','start_time':0.081,'end_time':0.398,"
    "'fault':true,'origin':'AWS::EC2::Instance',"
    "'http':{'request':{'method':'POST','url':'http://payment.example/charge'},"
    "'response':{'status':500}},'annotations':{'order':'A-1017'},"
    "'subsegments':[{'id':'8','name':'ledger@db.example','namespace':'remote',"
    "'start_time':0.09,'end_time':0.39,'fault':true,"
    "'sql':{'url':'postgresql://db.example:5432/ledger','database_type':'PostgreSQL',"
    "'sanitized_query':'INSERT INTO charges (order_id, amount) VALUES (?, ?)'},"
    "'cause':{'exceptions':[{'id':'9','type':'LockTimeout',"
    "'message':'canceling statement due to lock timeout','stack':["
    "{'path':'ledger.c','line':118,'label':'ledger_insert'},"
    "{'path':'charge.c','line':42,'label':'charge'}]}]}}],"
    "'cause':{'exceptions':[{'id':'10','type':'ChargeFailed',"
    "'message':'the ledger could not be written'}]}}";

struct sample {
    struct trace_id id;
    uint64_t ids; /* the first of 16 */
    double start;
};

static void fill_in(const struct sample *sample, cJSON *item)
{
    cJSON *child;
    bool is_id = item->string &&
                 (strcmp(item->string, "id") == 0 || strcmp(item->string, "parent_id") == 0);
    bool is_time = item->string && (strcmp(item->string, "start_time") == 0 ||
                                    strcmp(item->string, "end_time") == 0);
    if (is_id && cJSON_IsString(item)) {
        char id[ENTITY_ID_LENGTH + 1];
        entity_id_format(sample->ids + strtoull(item->valuestring, NULL, 10), id);
        cJSON_SetValuestring(item, id);
    } else if (is_time) {
        cJSON_SetNumberValue(item, sample->start + item->valuedouble);
    }
    cJSON_ArrayForEach(child, item) fill_in(sample, child);
}

static void note_refused(void *data, const struct refusal *refusal)
{
    bool *refused = data;
    (void)refusal;
    *refused = true;
}

/* -ENOMEM, -ENOSPC. */
static int keep_sample(const struct api *api, const struct sample *sample, const char *quoted)
{
    struct buffer json = { 0 };
    char trace_id[TRACE_ID_LENGTH + 1];
    bool refused = false;
    for (const char *c = quoted; *c; c++)
        buffer_append(&json, *c == '\'' ? "\"" : c, 1);
    cJSON *document = json.failed ? NULL : cJSON_Parse(json.text);
    buffer_free(&json);
    trace_id_format(&sample->id, trace_id);
    if (!document || !cJSON_AddStringToObject(document, "trace_id", trace_id)) {
        cJSON_Delete(document);
        return -ENOMEM;
    }
    fill_in(sample, document);
    char *text = cJSON_PrintUnformatted(document);
    cJSON_Delete(document);
    if (!text)
        return -ENOMEM;
    ingest_document(api->ingest, text, strlen(text), note_refused, &refused);
    free(text);
    return refused ? -ENOSPC : 0;
}

void page_sample_trace(const struct page_call *call)
{
    struct sample sample = { .start = page_now() - 0.5 };
    char text[TRACE_ID_LENGTH + 1];
    uint32_t epoch = (uint32_t)sample.start;
    if (getrandom(sample.id.bytes, sizeof sample.id.bytes, 0) < 0 ||
        getrandom(&sample.ids, sizeof sample.ids, 0) < 0) {
        api_reply(call->reply, NULL);
        return;
    }
    /* Room for those that follow. */
    sample.ids &= UINT64_MAX >> 1;
    for (size_t i = 0; i < 4; i++)
        sample.id.bytes[i] = (uint8_t)(epoch >> (24 - 8 * i));
    int r = keep_sample(call->api, &sample, sample_shop);
    if (r == 0)
        r = keep_sample(call->api, &sample, sample_payment);
    if (r == -ENOSPC) {
        api_invalid(call->reply, "there is no room for a trace: unpin some");
        return;
    }
    cJSON *body = r < 0 ? NULL : cJSON_CreateObject();
    trace_id_format(&sample.id, text);
    if (body)
        cJSON_AddStringToObject(body, "TraceId", text);
    api_reply(call->reply, body);
}
