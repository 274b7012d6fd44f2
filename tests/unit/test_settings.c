/* SPDX-License-Identifier: Apache-2.0 */
/* What a recorder is to do, from params and environment. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/env.h"
#include "recorder/settings.h"

static char heard[512];
static int heard_count;

static void hear(void *data, int level, const char *message)
{
    (void)data;
    (void)level;
    heard_count++;
    strncpy(heard, message, sizeof(heard) - 1);
}

static const xray_logger logger = { .size = sizeof(logger), .log = hear };

static struct xr_settings read_with(xray_recorder_params params)
{
    struct xr_settings settings;

    params.size = sizeof(params);
    if (!params.logger)
        params.logger = &logger;
    cr_assert_eq(xr_settings_read(&settings, &params), 0);
    return settings;
}

static struct xr_settings read_variable(const char *name, const char *value)
{
    setenv(name, value, 1);
    return read_with((xray_recorder_params){ .flags = 0 });
}

static void clear(void)
{
    for (int i = 0; i < XR_ENV_COUNT; i++)
        unsetenv(xr_env_name((enum xr_env)i));
}

TestSuite(settings, .init = clear);

Test(settings, without_anything_are_the_documented_defaults)
{
    struct xr_settings settings = read_with((xray_recorder_params){ .flags = 0 });

    cr_expect_not(settings.disabled);
    cr_expect_not(settings.in_lambda);
    cr_expect_eq(settings.context_missing, XRAY_CONTEXT_MISSING_LOG);
    cr_expect_eq(settings.stream_bytes, 32 * 1024);
    cr_expect_str_eq(settings.service, program_invocation_short_name);
    cr_expect_null(settings.daemon_address);
    cr_expect_null(settings.environment_address);
    cr_expect_lt(settings.sampling_fraction, 0);
    cr_expect_eq(settings.logger.level, XR_LOG_WARNING);
    cr_expect_eq(heard_count, 0);
}

Test(settings, take_a_sampling_rate_as_it_is_written)
{
    cr_expect_eq(read_variable("XRAYTRACE_SAMPLING_RATE", "0").sampling_fraction, 0);
    cr_expect_eq(read_variable("XRAYTRACE_SAMPLING_RATE", "1").sampling_fraction, 1);
    cr_expect_float_eq(read_variable("XRAYTRACE_SAMPLING_RATE", "0.25").sampling_fraction, 0.25,
                       1e-12);
    cr_expect_float_eq(read_variable("XRAYTRACE_SAMPLING_RATE", ".5").sampling_fraction, 0.5,
                       1e-12);
    cr_expect_float_eq(read_variable("XRAYTRACE_SAMPLING_RATE", "0.0001").sampling_fraction, 0.0001,
                       1e-12);
    cr_expect_float_eq(
        read_variable("XRAYTRACE_SAMPLING_RATE", "0.00000000000000000000000000000000000000000001")
            .sampling_fraction,
        0, 1e-12);
    cr_expect_eq(heard_count, 0);
}

Test(settings, keep_the_default_for_a_rate_that_is_none)
{
    static const char *const bad[] = { "1.1", "2",    "-0.1", "+0.1", "1e-3",
                                       "0x1", "inf",  "nan",  "%",    "50%",
                                       "0,5", " 0.5", "0.5 ", ".",    "99999999999999999999" };

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        cr_expect_lt(read_variable("XRAYTRACE_SAMPLING_RATE", bad[i]).sampling_fraction, 0, "%s",
                     bad[i]);
        cr_expect_eq(heard_count, (int)i + 1, "%s", bad[i]);
    }
    cr_expect(strstr(heard, "XRAYTRACE_SAMPLING_RATE"));
}

Test(settings, take_sampling_rules_as_they_are)
{
    cr_expect_str_eq(read_variable("XRAYTRACE_SAMPLING_RULES", " {").sampling_rules, " {");
    cr_expect_null(read_variable("XRAYTRACE_SAMPLING_RULES", "").sampling_rules);
    cr_expect_eq(heard_count, 0);
}

Test(settings, name_the_alias_when_that_is_wrong)
{
    cr_expect_lt(read_variable("XRAY_SAMPLING_RATE", "x").sampling_fraction, 0);
    cr_expect_eq(strncmp(heard, "XRAY_SAMPLING_RATE", 18), 0);
}

Test(settings, are_disabled_by_either_variable)
{
    cr_expect(read_variable("AWS_XRAY_SDK_DISABLED", "true").disabled);
    cr_expect_not(read_variable("AWS_XRAY_SDK_DISABLED", "false").disabled);
    cr_expect(read_variable("AWS_XRAY_SDK_ENABLED", "false").disabled);
    cr_expect_not(read_variable("AWS_XRAY_SDK_ENABLED", "true").disabled);
}

Test(settings, know_that_they_are_in_lambda)
{
    cr_expect(read_variable("LAMBDA_TASK_ROOT", "/var/task").in_lambda);
}

Test(settings, collect_queries_and_make_ids_unless_told)
{
    struct xr_settings settings = read_with((xray_recorder_params){ .flags = 0 });

    cr_expect(settings.collects_queries);
    cr_expect_not(settings.makes_no_ids);
    cr_expect_not(read_variable("AWS_XRAY_COLLECT_SQL_QUERIES", "false").collects_queries);
    cr_expect(read_variable("AWS_XRAY_NOOP_ID", "TRUE").makes_no_ids);
    cr_expect_eq(heard_count, 0);
}

Test(settings, know_log_groups)
{
    cr_expect_str_eq(read_variable("AWS_XRAY_LOG_GROUP", "/a/b, c").log_groups, "/a/b, c");
    cr_expect_eq(heard_count, 0);
    cr_expect_null(read_variable("AWS_XRAY_LOG_GROUP", "a\"").log_groups);
    cr_expect_null(read_variable("AWS_XRAY_LOG_GROUP", " , ").log_groups);
    cr_expect_null(
        read_variable("AWS_XRAY_LOG_GROUP", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21")
            .log_groups);
    cr_expect_eq(heard_count, 3);
}

Test(settings, never_take_an_abort_from_the_environment)
{
    cr_expect_eq(read_variable("AWS_XRAY_CONTEXT_MISSING", "RUNTIME_ERROR").context_missing,
                 XRAY_CONTEXT_MISSING_LOG);
    cr_expect_eq(heard_count, 0);
}

Test(settings, of_code_alone_do_not_look_at_the_environment)
{
    struct xr_settings settings;

    setenv("AWS_XRAY_SDK_DISABLED", "true", 1);
    setenv("AWS_XRAY_TRACING_NAME", "environment", 1);
    setenv("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:1", 1);
    setenv("XRAYTRACE_SAMPLING_RATE", "x", 1);
    setenv("XRAYTRACE_SAMPLING_RULES", "x", 1);
    setenv("LAMBDA_TASK_ROOT", "/var/task", 1);
    settings = read_with(
        (xray_recorder_params){ .flags = XRAY_RECORDER_NO_ENVIRONMENT, .service = "code" });
    cr_expect_not(settings.disabled);
    cr_expect_not(settings.in_lambda);
    cr_expect_str_eq(settings.service, "code");
    cr_expect_null(settings.environment_address);
    cr_expect_null(settings.sampling_rules);
    cr_expect_eq(heard_count, 0);
}

Test(settings, out_of_range_are_refused)
{
    struct xr_settings settings;

    cr_expect_eq(xr_settings_read(&settings, xray_recorder_params(.flags = 4)), -EINVAL);
    cr_expect_eq(xr_settings_read(&settings, xray_recorder_params(.context_missing = -1)), -EINVAL);
    cr_expect_eq(xr_settings_read(&settings, xray_recorder_params(.context_missing = 4)), -EINVAL);
    cr_expect_eq(xr_settings_read(&settings, xray_recorder_params(.stream_bytes = 61441)), -EINVAL);
    cr_expect_eq(xr_settings_read(&settings, xray_recorder_params(.stream_bytes = 61440)), 0);
}
