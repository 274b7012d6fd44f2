/* SPDX-License-Identifier: Apache-2.0 */
#include "golden.h"

#include <stdlib.h>
#include <string.h>

#define REWRITE "XRAYTRACE_TESTS_REWRITE"

#define IDS_MAX 64

/* What was replaced, in the order of appearance. */
struct ids {
    char texts[IDS_MAX][25];
    int count;
};

void golden_record_with(xray_recorder_params params)
{
    params.clock = &still_clock;
    if (!params.service)
        params.service = "service";
    record_with(params);
}

void golden_record(void)
{
    golden_record_with((xray_recorder_params){ .origin = NULL });
}

void golden_wait(void)
{
    clock_ns += 250000000;
}

/* ---- What differs from run to run ------------------------------------------------- */

static bool is_id(const char *text, size_t digits)
{
    /* Those with eight zeros are the test's own, and stay. */
    return strspn(text, "0123456789abcdef") == digits && text[digits] == '"' &&
           strncmp(text, "00000000", 8) != 0;
}

static int number_of(struct ids *ids, const char *text, size_t digits)
{
    for (int i = 0; i < ids->count; i++)
        if (strncmp(ids->texts[i], text, digits) == 0 && ids->texts[i][digits] == '\0')
            return i + 1;
    cr_assert_lt(ids->count, IDS_MAX);
    memcpy(ids->texts[ids->count], text, digits);
    return ++ids->count;
}

static bool begins_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* A value that is not the same with every compiler and version: "version" stands for it. */
static const char *fixed_value(const char *text)
{
    static const char *const members[] = { "\"compiler\":\"", "\"compiler_version\":\"",
                                           "\"sdk_version\":\"" };

    for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
        if (begins_with(text, members[i]))
            return members[i];
    return NULL;
}

/*
 * The 16 digits of the first id become 1d00000000000001, those of the second
 * 1d00000000000002; the 24 random ones of a trace id likewise, behind its time.
 * Compiler and versions become "*".
 */
static char *normalise(const char *text)
{
    static struct ids ids, traces;
    char *ret = malloc(strlen(text) + 1), *p = ret;

    while (*text) {
        const char *member = fixed_value(text);

        if (member) {
            p += sprintf(p, "%s*", member);
            text = strchr(text + strlen(member), '"');
        } else if (*text == '"' && is_id(text + 1, 16)) {
            p += sprintf(p, "\"1d%014d", number_of(&ids, text + 1, 16));
            text += 17;
        } else if (begins_with(text, "\"1-") && strlen(text) > 36 && is_id(text + 12, 24)) {
            p += sprintf(p, "%.12s1d%022d", text, number_of(&traces, text + 12, 24));
            text += 36;
        } else {
            *p++ = *text++;
        }
    }
    *p = '\0';
    return ret;
}

/* ---- The files ---------------------------------------------------------------------- */

static char *read_file(const char *path)
{
    static char text[256 * 1024];
    FILE *file = fopen(path, "r");

    if (!file)
        return NULL;
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    return text;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    cr_assert(file, "%s: %s", path, strerror(errno));
    cr_assert_geq(fputs(text, file), 0);
    cr_assert_eq(fclose(file), 0);
}

static char *all_documents(void)
{
    char *text = NULL;
    size_t length;
    FILE *stream = open_memstream(&text, &length);

    for (size_t i = 0; i < document_count(); i++) {
        char *line = normalise(document_text(i));

        fprintf(stream, "%s\n", line);
        free(line);
    }
    fclose(stream);
    return text;
}

/* The line on which two texts differ, from some bytes before the difference. */
static void show_difference(char ret[400], const char *expected, const char *found)
{
    size_t same = 0, start;

    while (expected[same] && expected[same] == found[same])
        same++;
    start = same > 60 ? same - 60 : 0;
    snprintf(ret, 400, "at byte %zu\n  expected …%.*s\n     found …%.*s", same,
             (int)strcspn(expected + start, "\n") > 150 ? 150
                                                        : (int)strcspn(expected + start, "\n"),
             expected + start,
             (int)strcspn(found + start, "\n") > 150 ? 150 : (int)strcspn(found + start, "\n"),
             found + start);
}

static void rewrite(const char *path, const char *old, const char *text)
{
    write_file(path, text);
    if (old)
        fprintf(stderr, "%s was:\n%s", path, old);
    fprintf(stderr, "%s is now:\n%s", path, text);
}

void expect_golden(const char *name)
{
    char path[512], difference[400];
    char *found, *expected;

    settle();
    snprintf(path, sizeof(path), "%s/%s.json", GOLDEN_DIRECTORY, name);
    found = all_documents();
    expected = read_file(path);
    if (!expected || strcmp(expected, found) != 0) {
        if (getenv(REWRITE)) {
            rewrite(path, expected, found);
        } else {
            show_difference(difference, expected ? expected : "", found);
            cr_assert(false,
                      "%s.json differs %s\n  if it should: run this with " REWRITE
                      "=1, and read what it prints",
                      name, difference);
        }
    }
    free(found);
}
