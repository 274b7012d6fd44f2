/* SPDX-License-Identifier: Apache-2.0 */
/* The workloads, and recorders for them that differ in where documents go. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workloads.h"

struct recorders recorders;
_Thread_local struct kept kept;

static xray_sampler rules = { .size = sizeof(rules) };
static atomic_ulong allocations;

/* ---- Workloads ------------------------------------------------------------------------ */

void one_subsegment(void)
{
    xray_segment *segment = xray_begin_segment("checkout-api");
    xray_segment *work = xray_begin_subsegment("work");

    xray_annotate(work, "customer", "c-12345");
    xray_end(work);
    xray_end(segment);
}

void small(void)
{
    xray_segment *segment = xray_begin_segment("checkout-api");
    xray_segment *work = xray_begin_subsegment("work");

    xray_annotate(work, "customer", "c-12345");
    xray_annotate(work, "tier", "gold");
    xray_add_metadata(work, NULL, "note", "hello metadata");
    xray_end(work);
    xray_end(segment);
}

static void call_table(void)
{
    xray_segment *call = xray_begin_subsegment("DynamoDB");

    xray_set_namespace(call, "aws");
    xray_set_aws(call,
                 xray_aws(.operation = "GetItem", .table_name = "orders", .region = "us-east-1",
                          .request_id = "3AIENM5J4ELQ3SPODHKBIRVIC3VV4KQNSO5AEMVJF66Q9ASUAAJG"));
    xray_set_http(call, xray_http(.status = 200));
    xray_end(call);
}

static void call_service(void)
{
    xray_segment *call = xray_begin_subsegment("payments.example.com");

    xray_set_namespace(call, "remote");
    xray_set_http(call, xray_http(.method = "GET", .url = "https://payments.example.com/v1/charge",
                                  .status = 200, .content_length = 128));
    xray_end(call);
}

void typical(void)
{
    xray_segment *segment = xray_begin_segment("checkout-api");

    xray_set_http(segment,
                  xray_http(.method = "POST", .url = "https://api.example.com/orders/1234/items",
                            .user_agent = "Mozilla/5.0 (X11; Linux x86_64)",
                            .client_ip = "203.0.113.7", .status = 200, .content_length = 512));
    xray_annotate(segment, "customer", "c-12345");
    xray_annotate(segment, "items", 42);
    xray_annotate(segment, "premium", xray_bool(true));
    for (int i = 0; i < 3; i++)
        call_table();
    for (int i = 0; i < 2; i++)
        call_service();
    xray_end(segment);
}

void header(void)
{
    static const char *volatile text =
        "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    char buffer[XRAY_TRACE_HEADER_SIZE];
    xray_trace_header parsed;

    (void)xray_trace_header_parse(&parsed, text);
    xray_trace_header_format(&parsed, buffer, sizeof(buffer));
    __asm__ volatile("" : : "r"(buffer) : "memory");
}

void decision(void)
{
    static const xray_sampling_request request = {
        .size = sizeof(request),
        .host = "shop.example.com",
        .http_method = "POST",
        .url_path = "/orders/1234/items",
    };
    xray_sampling_decision decided;

    rules.decide(rules.data, &request, &decided);
    __asm__ volatile("" : : "r"(&decided) : "memory");
}

void wide(void)
{
    xray_segment *segment = xray_begin_segment("wide");

    for (int i = 0; i < WIDTH; i++) {
        xray_segment *work = xray_begin_subsegment("work");

        xray_annotate(work, "i", i);
        xray_end(work);
    }
    xray_end(segment);
}

/* ---- Hooks ---------------------------------------------------------------------------- */

static void *allocate(void *data, size_t size)
{
    (void)data;
    atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
    return malloc(size);
}

static void release(void *data, void *memory, size_t size)
{
    (void)data;
    (void)size;
    free(memory);
}

unsigned long library_allocations_seen(void)
{
    return atomic_load_explicit(&allocations, memory_order_relaxed);
}

/* Counts for each thread: a shared count would be what two threads wait for. */
static int keep(void *data, const xray_document *document)
{
    (void)data;
    __asm__ volatile("" : : "r"(document->json) : "memory");
    kept.documents++;
    kept.bytes += document->length;
    return 0;
}

/* ---- Recorders ------------------------------------------------------------------------ */

size_t rules_text(char *ret, size_t size)
{
    size_t used = (size_t)snprintf(
        ret, size, "{\"version\":2,\"default\":{\"fixed_target\":0,\"rate\":0},\"rules\":[");

    for (int i = 0; i < 24; i++)
        used += (size_t)snprintf(ret + used, size - used,
                                 "{\"host\":\"svc%d.example.com\",\"http_method\":\"%s\","
                                 "\"url_path\":\"/api/v%d/resource/*\",\"fixed_target\":0,"
                                 "\"rate\":0.05},",
                                 i, i % 2 ? "GET" : "*", i);
    used += (size_t)snprintf(ret + used, size - used,
                             "{\"host\":\"*.example.com\",\"http_method\":\"POST\","
                             "\"url_path\":\"/orders/*\",\"fixed_target\":0,\"rate\":0.05}]}");
    return used;
}

static int make_with(xray_recorder **ret, double per_second, double fraction,
                     const xray_emitter *emitter, const xray_capture *capture)
{
    xray_sampler sampler = { .size = sizeof(sampler) };
    int r = xray_sampler_rate(&sampler, per_second, fraction);

    if (r < 0)
        return r;
    return xray_recorder_new(ret, xray_recorder_params(.flags = XRAY_RECORDER_NO_ENVIRONMENT,
                                                       .service = "bench", .emitter = emitter,
                                                       .sampler = &sampler, .capture = capture));
}

static int make(xray_recorder **ret, double per_second, double fraction,
                const xray_emitter *emitter)
{
    return make_with(ret, per_second, fraction, emitter, NULL);
}

static int make_sending(const char *address, size_t capacity)
{
    xray_emitter udp = { .size = sizeof(udp) }, inner = udp, queue = udp;
    int r = xray_emitter_udp(&udp, address);

    if (r >= 0)
        r = make(&recorders.sent, 0, 1, &udp);
    if (r >= 0)
        r = xray_emitter_udp(&inner, address);
    if (r >= 0)
        r = xray_emitter_queue(&queue, &inner, capacity);
    return r < 0 ? r : make(&recorders.batched, 0, 1, &queue);
}

int recorders_make(const char *sink_address, size_t capacity)
{
    const xray_allocator counting = { .size = sizeof(counting),
                                      .allocate = allocate,
                                      .release = release };
    const xray_capture capture = { .size = sizeof(capture) };
    const xray_emitter keeper = { .size = sizeof(keeper), .emit = keep };
    char text[8192];
    int r = xray_set_allocator(&counting);

    (void)rules_text(text, sizeof(text));
    if (r >= 0)
        r = xray_sampler_local(&rules, text);
    if (r >= 0)
        r = make(&recorders.unsampled, 0, 0, &keeper);
    if (r >= 0)
        r = make_with(&recorders.captured, 0, 0, &keeper, &capture);
    if (r >= 0)
        r = make(&recorders.by_default, 1, 1e-9, &keeper);
    if (r >= 0)
        r = make(&recorders.kept, 0, 1, &keeper);
    return r < 0 ? r : make_sending(sink_address, capacity);
}

void recorders_free(void)
{
    xray_recorder_set_default(NULL);
    xray_recorder_free(recorders.unsampled);
    xray_recorder_free(recorders.by_default);
    xray_recorder_free(recorders.kept);
    xray_recorder_free(recorders.sent);
    xray_recorder_free(recorders.batched);
    xray_recorder_free(recorders.captured);
    if (rules.destroy)
        rules.destroy(rules.data);
}
