/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/env.h"

Test(env, names_every_variable_once)
{
    for (int i = 0; i < XR_ENV_COUNT; i++) {
        cr_assert(xr_env_name((enum xr_env)i));
        for (int j = 0; j < i; j++)
            cr_assert_str_neq(xr_env_name((enum xr_env)i), xr_env_name((enum xr_env)j));
    }
}

Test(env, gives_what_is_set)
{
    setenv("AWS_XRAY_TRACING_NAME", "name", 1);
    cr_assert_str_eq(xr_env_get(XR_ENV_TRACING_NAME), "name");
}

Test(env, takes_empty_for_not_set)
{
    setenv("AWS_XRAY_TRACING_NAME", "", 1);
    cr_expect_null(xr_env_get(XR_ENV_TRACING_NAME));
    unsetenv("AWS_XRAY_TRACING_NAME");
    cr_expect_null(xr_env_get(XR_ENV_TRACING_NAME));
}

Test(env, reads_truth_in_any_case)
{
    static const char *const yes[] = { "true", "TRUE", "True", "1", "yes", "on", "t", "Y" };
    static const char *const no[] = { "false", "FALSE", "0", "no", "OFF", "f", "n" };
    bool truth;

    for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++) {
        truth = false;
        cr_expect(xr_env_truth(yes[i], &truth) && truth, "%s", yes[i]);
    }
    for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++) {
        truth = true;
        cr_expect(xr_env_truth(no[i], &truth) && !truth, "%s", no[i]);
    }
}

Test(env, leaves_the_truth_alone_when_it_reads_none)
{
    static const char *const none[] = { "", " true", "2", "truee", "maybe", "-1" };

    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
        bool truth = true;

        cr_expect_not(xr_env_truth(none[i], &truth), "%s", none[i]);
        cr_expect(truth);
    }
}
