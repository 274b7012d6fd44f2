/* SPDX-License-Identifier: Apache-2.0 */
/* What comes in, what is kept, and what was refused and why. */
#include "local/api/page_internal.h"
#include "local/trace/trace.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xraytrace/version.h>

static double member_number(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) && isfinite(item->valuedouble) ? item->valuedouble : 0;
}

void page_note_telemetry(struct page *page, const cJSON *request)
{
    const cJSON *records = cJSON_GetObjectItemCaseSensitive(request, "TelemetryRecords");
    const char *hostname = trace_string(request, "Hostname");
    const cJSON *record;
    cJSON_ArrayForEach(record, records)
    {
        struct telemetry_record *own =
            &page->telemetry[page->telemetry_count++ % PAGE_TELEMETRY_MAX];
        *own = (struct telemetry_record){
            .time = member_number(record, "Timestamp"),
            .received = member_number(record, "SegmentsReceivedCount"),
            .sent = member_number(record, "SegmentsSentCount"),
            .spillover = member_number(record, "SegmentsSpilloverCount"),
            .rejected = member_number(record, "SegmentsRejectedCount"),
        };
        /* A name that is too long for a host is none: no cut within a character. */
        if (hostname && strlen(hostname) < sizeof own->hostname)
            snprintf(own->hostname, sizeof own->hostname, "%s", hostname);
    }
}

/* The latest first. */
static void add_telemetry(const struct page *page, cJSON *body)
{
    cJSON *list = cJSON_AddArrayToObject(body, "telemetry");
    size_t ever = page->telemetry_count;
    for (size_t i = 0; i < ever && i < PAGE_TELEMETRY_MAX; i++) {
        const struct telemetry_record *record =
            &page->telemetry[(ever - 1 - i) % PAGE_TELEMETRY_MAX];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddNumberToObject(item, "time", record->time);
        cJSON_AddStringToObject(item, "hostname", record->hostname);
        cJSON_AddNumberToObject(item, "received", record->received);
        cJSON_AddNumberToObject(item, "sent", record->sent);
        cJSON_AddNumberToObject(item, "spillover", record->spillover);
        cJSON_AddNumberToObject(item, "rejected", record->rejected);
        cJSON_AddItemToArray(list, item);
    }
}

static void add_counts(const struct api *api, const struct ingest_counts *in, cJSON *body)
{
    struct store_counts kept;
    struct store_limits limits;
    store_count(api->store, &kept);
    store_get_limits(api->store, &limits);
    cJSON *counts = cJSON_AddObjectToObject(body, "counts");
    cJSON_AddNumberToObject(counts, "traces", (double)kept.traces);
    cJSON_AddNumberToObject(counts, "documents", (double)kept.documents);
    cJSON_AddNumberToObject(counts, "bytes", (double)kept.bytes);
    cJSON_AddNumberToObject(counts, "pinned", (double)kept.pinned_traces);
    cJSON_AddNumberToObject(counts, "evicted", (double)kept.evicted_traces);
    cJSON_AddNumberToObject(counts, "expired", (double)kept.expired_traces);
    cJSON_AddNumberToObject(counts, "received", (double)in->received);
    cJSON_AddNumberToObject(counts, "kept", (double)in->kept);
    cJSON_AddNumberToObject(counts, "lost", (double)in->lost);
    cJSON *room = cJSON_AddObjectToObject(body, "limits");
    cJSON_AddNumberToObject(room, "traces", (double)limits.traces);
    cJSON_AddNumberToObject(room, "bytes", (double)limits.bytes);
    cJSON_AddNumberToObject(room, "age_seconds", limits.age_seconds);
}

static void add_senders(struct senders *senders, cJSON *body)
{
    struct sender_counts rows[SENDERS_MAX];
    size_t count = senders_list(senders, rows);
    cJSON *list = cJSON_AddArrayToObject(body, "senders");
    for (size_t i = 0; i < count; i++) {
        char address[SENDER_TEXT];
        cJSON *item = cJSON_CreateObject();
        sender_format(&rows[i].sender, address);
        cJSON_AddStringToObject(item, "address", address);
        cJSON_AddNumberToObject(item, "documents", (double)rows[i].documents);
        cJSON_AddNumberToObject(item, "refused", (double)rows[i].refused);
        cJSON_AddNumberToObject(item, "last", rows[i].last);
        cJSON_AddItemToArray(list, item);
    }
}

static void add_bad(struct senders *senders, cJSON *body)
{
    cJSON *list = cJSON_AddArrayToObject(body, "bad");
    struct bad_datagram *bad = calloc(BAD_MAX, sizeof *bad);
    size_t count = bad ? senders_bad(senders, bad) : 0;
    for (size_t i = 0; i < count; i++) {
        char address[SENDER_TEXT];
        char hex[2 * BAD_BYTES_MAX + 1] = "";
        cJSON *item = cJSON_CreateObject();
        sender_format(&bad[i].sender, address);
        for (size_t j = 0; j < bad[i].length; j++)
            snprintf(hex + 2 * j, 3, "%02x", bad[i].data[j]);
        cJSON_AddNumberToObject(item, "time", bad[i].time);
        cJSON_AddStringToObject(item, "sender", address);
        cJSON_AddStringToObject(item, "reason", bad[i].reason);
        cJSON_AddNumberToObject(item, "bytes", (double)bad[i].bytes);
        cJSON_AddStringToObject(item, "hex", hex);
        cJSON_AddItemToArray(list, item);
    }
    free(bad);
}

static void add_forward(const struct forward *forward, cJSON *body)
{
    struct forward_counts counts;
    if (!forward) {
        cJSON_AddNullToObject(body, "forward");
        return;
    }
    forward_count(forward, &counts);
    cJSON *item = cJSON_AddObjectToObject(body, "forward");
    cJSON_AddStringToObject(item, "target", forward_target(forward));
    cJSON_AddNumberToObject(item, "sent", (double)counts.sent);
    cJSON_AddNumberToObject(item, "failed", (double)counts.failed);
}

static void add_refused(const struct ingest_counts *in, cJSON *body)
{
    cJSON *list = cJSON_AddArrayToObject(body, "refused");
    for (int i = 0; i < REFUSED_REASONS; i++) {
        if (!in->refused[i])
            continue;
        cJSON *item = cJSON_CreateObject();
        cJSON_AddNumberToObject(item, "reason", i);
        cJSON_AddStringToObject(item, "text", refusal_text((enum refusal_reason)i));
        cJSON_AddNumberToObject(item, "count", (double)in->refused[i]);
        cJSON_AddItemToArray(list, item);
    }
}

static void add_port(cJSON *ports, const char *name, unsigned port)
{
    if (port)
        cJSON_AddNumberToObject(ports, name, port);
    else
        cJSON_AddNullToObject(ports, name);
}

static void add_text(cJSON *body, const char *name, const char *text)
{
    if (text)
        cJSON_AddStringToObject(body, name, text);
    else
        cJSON_AddNullToObject(body, name);
}

static void add_tail(const struct api *api, cJSON *body)
{
    struct tail_counts counts;
    if (!ingest_count_tail(api->ingest, &counts)) {
        cJSON_AddNullToObject(body, "tail");
        return;
    }
    cJSON *tail = cJSON_AddObjectToObject(body, "tail");
    cJSON_AddNumberToObject(tail, "buffered", (double)counts.buffered);
    cJSON_AddNumberToObject(tail, "kept", (double)counts.kept);
    cJSON_AddNumberToObject(tail, "dropped", (double)counts.dropped);
    cJSON_AddNumberToObject(tail, "bytes", (double)counts.bytes);
    cJSON_AddNumberToObject(tail, "early", (double)counts.early);
    cJSON_AddNumberToObject(tail, "late_faults", (double)counts.late_faults);
}

void page_status(const struct page_call *call)
{
    const struct page_settings *settings = &call->api->page->settings;
    struct ingest_counts in;
    char version[32];
    snprintf(version, sizeof version, "%d.%d.%d", XRAY_VERSION_MAJOR, XRAY_VERSION_MINOR,
             XRAY_VERSION_PATCH);
    ingest_count(call->api->ingest, &in);
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "version", version);
    cJSON_AddNumberToObject(body, "started", settings->started);
    cJSON_AddNumberToObject(body, "now", page_now());
    cJSON_AddStringToObject(body, "address", settings->address);
    cJSON *ports = cJSON_AddObjectToObject(body, "ports");
    add_port(ports, "http", settings->http_port);
    add_port(ports, "udp", settings->udp_port);
    add_port(ports, "otlp", call->api->otlp_port);
    add_counts(call->api, &in, body);
    add_text(body, "database", settings->database);
    add_text(body, "database_failure", store_file_failure(call->api->store));
    add_refused(&in, body);
    add_senders(ingest_senders(call->api->ingest), body);
    add_telemetry(call->api->page, body);
    add_bad(ingest_senders(call->api->ingest), body);
    add_forward(call->api->forward, body);
    add_tail(call->api, body);
    char fail[FAULTS_TEXT];
    if (call->api->faults)
        faults_describe(call->api->faults, fail);
    add_text(body, "fail", call->api->faults ? fail : NULL);
    api_reply(call->reply, body);
}
