/* SPDX-License-Identifier: Apache-2.0 */
/* Recorders: what they are made from, what they count, and which one is used. */
#include "support.h"

#include <signal.h>
#include <stdlib.h>

static int destroyed, emitted_by[2];

static int emit_as(void *data, const xray_document *document)
{
    (void)document;
    emitted_by[*(int *)data]++;
    return 0;
}

static void count_destroy(void *data)
{
    (void)data;
    destroyed++;
}

static int zero_index, one_index = 1;
static const xray_emitter emitter_zero = {
    .size = sizeof(emitter_zero), .data = &zero_index, .emit = emit_as, .destroy = count_destroy
};
static const xray_emitter emitter_one = {
    .size = sizeof(emitter_one), .data = &one_index, .emit = emit_as, .destroy = count_destroy
};

/* ---- Making ------------------------------------------------------------------- */

Test(making, without_params_works)
{
    xray_recorder *made = NULL;

    cr_assert_eq(xray_recorder_new(&made, NULL), 0);
    cr_assert(made);
    xray_recorder_free(made);
}

Test(making, nowhere_is_refused)
{
    cr_assert_eq(xray_recorder_new(NULL, NULL), -EINVAL);
}

/* Params that must be refused. */
static void expect_refused(xray_recorder_params params, int answer)
{
    xray_recorder *made = (xray_recorder *)&zero_index;

    params.flags |= XRAY_RECORDER_NO_ENVIRONMENT;
    cr_expect_eq(xray_recorder_new(&made, &params), answer);
    cr_expect_eq(made, (xray_recorder *)&zero_index, "the output is left alone");
    cr_expect_eq(destroyed, 0, "hooks are left alone");
}

Test(making, with_a_size_of_zero_is_refused)
{
    expect_refused((xray_recorder_params){ .size = 0 }, -EINVAL);
}

Test(making, with_members_from_the_future_is_refused_unless_they_are_zero)
{
    struct {
        xray_recorder_params known;
        uint64_t unknown;
    } future = { { .size = sizeof(future), .flags = XRAY_RECORDER_NO_ENVIRONMENT }, 1 };
    xray_recorder *made = NULL;

    cr_expect_eq(xray_recorder_new(&made, &future.known), -E2BIG);
    cr_expect_null(made);
    future.unknown = 0;
    cr_expect_eq(xray_recorder_new(&made, &future.known), 0);
    xray_recorder_free(made);
}

Test(making, with_params_from_the_past_reads_no_further)
{
    xray_recorder_params now = { .size = offsetof(xray_recorder_params, clock),
                                 .flags = XRAY_RECORDER_NO_ENVIRONMENT,
                                 .emitter = &emitter_zero };
    void *old = malloc(now.size);
    xray_recorder *made = NULL;

    memcpy(old, &now, now.size);
    cr_expect_eq(xray_recorder_new(&made, old), 0);
    free(old);
    xray_recorder_free(made);
}

Test(making, with_an_emitter_that_cannot_emit_is_refused)
{
    xray_emitter mute = { .size = sizeof(mute), .destroy = count_destroy };

    expect_refused((xray_recorder_params){ .size = sizeof(xray_recorder_params), .emitter = &mute },
                   -EINVAL);
}

Test(making, with_a_sampler_that_cannot_decide_is_refused)
{
    xray_sampler mute = { .size = sizeof(mute), .destroy = count_destroy };

    expect_refused((xray_recorder_params){ .size = sizeof(xray_recorder_params),
                                           .sampler = &mute,
                                           .emitter = &emitter_zero },
                   -EINVAL);
}

Test(making, with_a_logger_or_a_clock_without_its_function_is_refused)
{
    xray_logger logger = { .size = sizeof(logger) };
    xray_clock clock = { .size = sizeof(clock) };

    expect_refused(
        (xray_recorder_params){ .size = sizeof(xray_recorder_params), .logger = &logger }, -EINVAL);
    expect_refused((xray_recorder_params){ .size = sizeof(xray_recorder_params), .clock = &clock },
                   -EINVAL);
}

Test(making, with_a_hook_from_the_future_is_refused)
{
    struct {
        xray_emitter known;
        void *unknown;
    } future = { emitter_zero, &zero_index };

    future.known.size = sizeof(future);
    expect_refused(
        (xray_recorder_params){ .size = sizeof(xray_recorder_params), .emitter = &future.known },
        -E2BIG);
}

Test(making, with_values_out_of_range_is_refused)
{
    expect_refused((xray_recorder_params){ .size = sizeof(xray_recorder_params),
                                           .flags = 1u << 31,
                                           .emitter = &emitter_zero },
                   -EINVAL);
    expect_refused((xray_recorder_params){ .size = sizeof(xray_recorder_params),
                                           .context_missing = 4,
                                           .emitter = &emitter_zero },
                   -EINVAL);
    expect_refused((xray_recorder_params){ .size = sizeof(xray_recorder_params),
                                           .context_missing = -1,
                                           .emitter = &emitter_zero },
                   -EINVAL);
    expect_refused((xray_recorder_params){ .size = sizeof(xray_recorder_params),
                                           .stream_bytes = 60 * 1024 + 1,
                                           .emitter = &emitter_zero },
                   -EINVAL);
}

Test(making, with_an_address_that_cannot_be_read_is_refused)
{
    expect_refused((xray_recorder_params){ .size = sizeof(xray_recorder_params),
                                           .daemon_address = "127.0.0.1:port" },
                   -EINVAL);
}

static char heard[512];
static int heard_count;

static void hear(void *data, int level, const char *text)
{
    (void)data;
    (void)level;
    heard_count++;
    snprintf(heard, sizeof(heard), "%s", text);
}

static void expect_one_line(xray_recorder_params params)
{
    xray_logger logger = { .size = sizeof(logger), .log = hear };
    xray_recorder *made;

    params.size = sizeof(params);
    params.flags |= XRAY_RECORDER_NO_ENVIRONMENT;
    params.logger = &logger;
    heard_count = 0;
    cr_expect_lt(xray_recorder_new(&made, &params), 0);
    cr_expect_eq(heard_count, 1, "heard %d times: %s", heard_count, heard);
}

Test(making, that_is_refused_says_so_in_one_line)
{
    xray_emitter mute = { .size = sizeof(mute) };

    expect_one_line((xray_recorder_params){ .emitter = &mute });
    expect_one_line((xray_recorder_params){ .context_missing = 9 });
    expect_one_line((xray_recorder_params){ .daemon_address = "127.0.0.1:port" });
}

Test(making, takes_hooks_over_and_destroys_them_once)
{
    xray_sampler sampler = sampler_yes;

    sampler.destroy = count_destroy;
    record_with((xray_recorder_params){ .emitter = &emitter_zero, .sampler = &sampler });
    settle();
    cr_expect_eq(destroyed, 2);
}

Test(making, writes_origin_and_version_into_segments_only)
{
    xray_segment *a;

    record_with(
        (xray_recorder_params){ .origin = "AWS::ECS::Container", .service_version = "1.2" });
    a = xray_begin_segment("a");
    xray_end(xray_begin_subsegment("b"));
    xray_end(a);
    settle();
    cr_expect_str_eq(text_at(own_document("a"), "origin"), "AWS::ECS::Container");
    cr_expect_str_eq(text_at(own_document("a"), "service.version"), "1.2");
    cr_expect_null(member(embedded("b"), "origin"));
    cr_expect_null(member(embedded("b"), "service"));
}

Test(making, with_odd_texts_stays_json)
{
    char text[4096];

    memset(text, '"', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    record_with((xray_recorder_params){ .origin = text, .service_version = text, .service = text });
    xray_end(xray_begin_segment(NULL));
    settle();
    cr_expect_eq(strlen(text_at(document(0), "origin")), 250);
    cr_expect_eq(strlen(text_at(document(0), "name")), 200);
}

Test(making, without_a_service_takes_the_programs_name)
{
    record_with((xray_recorder_params){ .size = 0 });
    xray_end(xray_begin_segment(NULL));
    settle();
    cr_expect_str_eq(text_at(document(0), "name"), program_invocation_short_name);
}

/* ---- Counting ------------------------------------------------------------------------ */

Test(stats, count_what_happened)
{
    xray_trace_header no = { .sampled = XRAY_SAMPLED_NO };
    xray_segment *a;
    xray_stats stats;

    record();
    a = xray_begin_segment("a");
    xray_end(xray_begin_subsegment("b"));
    xray_end(a);
    xray_end(xray_start_segment(recorder, xray_segment_params(.header = &no)));
    emitter_answer = -EIO;
    xray_end(xray_begin_segment("c"));
    stats = stats_of(recorder);
    cr_expect_eq(stats.begun, 4);
    cr_expect_eq(stats.sampled, 3);
    cr_expect_eq(stats.embedded, 1);
    cr_expect_eq(stats.emitted, 1);
    cr_expect_eq(stats.failed, 1);
    cr_expect_eq(stats.dropped, 0);
    cr_expect_eq(stats.truncated, 0);
    settle();
}

Test(stats, fill_no_more_than_the_caller_has)
{
    unsigned char memory[sizeof(xray_stats)];
    size_t size = offsetof(xray_stats, sampled) + 4;

    record();
    xray_end(xray_begin_segment("a"));
    memset(memory, 0xAA, sizeof(memory));
    memcpy(memory, &size, sizeof(size));
    xray_recorder_get_stats(recorder, (xray_stats *)(void *)memory);
    cr_expect_eq(memory[offsetof(xray_stats, begun)], 1);
    for (size_t i = size; i < sizeof(memory); i++)
        cr_expect_eq(memory[i], 0xAA);
    settle();
}

Test(stats, fill_nothing_without_a_size_or_a_recorder)
{
    xray_stats stats = { .size = 0, .begun = 77 };

    record();
    xray_recorder_get_stats(recorder, &stats);
    cr_expect_eq(stats.begun, 77);
    stats.size = sizeof(stats);
    xray_recorder_get_stats(NULL, &stats);
    cr_expect_eq(stats.begun, 77);
    xray_recorder_get_stats(recorder, NULL);
    settle();
}

Test(stats, of_a_larger_struct_are_filled_as_far_as_known)
{
    struct {
        xray_stats known;
        uint64_t unknown;
    } future = { { .size = sizeof(future) }, 77 };

    record();
    xray_end(xray_begin_segment("a"));
    xray_recorder_get_stats(recorder, &future.known);
    cr_expect_eq(future.known.begun, 1);
    cr_expect_eq(future.known.size, sizeof(future));
    cr_expect_eq(future.unknown, 77);
    settle();
}

/* ---- Which one -------------------------------------------------------------------------- */

Test(recorders, are_independent_of_each_other)
{
    xray_recorder *zero, *one;
    xray_segment *a, *b;

    cr_assert_eq(xray_recorder_new(&zero, xray_recorder_params(.emitter = &emitter_zero,
                                                               .sampler = &sampler_yes)),
                 0);
    cr_assert_eq(xray_recorder_new(
                     &one, xray_recorder_params(.emitter = &emitter_one, .sampler = &sampler_yes)),
                 0);
    a = xray_start_segment(zero, NULL);
    b = xray_start_segment(one, NULL);
    xray_attach(a);
    xray_attach(b);
    xray_end(xray_begin_subsegment("of b"));
    xray_end(b);
    xray_end(xray_begin_subsegment("of a"));
    xray_end(a);
    for (int i = 0; i < 100; i++) {
        xray_end(xray_start_segment(zero, NULL));
        xray_end(xray_start_segment(one, NULL));
    }
    cr_expect_eq(stats_of(zero).begun, 102);
    cr_expect_eq(stats_of(one).begun, 102);
    cr_expect_eq(emitted_by[0], 101);
    cr_expect_eq(emitted_by[1], 101);
    xray_recorder_free(zero);
    xray_recorder_free(one);
}

Test(recorders, that_come_after_each_other_count_from_zero)
{
    for (int i = 0; i < 20; i++) {
        record();
        xray_end(xray_begin_segment("a"));
        cr_expect_eq(stats_of(recorder).begun, 1);
        settle();
    }
}

Test(recorders, default_is_the_one_that_was_lent)
{
    record();
    cr_expect_eq(xray_recorder_default(), recorder);
    xray_recorder_set_default(NULL);
    cr_expect_neq(xray_recorder_default(), recorder);
    cr_expect(xray_recorder_default());
    settle();
}

Test(recorders, own_default_is_made_once_and_never_freed)
{
    xray_recorder *own = xray_recorder_default();

    cr_assert(own);
    xray_recorder_free(own);
    cr_assert_eq(xray_recorder_default(), own);
    xray_end(xray_begin_segment("a"));
    cr_assert_eq(stats_of(own).begun, 1);
}

Test(recorders, own_default_can_be_set_and_unset_again)
{
    xray_recorder *own = xray_recorder_default();

    xray_recorder_set_default(own);
    cr_expect_eq(xray_recorder_default(), own);
    xray_recorder_set_default(NULL);
    cr_expect_eq(xray_recorder_default(), own);
}

Test(recorders, that_are_null_are_freed_and_flushed_in_vain)
{
    xray_recorder_free(NULL);
    cr_expect_eq(xray_recorder_flush(NULL, 0), 0);
}

/* ---- Without a current segment --------------------------------------------------------------- */

Test(context_missing, gives_nothing_and_logs_once)
{
    record();
    cr_expect_null(xray_begin_subsegment("a"));
    cr_expect_null(xray_begin_subsegment("a"));
    cr_expect_eq(message_count(), 1);
    cr_expect_eq(stats_of(recorder).begun, 0);
    settle();
}

Test(context_missing, can_be_ignored)
{
    record_with((xray_recorder_params){ .context_missing = XRAY_CONTEXT_MISSING_IGNORE });
    cr_expect_null(xray_begin_subsegment("a"));
    cr_expect_eq(message_count(), 0);
    settle();
}

Test(context_missing, can_abort, .signal = SIGABRT)
{
    record_with((xray_recorder_params){ .context_missing = XRAY_CONTEXT_MISSING_ABORT });
    xray_begin_subsegment("a");
}

/* ---- The stream emitter -------------------------------------------------------------------------
 */

Test(stream_emitter, writes_a_line_for_each_document)
{
    xray_emitter emitter = { .size = sizeof(emitter) };
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    cJSON *json;
    char *line;

    cr_assert_eq(xray_emitter_stream(&emitter, stream), 0);
    record_with((xray_recorder_params){ .emitter = &emitter });
    xray_end(xray_begin_segment("a"));
    cr_assert_gt(length, 0, "it is flushed");
    xray_end(xray_begin_segment("b"));
    settle();
    fclose(stream);
    line = strchr(text, '\n');
    cr_assert_eq(line[strlen(line) - 1], '\n');
    *line = '\0';
    json = cJSON_Parse(text);
    cr_expect_str_eq(text_at(json, "name"), "a");
    cJSON_Delete(json);
    json = cJSON_Parse(line + 1);
    cr_expect_str_eq(text_at(json, "name"), "b");
    cJSON_Delete(json);
    free(text);
}

Test(stream_emitter, counts_what_could_not_be_written)
{
    xray_emitter emitter = { .size = sizeof(emitter) };
    FILE *full = fopen("/dev/full", "w");

    if (!full)
        cr_skip_test("there is no /dev/full");
    cr_assert_eq(xray_emitter_stream(&emitter, full), 0);
    record_with((xray_recorder_params){ .emitter = &emitter });
    xray_end(xray_begin_segment("a"));
    cr_expect_eq(stats_of(recorder).failed, 1);
    settle();
    fclose(full);
}

Test(stream_emitter, needs_a_stream_and_a_size)
{
    xray_emitter emitter = { .size = sizeof(emitter) }, none = { .size = 0 };

    cr_expect_eq(xray_emitter_stream(&emitter, NULL), -EINVAL);
    cr_expect_eq(xray_emitter_stream(&none, stdout), -EINVAL);
    cr_expect_eq(xray_emitter_stream(NULL, stdout), -EINVAL);
}
