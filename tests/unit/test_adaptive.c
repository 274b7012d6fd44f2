/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration of adaptive sampling: what it means, and what is said when it is wrong. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sampling/adaptive.h"

#define LENGTH_OF(array) (sizeof(array) / sizeof(*(array)))
#define MS               INT64_C(1000000)

enum {
    BOOST = XR_ANOMALY_BOOST,
    CAPTURE = XR_ANOMALY_CAPTURE,
    BOTH = BOOST | CAPTURE,
    DEFAULT = BOTH | XR_ANOMALY_DEFAULT,
};

static struct xr_adaptive *adaptive_new(const char *text)
{
    char reason[XR_ADAPTIVE_REASON_SIZE] = "";
    struct xr_adaptive *adaptive = NULL;

    cr_assert_eq(xr_adaptive_new(&adaptive, text, reason, sizeof(reason)), 0, "%s: %s", text,
                 reason);
    return adaptive;
}

static unsigned judge(const char *text, struct xr_adaptive_ending ending)
{
    struct xr_adaptive *adaptive = adaptive_new(text);
    unsigned result = xr_adaptive_judge(adaptive, &ending);

    xr_adaptive_free(adaptive);
    return result;
}

/* What is said must begin with one and hold the other. */
static void refuses(const char *text, const char *begins, const char *holds)
{
    char reason[XR_ADAPTIVE_REASON_SIZE] = "";
    struct xr_adaptive *adaptive = NULL;

    cr_assert_eq(xr_adaptive_new(&adaptive, text, reason, sizeof(reason)), -EINVAL, "taken: %s",
                 text);
    cr_expect_null(adaptive);
    cr_expect_eq(strncmp(reason, begins, strlen(begins)), 0, "of \"%s\": %s", text, reason);
    cr_expect(strstr(reason, holds), "of \"%s\": %s", text, reason);
}

#define CONDITIONS(text) "version: 1.0\nanomalyConditions:\n" text
#define STATUS(code)     ((struct xr_adaptive_ending){ .status = (code) })
#define LASTED(ms)       ((struct xr_adaptive_ending){ .duration_ns = (ms)*MS })

Test(adaptive, has_the_default_condition_without_a_configuration)
{
    const struct xr_adaptive_ending fault = { .fault = true }, fine = { 0 };

    cr_expect_eq(xr_adaptive_judge(NULL, &STATUS(500)), DEFAULT);
    cr_expect_eq(xr_adaptive_judge(NULL, &STATUS(599)), DEFAULT);
    cr_expect_eq(xr_adaptive_judge(NULL, &STATUS(499)), 0);
    cr_expect_eq(xr_adaptive_judge(NULL, &fault), DEFAULT);
    cr_expect_eq(xr_adaptive_judge(NULL, &fine), 0);
}

Test(adaptive, leaves_a_fault_with_a_good_status_to_the_status)
{
    const struct xr_adaptive_ending ending = { .status = 200, .fault = true };

    cr_expect_eq(xr_adaptive_judge(NULL, &ending), 0);
}

Test(adaptive, has_the_default_condition_when_none_are_given)
{
    cr_expect_eq(judge("version: 1.0", STATUS(503)), DEFAULT);
    cr_expect_eq(judge("version: 1.0", STATUS(404)), 0);
}

Test(adaptive, has_no_condition_at_all_in_an_empty_list)
{
    cr_expect_eq(judge("{version: 1.0, anomalyConditions: []}", STATUS(503)), 0);
}

Test(adaptive, replaces_the_default_by_what_is_given)
{
    cr_expect_eq(judge(CONDITIONS("- errorCodeRegex: '404'"), STATUS(503)), 0);
    cr_expect_eq(judge(CONDITIONS("- errorCodeRegex: '404'"), STATUS(404)), BOTH);
}

Test(adaptive, uses_a_condition_for_what_it_says)
{
    static const struct {
        const char *usage;
        unsigned result;
    } usages[] = {
        { "both", BOTH },
        { "sampling-boost", BOOST },
        { "anomaly-trace-capture", CAPTURE },
        { "anomaly-span-capture", CAPTURE },
        { "anomaly_trace_capture", CAPTURE },
        { "neither", 0 },
    };

    for (size_t i = 0; i < LENGTH_OF(usages); i++) {
        char text[128];

        snprintf(text, sizeof(text), CONDITIONS("- {errorCodeRegex: '5..', usage: %s}"),
                 usages[i].usage);
        cr_expect_eq(judge(text, STATUS(500)), usages[i].result, "%s", usages[i].usage);
    }
}

Test(adaptive, adds_up_the_uses_of_all_conditions_that_hold)
{
    static const char text[] = CONDITIONS(
        "- {errorCodeRegex: '5..', usage: sampling-boost}\n"
        "- {errorCodeRegex: '503', usage: anomaly-trace-capture}");

    cr_expect_eq(judge(text, STATUS(500)), BOOST);
    cr_expect_eq(judge(text, STATUS(503)), BOTH);
}

Test(adaptive, compares_the_latency_from_its_threshold_on)
{
    cr_expect_eq(judge(CONDITIONS("- highLatencyMs: 300"), LASTED(300)), BOTH);
    cr_expect_eq(judge(CONDITIONS("- highLatencyMs: 300"),
                       (struct xr_adaptive_ending){ .duration_ns = 300 * MS - 1 }),
                 0);
}

Test(adaptive, wants_status_and_latency_when_both_are_given)
{
    static const char text[] = CONDITIONS("- errorCodeRegex: '429|5..'\n  highLatencyMs: 300");
    struct xr_adaptive_ending ending = { .status = 429, .duration_ns = 300 * MS };

    cr_expect_eq(judge(text, ending), BOTH);
    ending.duration_ns = 299 * MS;
    cr_expect_eq(judge(text, ending), 0);
    ending = (struct xr_adaptive_ending){ .status = 404, .duration_ns = 300 * MS };
    cr_expect_eq(judge(text, ending), 0);
    ending.status = 0;
    cr_expect_eq(judge(text, ending), 0);
}

Test(adaptive, never_holds_without_a_criterion)
{
    const struct xr_adaptive_ending ending = {
        .status = 500, .fault = true, .duration_ns = 1000 * MS, .name = "a"
    };

    cr_expect_eq(judge(CONDITIONS("- usage: both"), ending), 0);
    cr_expect_eq(judge(CONDITIONS("- operations: [a]"), ending), 0);
    cr_expect_eq(judge(CONDITIONS("- {}"), ending), 0);
}

Test(adaptive, compares_operations_with_name_and_path)
{
    static const struct {
        const char *operation;
        const char *method;
        const char *path;
        const char *name;
        bool holds;
    } examples[] = {
        { "checkout", NULL, NULL, "checkout", true },
        { "checkout", NULL, NULL, "Checkout", false },
        { "checkout", NULL, NULL, "checkouts", false },
        { "checkout", NULL, NULL, NULL, false },
        { "GET /api", "GET", "/api", "shop", true },
        { "GET /api", "GET", "/api/users/7", "shop", true },
        { "GET /api", "GET", "/api?page=2", "shop", true },
        { "GET /api", "POST", "/api", "shop", false },
        { "GET /api", "PUT", "/api", "shop", false },
        { "GET_/api", "GET", "/api", "shop", false },
        { "GET /api", "GET", "/apis", "shop", false },
        { "GET /api", "GET", "api", "shop", false },
        { "GET /api", NULL, "/api", "shop", false },
        { "GET /api", "GET", NULL, "shop", false },
        { "GET /api", "GET ", "/api", "shop", false },
        { "GET /", "GET", "/", "shop", true },
        { "GET /", "GET", "//api", "shop", true },
        { "GET /", "GET", "/api", "shop", false },
        { "/api", "PUT", "/api/7", "shop", true },
        { "/api", NULL, "/api", "shop", true },
        { "/api/7", NULL, "/api/7", "shop", false },
        { "GET", "GET", "/", "shop", false },
        { "GET ", "GET", "/", "shop", false },
    };

    for (size_t i = 0; i < LENGTH_OF(examples); i++) {
        const struct xr_adaptive_ending ending = { .status = 500,
                                                   .http_method = examples[i].method,
                                                   .url_path = examples[i].path,
                                                   .name = examples[i].name };
        char text[128];

        snprintf(text, sizeof(text), CONDITIONS("- {errorCodeRegex: '5..', operations: ['%s']}"),
                 examples[i].operation);
        cr_expect_eq(judge(text, ending), examples[i].holds ? BOTH : 0, "example %zu: %s", i,
                     examples[i].operation);
    }
}

Test(adaptive, looks_at_every_operation_of_its_own_condition_alone)
{
    static const char text[] = CONDITIONS("- {errorCodeRegex: '500', operations: [a, b]}\n"
                                          "- {errorCodeRegex: '501', operations: [c]}");
    struct xr_adaptive_ending ending = { .status = 500, .name = "b" };

    cr_expect_eq(judge(text, ending), BOTH);
    ending.name = "c";
    cr_expect_eq(judge(text, ending), 0);
    ending.status = 501;
    cr_expect_eq(judge(text, ending), BOTH);
}

Test(adaptive, holds_for_no_operation_when_the_list_is_empty)
{
    const struct xr_adaptive_ending ending = { .status = 500, .name = "a" };

    cr_expect_eq(judge(CONDITIONS("- {errorCodeRegex: '5..', operations: []}"), ending), 0);
}

Test(adaptive, takes_a_code_that_yaml_takes_for_a_number)
{
    cr_expect_eq(judge(CONDITIONS("- errorCodeRegex: 503"), STATUS(503)), BOTH);
    cr_expect_eq(judge(CONDITIONS("- errorCodeRegex: 503"), STATUS(500)), 0);
}

Test(adaptive, limits_the_traces_to_one_a_second_by_itself)
{
    struct xr_adaptive *adaptive = adaptive_new("version: 1.0");

    cr_expect_eq(xr_adaptive_traces_per_second(adaptive), 1.0);
    cr_expect_eq(xr_adaptive_traces_per_second(NULL), 1.0);
    xr_adaptive_free(adaptive);
}

Test(adaptive, limits_the_traces_as_it_is_told)
{
    struct xr_adaptive *adaptive = adaptive_new(
        "{version: 1, anomalyCaptureLimit: {anomalyTracesPerSecond: 2.5}}");

    cr_expect_eq(xr_adaptive_traces_per_second(adaptive), 2.5);
    xr_adaptive_free(adaptive);
}

/* As the service's manual has it, and as it is set in a shell. */
Test(adaptive, reads_the_examples_that_people_copy)
{
    static const char block[] = "version: 1.0\n"
                                "anomalyConditions:\n"
                                "  - errorCodeRegex: \"^5\\\\d\\\\d$\"\n"
                                "    usage: both\n"
                                "  - operations:\n"
                                "      - \"/api\"\n"
                                "    errorCodeRegex: \"^429|5\\\\d\\\\d$\"\n"
                                "    highLatencyMs: 300\n"
                                "    usage: sampling-boost\n"
                                "  - highLatencyMs: 1000\n"
                                "    usage: anomaly-span-capture\n"
                                "\n"
                                "anomalyCaptureLimit:\n"
                                "  anomalyTracesPerSecond: 1\n";
    static const char line[] =
        "{version: 1.0, anomalyConditions: [{errorCodeRegex: \"^500$\", usage: "
        "\"sampling-boost\"}, {errorCodeRegex: \"^501$\", usage: \"anomaly-trace-capture\"}], "
        "anomalyCaptureLimit: {anomalyTracesPerSecond: 10}}";
    const struct xr_adaptive_ending slow_429 = {
        .status = 429, .duration_ns = 400 * MS, .http_method = "GET", .url_path = "/api/users"
    };

    cr_expect_eq(judge(block, STATUS(502)), BOTH);
    cr_expect_eq(judge(block, slow_429), BOOST);
    cr_expect_eq(judge(block, LASTED(1000)), CAPTURE);
    cr_expect_eq(judge(line, STATUS(500)), BOOST);
    cr_expect_eq(judge(line, STATUS(501)), CAPTURE);
}

Test(adaptive, names_the_line_the_member_and_the_remedy)
{
    refuses("anomalyConditions: []", "line 1: version is missing", "version: 1.0");
    refuses("version: 2.0", "line 1: version must be the number 1.0", "");
    refuses("version: '1.0'", "line 1: version must be the number 1.0", "");
    refuses("- version: 1.0", "line 1: there must be a mapping", "anomalyConditions");
    refuses("version: 1.0\nanomalyCondition: []", "line 2: anomalyCondition is unknown",
            "anomalyConditions");
    refuses("version: 1.0\nanomalyConditions:\n", "line 2: anomalyConditions must be a list",
            "[] for none");
    refuses(CONDITIONS("- 5"), "line 3: anomalyConditions[0] must be a mapping", "highLatencyMs");
    refuses(CONDITIONS("- highLatencyMs: 1\n- errorCode: 5.."), "line 4: errorCode is unknown",
            "errorCodeRegex");
    refuses(CONDITIONS("- highLatencyMs: 1\n- highLatencyMs: slow"),
            "line 4: anomalyConditions[1].highLatencyMs must be", "milliseconds");
    refuses(CONDITIONS("- highLatencyMs: -1"), "line 3: anomalyConditions[0].highLatencyMs", "");
    refuses(CONDITIONS("- highLatencyMs: 86400001"), "line 3: anomalyConditions[0].highLatencyMs",
            "a day");
    refuses(CONDITIONS("- usage: boost"), "line 3: anomalyConditions[0].usage must be both",
            "neither");
    refuses(CONDITIONS("- usage:"), "line 3: anomalyConditions[0].usage", "");
    refuses(CONDITIONS("- operations: all"), "line 3: anomalyConditions[0].operations must be a",
            "GET /api");
    refuses(CONDITIONS("- operations:\n  - a\n  - [b]"),
            "line 5: anomalyConditions[0].operations must hold text", "");
    refuses(CONDITIONS("- errorCodeRegex: [5]"), "line 3: anomalyConditions[0].errorCodeRegex",
            "text");
    refuses(CONDITIONS("- errorCodeRegex: '5(0'"),
            "line 3: anomalyConditions[0].errorCodeRegex is refused at character 2", "( has no )");
}

Test(adaptive, names_what_is_wrong_with_the_limit)
{
    refuses("version: 1\nanomalyCaptureLimit: 5", "line 2: anomalyCaptureLimit must be a mapping",
            "anomalyTracesPerSecond");
    refuses("version: 1\nanomalyCaptureLimit: {}",
            "line 2: anomalyCaptureLimit.anomalyTracesPerSecond must be a number", "");
    refuses("version: 1\nanomalyCaptureLimit:\n  anomalyTracesPerSecond: -1",
            "line 3: anomalyCaptureLimit.anomalyTracesPerSecond must be a number", "");
    refuses("version: 1\nanomalyCaptureLimit:\n  anomalyTracesPerSecond: 1\n  burst: 5",
            "line 4: anomalyCaptureLimit.burst is unknown", "");
}

Test(adaptive, keeps_to_its_bounds)
{
    char *text = malloc(2 * XR_ADAPTIVE_TEXT_MAX), *p;

    memset(text, ' ', XR_ADAPTIVE_TEXT_MAX + 1);
    memcpy(text, "version: 1", 10);
    text[XR_ADAPTIVE_TEXT_MAX + 1] = '\0';
    refuses(text, "it is longer than 65536 bytes", "");
    text[XR_ADAPTIVE_TEXT_MAX] = '\0';
    xr_adaptive_free(adaptive_new(text));

    p = text + sprintf(text, CONDITIONS(""));
    for (int i = 0; i < XR_ADAPTIVE_CONDITIONS_MAX; i++)
        p += sprintf(p, "- highLatencyMs: %d\n", i);
    xr_adaptive_free(adaptive_new(text));
    sprintf(p, "- highLatencyMs: 1\n");
    refuses(text, "line 67: anomalyConditions has more than 64", "");

    p = text + sprintf(text, CONDITIONS("- operations:\n"));
    for (int i = 0; i < XR_ADAPTIVE_OPERATIONS_MAX; i++)
        p += sprintf(p, "  - a%d\n", i);
    xr_adaptive_free(adaptive_new(text));
    sprintf(p, "  - b\n");
    refuses(text, "line 68: anomalyConditions[0].operations has more than 64", "");
    free(text);
}

Test(adaptive, says_only_what_a_log_line_can_hold)
{
    char reason[XR_ADAPTIVE_REASON_SIZE];
    struct xr_adaptive *adaptive = NULL;

    refuses("version: 1\n\"a\\n\\x1b[31m\\xff\": 2", "line 2: a??[31m?? is unknown", "");
    cr_expect_eq(xr_adaptive_new(&adaptive, "a", reason, 12), -EINVAL);
    cr_expect_eq(strlen(reason), 11);
    cr_expect_eq(xr_adaptive_new(&adaptive, "a", NULL, 0), -EINVAL);
}

static size_t left;

static void *allocate(void *data, size_t bytes)
{
    (void)data;
    return left > 0 && left-- ? malloc(bytes) : NULL;
}

static void release(void *data, void *memory, size_t bytes)
{
    (void)data;
    (void)bytes;
    free(memory);
}

Test(adaptive, says_that_memory_is_short)
{
    static const struct xr_allocator allocator = { .allocate = allocate, .release = release };

    xr_alloc_set(&allocator);
    for (left = 0; left < 2;) {
        size_t had = left;
        char reason[XR_ADAPTIVE_REASON_SIZE] = "";
        struct xr_adaptive *adaptive = NULL;

        cr_expect_eq(xr_adaptive_new(&adaptive, "version: 1.0", reason, sizeof(reason)), -ENOMEM);
        cr_expect_str_eq(reason, "out of memory");
        cr_expect_null(adaptive);
        left = had + 1;
    }
    left = 2;
    xr_adaptive_free(adaptive_new("version: 1.0"));
}
