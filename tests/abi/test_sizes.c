/* SPDX-License-Identifier: Apache-2.0 */
/* Structs of programs that were compiled with older and newer headers than the library. */
#include <stdlib.h>

#include "support.h"

#define NEW_MEMBERS 16 /* bytes that a newer struct has more */

enum age { OLDER, NEWER_AND_ZERO, NEWER };

/* ---- What recording takes ------------------------------------------------------------ */

/*
 * A struct with all its members; those from older on are not there for an older
 * program, although its memory goes on: kept has to be in the documents, and
 * beyond only when the struct has it.
 */
struct shape {
    const void *members;
    size_t size, older;
    const char *kept, *beyond;
    void (*use)(const void *params);
};

static xray_segment *segment, *subsegment;

static void check(const struct shape *shape, enum age age)
{
    size_t size = age == OLDER ? shape->older : shape->size + NEW_MEMBERS;
    unsigned char *memory = calloc(1, shape->size + NEW_MEMBERS);

    memcpy(memory, shape->members, shape->size);
    memcpy(memory, &size, sizeof(size));
    if (age == NEWER)
        memory[size - 1] = 1;

    record();
    segment = xray_start_segment(recorder, NULL);
    subsegment = xray_start_subsegment(segment, NULL);
    shape->use(memory);
    cr_expect_eq(stats_of(recorder).truncated, age == NEWER, "what is not known is counted");
    xray_end(subsegment);
    xray_end(segment);
    settle();
    cr_expect(emitted_text(shape->kept), "%s is missing", shape->kept);
    cr_expect_eq(emitted_text(shape->beyond), age != OLDER, "%s", shape->beyond);
    free(memory);
}

/* The same with as much memory as the older program has, for tools that watch it. */
static void check_memory(const struct shape *shape)
{
    void *memory = malloc(shape->older);

    memcpy(memory, shape->members, shape->older);
    memcpy(memory, &shape->older, sizeof(shape->older));
    record();
    segment = xray_start_segment(recorder, NULL);
    subsegment = xray_start_subsegment(segment, NULL);
    shape->use(memory);
    free(memory);
    xray_end(subsegment);
    xray_end(segment);
    settle();
    cr_expect(emitted_text(shape->kept));
}

#define TESTS_OF(suite)                                        \
    Test(suite, of_an_older_program_is_read_up_to_its_end)     \
    {                                                          \
        check(&suite, OLDER);                                  \
    }                                                          \
    Test(suite, of_an_older_program_is_not_read_beyond)        \
    {                                                          \
        check_memory(&suite);                                  \
    }                                                          \
    Test(suite, of_a_newer_program_is_taken_when_it_says_less) \
    {                                                          \
        check(&suite, NEWER_AND_ZERO);                         \
    }                                                          \
    Test(suite, of_a_newer_program_loses_what_is_not_known)    \
    {                                                          \
        check(&suite, NEWER);                                  \
    }

static void use_segment_params(const void *params)
{
    xray_end(xray_start_segment(recorder, params));
}

static const struct shape segment_params = {
    .members = &(xray_segment_params){ .name = "kept", .start_ns = 1234567890123456000 },
    .size = sizeof(xray_segment_params),
    .older = offsetof(xray_segment_params, header),
    .kept = "\"kept\"",
    .beyond = "1234567890.123456",
    .use = use_segment_params,
};
TESTS_OF(segment_params)

static void use_subsegment_params(const void *params)
{
    xray_end(xray_start_subsegment_with(segment, params));
}

static const struct shape subsegment_params = {
    .members = &(xray_subsegment_params){ .name = "kept", .name_space = "remote" },
    .size = sizeof(xray_subsegment_params),
    .older = offsetof(xray_subsegment_params, name_space),
    .kept = "\"kept\"",
    .beyond = "\"remote\"",
    .use = use_subsegment_params,
};
TESTS_OF(subsegment_params)

static void use_http(const void *params)
{
    xray_set_http(segment, params);
}

static const struct shape http = {
    .members = &(xray_http){ .method = "kept", .client_ip = "beyond" },
    .size = sizeof(xray_http),
    .older = offsetof(xray_http, client_ip),
    .kept = "kept",
    .beyond = "beyond",
    .use = use_http,
};
TESTS_OF(http)

static void use_aws(const void *params)
{
    xray_set_aws(subsegment, params);
}

static const struct shape aws = {
    .members = &(xray_aws){ .operation = "kept", .table_name = "beyond" },
    .size = sizeof(xray_aws),
    .older = offsetof(xray_aws, queue_url),
    .kept = "kept",
    .beyond = "beyond",
    .use = use_aws,
};
TESTS_OF(aws)

static void use_sql(const void *params)
{
    xray_set_sql(subsegment, params);
}

static const struct shape sql = {
    .members = &(xray_sql){ .user = "kept", .sanitized_query = "beyond" },
    .size = sizeof(xray_sql),
    .older = offsetof(xray_sql, sanitized_query),
    .kept = "kept",
    .beyond = "beyond",
    .use = use_sql,
};
TESTS_OF(sql)

static void use_exception(const void *params)
{
    cr_expect_neq(xray_add_exception_with(subsegment, params), 0);
}

static const xray_frame frame = { .path = "f.c", .label = "beyond", .line = 1 };
static const struct shape exception = {
    .members = &(
        xray_exception){ .type = "kept", .message = "m", .frames = &frame, .frame_count = 1 },
    .size = sizeof(xray_exception),
    .older = offsetof(xray_exception, frames),
    .kept = "kept",
    .beyond = "beyond",
    .use = use_exception,
};
TESTS_OF(exception)

/* ---- What set-up takes --------------------------------------------------------------- */

static int calls; /* of hooks that the older struct does not have */

static int emit(void *data, const xray_document *given)
{
    (void)data;
    (void)given;
    return 0;
}

static int flush(void *data, int timeout_ms)
{
    (void)data;
    (void)timeout_ms;
    calls++;
    return 0;
}

static void decide(void *data, const xray_sampling_request *request, xray_sampling_decision *ret)
{
    (void)data;
    (void)request;
    ret->sampled = 1;
}

static void destroy(void *data)
{
    (void)data;
    calls++;
}

static void hear(void *data, int level, const char *text)
{
    (void)data;
    (void)level;
    (void)text;
}

static int64_t now_ns(void *data)
{
    (void)data;
    return 1700000000000000000;
}

static void *allocate(void *data, size_t bytes)
{
    (void)data;
    return malloc(bytes);
}

static void release(void *data, void *memory, size_t bytes)
{
    (void)data;
    (void)bytes;
    free(memory);
}

static const xray_emitter emitter = { .emit = emit, .flush = flush, .destroy = destroy };
static const xray_sampler sampler = { .decide = decide, .destroy = destroy };
static const xray_logger logger = { .log = hear };
static const xray_clock still = { .now_ns = now_ns };
static const xray_allocator allocator = { .allocate = allocate, .release = release };

/* A copy that says it has size bytes, and has NEW_MEMBERS more, of which the last is as given. */
static void *resized(const void *members, size_t known, size_t size, unsigned char last)
{
    unsigned char *memory = calloc(1, known + NEW_MEMBERS);

    memcpy(memory, members, known);
    memcpy(memory, &size, sizeof(size));
    memory[known + NEW_MEMBERS - 1] = last;
    return memory;
}

static int make(xray_recorder_params params)
{
    xray_recorder *made = NULL;
    int r;

    params.size = sizeof(params);
    params.flags = XRAY_RECORDER_NO_ENVIRONMENT;
    r = xray_recorder_new(&made, &params);
    cr_expect_eq(r == 0, made != NULL);
    if (made) {
        xray_end(xray_start_segment(made, NULL));
        (void)xray_recorder_flush(made, 0);
    }
    xray_recorder_free(made);
    return r;
}

#define NEWER_HOOKS(hook, type, name)                                                 \
    Test(name, of_a_newer_program_is_taken_when_its_new_members_are_zero)             \
    {                                                                                 \
        void *params = resized(&(hook), sizeof(type), sizeof(type) + NEW_MEMBERS, 0); \
        cr_expect_eq(make((xray_recorder_params){ .name = params }), 0);              \
        free(params);                                                                 \
    }                                                                                 \
    Test(name, of_a_newer_program_is_refused_otherwise)                               \
    {                                                                                 \
        void *params = resized(&(hook), sizeof(type), sizeof(type) + NEW_MEMBERS, 1); \
        cr_expect_eq(make((xray_recorder_params){ .name = params }), -E2BIG);         \
        free(params);                                                                 \
    }
NEWER_HOOKS(emitter, xray_emitter, emitter)
NEWER_HOOKS(sampler, xray_sampler, sampler)
NEWER_HOOKS(logger, xray_logger, logger)
NEWER_HOOKS(still, xray_clock, clock)

Test(emitter, of_an_older_program_has_no_functions_beyond_its_end)
{
    void *older = resized(&emitter, sizeof(emitter), offsetof(xray_emitter, flush), 0);

    cr_expect_eq(make((xray_recorder_params){ .emitter = older }), 0);
    cr_expect_eq(calls, 0);
    free(older);
}

Test(sampler, of_an_older_program_has_no_functions_beyond_its_end)
{
    void *older = resized(&sampler, sizeof(sampler), offsetof(xray_sampler, after_fork), 0);

    cr_expect_eq(
        make((xray_recorder_params){
            .emitter = &(xray_emitter){ sizeof(xray_emitter), .emit = emit }, .sampler = older }),
        0);
    cr_expect_eq(calls, 0);
    free(older);
}

Test(hook, that_is_too_small_for_its_function_is_refused)
{
    void *small[] = {
        resized(&emitter, sizeof(emitter), offsetof(xray_emitter, emit), 0),
        resized(&sampler, sizeof(sampler), offsetof(xray_sampler, decide), 0),
        resized(&logger, sizeof(logger), offsetof(xray_logger, log), 0),
        resized(&still, sizeof(still), offsetof(xray_clock, now_ns), 0),
        resized(&allocator, sizeof(allocator), offsetof(xray_allocator, release), 0),
    };

    cr_expect_eq(make((xray_recorder_params){ .emitter = small[0] }), -EINVAL, "emitter");
    cr_expect_eq(make((xray_recorder_params){ .sampler = small[1] }), -EINVAL, "sampler");
    cr_expect_eq(make((xray_recorder_params){ .logger = small[2] }), -EINVAL, "logger");
    cr_expect_eq(make((xray_recorder_params){ .clock = small[3] }), -EINVAL, "clock");
    cr_expect_eq(xray_set_allocator(small[4]), -EINVAL, "allocator");
    for (size_t i = 0; i < sizeof(small) / sizeof(*small); i++)
        free(small[i]);
}

Test(allocator, of_a_newer_program_is_taken_when_its_new_members_are_zero)
{
    void *newer = resized(&allocator, sizeof(allocator), sizeof(allocator) + NEW_MEMBERS, 0);

    cr_expect_eq(xray_set_allocator(newer), 0);
    free(newer);
}

Test(allocator, of_a_newer_program_is_refused_otherwise)
{
    void *newer = resized(&allocator, sizeof(allocator), sizeof(allocator) + NEW_MEMBERS, 1);

    cr_expect_eq(xray_set_allocator(newer), -E2BIG);
    free(newer);
}

Test(recorder_params, of_an_older_program_are_read_up_to_their_end)
{
    xray_recorder_params now = { .size = offsetof(xray_recorder_params, service_version),
                                 .flags = XRAY_RECORDER_NO_ENVIRONMENT,
                                 .service = "kept",
                                 .daemon_address = "no address",
                                 .stream_bytes = SIZE_MAX };
    xray_recorder *made = NULL;

    cr_expect_eq(xray_recorder_new(&made, &now), 0);
    xray_recorder_free(made);
}

/* ---- What the library fills in ----------------------------------------------------------- */

static int make_udp(xray_emitter *ret)
{
    return xray_emitter_udp(ret, "127.0.0.1:9");
}

static int make_stream(xray_emitter *ret)
{
    return xray_emitter_stream(ret, stderr);
}

static int make_queue(xray_emitter *ret)
{
    xray_emitter inner = emitter;

    inner.size = sizeof(inner);
    return xray_emitter_queue(ret, &inner, 0);
}

static int (*const emitters[])(xray_emitter *ret) = { make_udp, make_stream, make_queue };

static int make_rate(xray_sampler *ret)
{
    return xray_sampler_rate(ret, 1, 0.5);
}

static int make_local(xray_sampler *ret)
{
    return xray_sampler_local(
        ret, "{\"version\":2,\"rules\":[],\"default\":{\"fixed_target\":1,\"rate\":0.1}}");
}

static int (*const samplers[])(xray_sampler *ret) = { make_rate, make_local };

/* The bytes from an offset on are still as they were. */
static bool untouched(const void *memory, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (((const unsigned char *)memory)[i] != 0xAA)
            return false;
    return true;
}

/* Programs whose headers are as old as can be know no member after destroy. */
#define FIRST_EMITTER (offsetof(xray_emitter, destroy) + sizeof(void (*)(void *)))
#define FIRST_SAMPLER (offsetof(xray_sampler, destroy) + sizeof(void (*)(void *)))

Test(constructor, of_an_emitter_fills_the_struct_of_an_older_program)
{
    for (size_t i = 0; i < sizeof(emitters) / sizeof(*emitters); i++) {
        size_t size = FIRST_EMITTER;
        xray_emitter ret;

        memset(&ret, 0xAA, sizeof(ret));
        ret.size = size;
        cr_assert_eq(emitters[i](&ret), 0, "emitter %zu", i);
        cr_expect_eq(ret.size, size);
        cr_expect(untouched(&ret, size, sizeof(ret)), "emitter %zu", i);
        if (ret.destroy)
            ret.destroy(ret.data);
    }
}

Test(constructor, of_an_emitter_leaves_new_members_of_a_newer_program_zero)
{
    for (size_t i = 0; i < sizeof(emitters) / sizeof(*emitters); i++) {
        struct {
            xray_emitter known;
            uint64_t unknown;
        } ret = { { .size = sizeof(ret) }, 42 };

        cr_assert_eq(emitters[i](&ret.known), 0, "emitter %zu", i);
        cr_expect_eq(ret.known.size, sizeof(ret));
        cr_expect_eq(ret.unknown, 0, "a hook of a newer struct must not be one by chance");
        if (ret.known.destroy)
            ret.known.destroy(ret.known.data);
    }
}

Test(constructor, of_a_sampler_leaves_new_members_of_a_newer_program_zero)
{
    for (size_t i = 0; i < sizeof(samplers) / sizeof(*samplers); i++) {
        struct {
            xray_sampler known;
            uint64_t unknown;
        } ret = { { .size = sizeof(ret) }, 42 };

        cr_assert_eq(samplers[i](&ret.known), 0, "sampler %zu", i);
        cr_expect_eq(ret.known.size, sizeof(ret));
        cr_expect_eq(ret.unknown, 0, "a hook of a newer struct must not be one by chance");
        if (ret.known.destroy)
            ret.known.destroy(ret.known.data);
    }
}

Test(constructor, of_a_struct_too_small_for_what_it_returns_is_refused)
{
    for (size_t size = 0; size < FIRST_EMITTER; size += 8) {
        xray_emitter ret;

        memset(&ret, 0xAA, sizeof(ret));
        ret.size = size;
        cr_expect_eq(emitters[0](&ret), -EINVAL, "%zu", size);
        cr_expect(untouched(&ret, sizeof(size), sizeof(ret)), "%zu", size);
    }
    for (size_t size = 0; size < FIRST_SAMPLER; size += 8) {
        xray_sampler ret;

        memset(&ret, 0xAA, sizeof(ret));
        ret.size = size;
        cr_expect_eq(samplers[0](&ret), -EINVAL, "%zu", size);
        cr_expect(untouched(&ret, sizeof(size), sizeof(ret)), "%zu", size);
    }
}

Test(losses, are_filled_in_no_further_than_the_caller_has)
{
    size_t size = offsetof(xray_losses, too_large);
    xray_emitter queue = { .size = sizeof(queue) };
    xray_losses losses;

    cr_assert_eq(make_queue(&queue), 0);
    memset(&losses, 0xAA, sizeof(losses));
    losses.size = size;
    queue.get_losses(queue.data, &losses);
    cr_expect_eq(losses.size, size);
    cr_expect_eq(losses.refused, 0);
    cr_expect(untouched(&losses, size, sizeof(losses)));
    queue.destroy(queue.data);
}
