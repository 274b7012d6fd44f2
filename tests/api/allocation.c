/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recording takes no memory after it has warmed up. Every malloc() of the
 * process is counted, and every call of the library's allocator hook. That the
 * counting works is proven first, with an allocation that is planted. A plain
 * program, since a test framework allocates too.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <xraytrace/xraytrace.h>

#define SHOWN __attribute__((__visibility__("default")))

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *memory, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

SHOWN void *malloc(size_t bytes);
SHOWN void *calloc(size_t count, size_t bytes);
SHOWN void *realloc(void *memory, size_t bytes);
SHOWN void *aligned_alloc(size_t alignment, size_t bytes);
SHOWN int posix_memalign(void **ret, size_t alignment, size_t bytes);

static unsigned long allocations, hook_calls;

void *malloc(size_t bytes)
{
    allocations++;
    return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
    allocations++;
    return __libc_calloc(count, bytes);
}

void *realloc(void *memory, size_t bytes)
{
    allocations++;
    return __libc_realloc(memory, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
    allocations++;
    return __libc_memalign(alignment, bytes);
}

int posix_memalign(void **ret, size_t alignment, size_t bytes)
{
    allocations++;
    *ret = __libc_memalign(alignment, bytes);
    return *ret ? 0 : ENOMEM;
}

static void *hook_allocate(void *data, size_t bytes)
{
    (void)data;
    hook_calls++;
    return __libc_malloc(bytes);
}

static void hook_release(void *data, void *memory, size_t bytes)
{
    (void)data;
    (void)bytes;
    free(memory);
}

/* ---- What is done over and over ------------------------------------------------ */

static xray_recorder *sampled, *unsampled;

static void begin_and_end(void)
{
    xray_segment *segment = xray_start_segment(sampled, xray_segment_params(.name = "segment"));

    xray_attach(segment);
    for (int i = 0; i < 5; i++)
        xray_end(xray_begin_subsegment("subsegment"));
    xray_end(segment);
}

static void annotate(void)
{
    xray_segment *segment = xray_start_segment(sampled, xray_segment_params(.name = "segment"));

    xray_annotate(segment, "text", "a value");
    xray_annotate(segment, "integer", 42);
    xray_annotate(segment, "natural", UINT64_MAX);
    xray_annotate(segment, "number", 0.1);
    xray_annotate(segment, "long_number", 1.0 / 3);
    xray_annotate(segment, "truth", xray_bool(true));
    xray_end(segment);
}

static void add_metadata(void)
{
    xray_segment *segment = xray_start_segment(sampled, xray_segment_params(.name = "segment"));

    xray_add_metadata(segment, NULL, "text", "a value");
    xray_add_metadata(segment, "space", "json", xray_json("{\"a\": [1, 2, {\"b\": null}]}"));
    xray_end(segment);
}

static void set_blocks(void)
{
    xray_segment *segment = xray_start_segment(sampled, xray_segment_params(.name = "segment"));
    xray_segment *call = xray_start_subsegment(segment, "call");

    xray_set_http(segment,
                  xray_http(.method = "GET", .url = "https://u:p@example.com/x?y", .status = 503));
    xray_set_namespace(call, "aws");
    xray_set_aws(call, xray_aws(.operation = "GetItem", .region = "eu-west-1", .retries = 2));
    xray_set_aws_field(call, "bucket_name", xray_string("bucket"));
    xray_set_sql(call, xray_sql(.url = "pg://u@h/d", .sanitized_query = "SELECT 1"));
    xray_set_user(segment, "user");
    xray_mark(call, XRAY_ERROR);
    xray_end(call);
    xray_end(segment);
}

static void add_exception(void)
{
    xray_segment *segment = xray_start_segment(sampled, xray_segment_params(.name = "segment"));

    xray_add_exception(segment, "EIO", "reading %s: %d", "file", 5);
    xray_end(segment);
}

static void parse_and_format(void)
{
    xray_trace_header header;
    char text[XRAY_TRACE_HEADER_SIZE], parent[XRAY_TRACEPARENT_SIZE];

    (void)xray_trace_header_parse(&header, "Root=1-5759e988-bd862e3fe1be46a994272793;"
                                           "Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a:1");
    xray_trace_header_format(&header, text, sizeof(text));
    xray_traceparent_format(&header, parent, sizeof(parent));
    (void)xray_traceparent_parse(&header, parent);
}

static void record_unsampled(void)
{
    xray_segment *segment = xray_start_segment(unsampled, xray_segment_params(.name = "segment"));
    xray_segment *child = xray_start_subsegment(segment, "child");
    xray_trace_header header;

    xray_annotate(child, "key", 1);
    xray_get_header(child, &header);
    xray_end(child);
    xray_end(segment);
}

static void continue_a_trace(void)
{
    xray_trace_header header = { .trace_id = { { 1 } },
                                 .parent_id = 7,
                                 .sampled = XRAY_SAMPLED_YES };
    xray_segment *segment = xray_start_segment(
        unsampled, xray_segment_params(.name = "segment", .header = &header));
    xray_segment *resumed;

    xray_get_header(segment, &header);
    resumed = xray_resume(sampled, &header, "resumed");
    xray_end(resumed);
    xray_end(segment);
}

static void send_early(void)
{
    xray_segment *segment = xray_start_segment(sampled, xray_segment_params(.name = "segment"));

    for (int i = 0; i < 500; i++) {
        xray_segment *child = xray_start_subsegment(segment, "child");

        xray_annotate(child, "key", i);
        xray_end(child);
    }
    xray_send_in_progress(segment);
    xray_end(segment);
}

static void serve_an_invocation(void)
{
    xray_segment *invocation = xray_lambda_begin(
        sampled, "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1");

    xray_end(xray_begin_subsegment("work"));
    (void)xray_lambda_end(invocation, 0);
}

static void *volatile planted;

static void plant(void)
{
    begin_and_end();
    planted = malloc(1);
    free(planted);
}

/* ---- Counting -------------------------------------------------------------------- */

static unsigned long allocations_of(void (*work)(void))
{
    unsigned long before;

    for (int i = 0; i < 300; i++)
        work();
    before = allocations + hook_calls;
    for (int i = 0; i < 1000; i++)
        work();
    return allocations + hook_calls - before;
}

static int send_nothing(void *data, const xray_document *document)
{
    (void)data;
    (void)document;
    return 0;
}

static void make_recorders(const char *address)
{
    static const xray_emitter nowhere = { .size = sizeof(nowhere), .emit = send_nothing };
    xray_sampler yes = { .size = sizeof(yes) }, no = { .size = sizeof(no) };

    if (xray_sampler_rate(&yes, 0, 1) < 0 || xray_sampler_rate(&no, 0, 0) < 0 ||
        xray_recorder_new(&sampled, xray_recorder_params(.sampler = &yes,
                                                         .flags = XRAY_RECORDER_NO_ENVIRONMENT,
                                                         .emitter = address ? NULL : &nowhere,
                                                         .daemon_address = address)) < 0 ||
        xray_recorder_new(&unsampled, xray_recorder_params(.sampler = &no,
                                                           .flags = XRAY_RECORDER_NO_ENVIRONMENT,
                                                           .emitter = &nowhere)) < 0)
        exit(1);
}

static const struct {
    const char *name;
    void (*work)(void);
} works[] = {
    { "beginning and ending", begin_and_end },
    { "annotating", annotate },
    { "adding metadata", add_metadata },
    { "setting http, aws and sql", set_blocks },
    { "adding an exception", add_exception },
    { "parsing and formatting a header", parse_and_format },
    { "an unsampled segment", record_unsampled },
    { "continuing a trace", continue_a_trace },
    { "sending early and in progress", send_early },
    { "a Lambda invocation", serve_an_invocation },
};

int main(void)
{
    static const xray_allocator hooks = { .size = sizeof(hooks),
                                          .allocate = hook_allocate,
                                          .release = hook_release };
    size_t count = sizeof(works) / sizeof(*works);
    unsigned long seen;

    if (xray_set_allocator(&hooks) < 0)
        return 1;
    make_recorders(NULL);
    printf("1..%zu\n", count + 3);
    seen = allocations_of(plant);
    printf("%s 1 - an allocation that is planted is seen\n", seen == 1000 ? "ok" : "not ok");
    printf("%s 2 - memory comes from the hook\n", hook_calls > 0 ? "ok" : "not ok");
    for (size_t i = 0; i < count; i++) {
        seen = allocations_of(works[i].work);
        printf("%s %zu - %s does not allocate\n", seen == 0 ? "ok" : "not ok", i + 3,
               works[i].name);
        if (seen > 0)
            printf("# %lu allocations in 1000 rounds\n", seen);
    }
    xray_recorder_free(sampled);
    xray_recorder_free(unsampled);

    /* Nobody has to listen there: what is counted is what it takes to send. */
    make_recorders("127.0.0.1:1");
    seen = allocations_of(begin_and_end);
    printf("%s %zu - sending to the daemon does not allocate\n", seen == 0 ? "ok" : "not ok",
           count + 3);
    xray_recorder_free(sampled);
    xray_recorder_free(unsampled);
    return 0;
}
