/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filter expressions of xraytrace-local, and its selectors. What was read is printed, and that
 * is read as the same; what was not read has a place in the text, and says so.
 */
#include "fuzz.h"

#include <errno.h>

#include "local/filter/filter.h"

const struct fuzz_large fuzz_large[] = {
    { "deep parentheses", "", "(", 8192, "" },
    { "deep negation", "", "!", 8000, "ok" },
    { "deep braces", "", "service(){", 800, "ok" },
    { "deep JSON", "rootcause.json = #", "[", 8000, "" },
    { "many conditions", "ok", " OR ok", 1300, "" },
    { "a long name", "", "a", 8192, "" },
    { "too long", "", "ok ", 1 << 18, "" },
    { 0 },
};

/* Groups that name each other, and one with an error. */
static const char *find_group(void *data, const char *name, bool is_arn)
{
    (void)data;
    if (is_arn || strcmp(name, "wrong") == 0)
        return "service(";
    if (strcmp(name, "loop") == 0)
        return "group.name = loop";
    return strcmp(name, "slow") == 0 ? "responsetime > 2" : NULL;
}
static const struct filter_groups groups = { find_group, NULL };

/* A trace of two segments with one of everything. */
static const struct facts_http http = { "http://a/b", "GET", "agent", "10.0.0.1", 500 };
static const struct facts_segment segments[] = {
    { .item = { 1, "a", "t", "1", &http, "u", NULL, 1, 2, MARK_FAULT | MARK_ROOT, 0, 1 },
      .last_end = 3,
      .availability_zone = "z",
      .instance_id = "i",
      .resource_arn = "r" },
    { .item = { .id = 2, .name = "b", .start = 1, .end = 1, .marks = MARK_INFERRED } },
};
static const struct facts_call calls[] = {
    { .item = { 3, "b", "t", NULL, &http, NULL, "o", 1, 2, MARK_REMOTE, 0, 1 },
      .from = 0,
      .to = 1 },
};
static const struct facts_annotation annotations[] = {
    { "k", { VALUE_STRING, "v", 0, false }, 0 },
    { "n", { VALUE_NUMBER, NULL, 1, false }, 1 },
    { "y", { VALUE_BOOLEAN, NULL, 0, true }, 0 },
};
static const struct facts_exception exceptions[] = { { "E", "m", false } };
static const struct facts_cause causes[] = { { CAUSE_FAULT, 0, 1 }, { CAUSE_RESPONSE_TIME, 0, 1 } };
static const struct facts_cause_service cause_services[] = { { 0, 0, 1 } };
static const struct facts_cause_entity cause_entities[] = { { "a", 0.5, 0, 1, false } };
static const struct facts facts = {
    .start = 1,
    .end = 3,
    .response_time = 1,
    .root = 0,
    .segments = segments,
    .calls = calls,
    .annotations = annotations,
    .exceptions = exceptions,
    .causes = causes,
    .cause_services = cause_services,
    .cause_entities = cause_entities,
    .segment_count = 2,
    .call_count = 1,
    .annotation_count = 3,
    .exception_count = 1,
    .cause_count = 2,
};

static void check_error(const struct filter_error *error, size_t size)
{
    CHECK(error->position <= size);
    CHECK(error->message[0] && memchr(error->message, '\0', sizeof error->message));
    for (const char *c = error->message; *c; c++)
        CHECK((unsigned char)*c >= 0x20 && *c != 0x7f);
}

static char *printed(const struct filter *filter)
{
    struct buffer buffer = { 0 };
    char *text;

    filter_print(filter, &buffer);
    text = buffer_take(&buffer, NULL);
    CHECK(text);
    return text;
}

static void check_note(void *data, size_t position, const char *sentence)
{
    const size_t *size = data;

    CHECK(position < *size && sentence[0]);
}

static void check_filter(const char *text, size_t size)
{
    struct filter_error error = { 0 };
    struct filter *filter, *again;
    char *once, *twice;
    int r = filter_parse(&filter, text, size, &groups, &error);

    CHECK(r == 0 || r == -EINVAL);
    if (r < 0) {
        check_error(&error, size);
        return;
    }
    filter_notes(filter, check_note, &size);
    once = printed(filter);
    /* Quotes and blanks may make it longer than what is allowed. */
    r = filter_parse(&again, once, strlen(once), &groups, &error);
    CHECK(r == 0 || strlen(once) > FILTER_LENGTH_MAX);
    if (r == 0) {
        twice = printed(again);
        CHECK(strcmp(once, twice) == 0);
        CHECK(filter_matches(filter, &facts) == filter_matches(again, &facts));
        free(twice);
        filter_free(again);
    }
    free(once);
    filter_free(filter);
}

static void check_selector(const char *text, size_t size)
{
    struct filter_error error = { 0 };
    struct filter_selector *selector;
    int r = filter_selector_parse(&selector, text, size, &error);

    CHECK(r == 0 || r == -EINVAL);
    if (r < 0) {
        check_error(&error, size);
        return;
    }
    for (size_t i = 0; i < 2; i++)
        if (filter_selector_takes_segment(selector, &segments[i]))
            CHECK(filter_selector_kind(selector) == SELECTED_SERVICE);
    if (filter_selector_takes_call(selector, &facts, &calls[0]))
        CHECK(filter_selector_kind(selector) != SELECTED_SERVICE);
    filter_selector_free(selector);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Without a NUL, so that the sanitizers see what is read behind it. */
    char *text = fuzz_allocate(size);

    if (size > 0)
        memcpy(text, data, size);
    check_filter(text, size);
    check_selector(text, size);
    free(text);
    return 0;
}
