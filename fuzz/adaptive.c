/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configurations of adaptive sampling. What is before the first NUL is one;
 * behind it come endings, each a line with "|" between its fields: status, 1 for
 * a fault, milliseconds, method, path and name.
 */
#include "fuzz.h"

#include <errno.h>
#include <stdbool.h>

#include "sampling/adaptive.h"

#define NS_PER_MS   INT64_C(1000000)
#define ENDINGS_MAX 16

#define CONDITION "anomalyConditions:\n  - errorCodeRegex: \""

const struct fuzz_large fuzz_large[] = {
    { "64 KiB of one key", "", "k", XR_ADAPTIVE_TEXT_MAX - 3, ": 1" },
    { "more than 64 KiB", "version: 1.0\n# ", "k", XR_ADAPTIVE_TEXT_MAX, "\n" },
    { "deep sequences", "anomalyConditions: ", "[", 60000, "" },
    { "deep mappings", "", "{a: ", 15000, "" },
    { "deep lines", "anomalyConditions:\n", "- ", 30000, "a: 1\n" },
    { "many conditions", "version: 1.0\nanomalyConditions:\n", "  - highLatencyMs: 1\n", 1000, "" },
    { "deep groups", CONDITION, "(", 30000, "\"\n" },
    { "many stars", CONDITION, "(5*)*", 10000, "\"\n" },
    { "many counts", CONDITION, "[0-9]{1,99}", 5000, "\"\n" },
    { "many choices", CONDITION, "5..|", 15000, "4..\"\n" },
    { "a number of many digits", "version: 1.0\nanomalyConditions:\n  - highLatencyMs: ", "9",
      60000, "\n" },
    { 0 },
};

static void check_reason(const char *reason, size_t size)
{
    size_t length = strnlen(reason, size);

    CHECK(length > 0 && length < size);
    for (size_t i = 0; i < length; i++)
        CHECK(reason[i] >= 0x20 && reason[i] < 0x7f);
}

static long read_number(struct fuzz_input *input)
{
    char *text = fuzz_until(input, '|');
    long number = strtol(text, NULL, 10);

    free(text);
    return number;
}

static void check_judgement(unsigned judged, const struct xr_adaptive_ending *ending)
{
    CHECK((judged & ~(unsigned)(XR_ANOMALY_BOOST | XR_ANOMALY_CAPTURE | XR_ANOMALY_DEFAULT)) == 0);
    if (judged & XR_ANOMALY_DEFAULT)
        CHECK(ending->status > 499 || (ending->status == 0 && ending->fault));
}

static void check_endings(const struct xr_adaptive *adaptive, struct fuzz_input input)
{
    struct xr_adaptive_ending nothing = { 0 };

    check_judgement(xr_adaptive_judge(adaptive, &nothing), &nothing);
    for (int i = 0; i < ENDINGS_MAX && input.size > 0; i++) {
        struct fuzz_input line = fuzz_take(&input, '\n');
        struct xr_adaptive_ending ending = {
            .status = (int)(read_number(&line) % 100000),
            .fault = read_number(&line) == 1,
            .duration_ns = read_number(&line) % 100000000 * NS_PER_MS,
        };
        char *method = fuzz_until(&line, '|'), *path = fuzz_until(&line, '|');
        char *name = fuzz_until(&line, '|');
        unsigned judged;

        ending.http_method = *method ? method : NULL;
        ending.url_path = *path ? path : NULL;
        ending.name = *name ? name : NULL;
        judged = xr_adaptive_judge(adaptive, &ending);
        check_judgement(judged, &ending);
        CHECK(xr_adaptive_judge(adaptive, &ending) == judged);
        check_judgement(xr_adaptive_judge(NULL, &ending), &ending);
        free(method);
        free(path);
        free(name);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };
    char *text = fuzz_until(&input, '\0');
    char reason[XR_ADAPTIVE_REASON_SIZE], *little = fuzz_allocate(8);
    struct xr_adaptive *adaptive = NULL, *again = NULL;
    int r = xr_adaptive_new(&adaptive, text, reason, sizeof(reason));

    CHECK(r == 0 || r == -EINVAL);
    CHECK((r == 0) == (adaptive != NULL));
    CHECK(xr_adaptive_new(&again, text, little, 8) == r);
    if (r == 0) {
        double rate = xr_adaptive_traces_per_second(adaptive);

        CHECK(rate >= 0 && rate < 1e300);
        check_endings(adaptive, input);
    } else {
        check_reason(reason, sizeof(reason));
        check_reason(little, 8);
    }
    xr_adaptive_free(adaptive);
    xr_adaptive_free(again);
    free(little);
    free(text);
    return 0;
}
