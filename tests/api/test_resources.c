/* SPDX-License-Identifier: Apache-2.0 */
/* What a segment runs on: the same for all segments of a recorder. */
#include "support.h"

Test(resource_arn, is_in_every_segment_and_in_no_subsegment)
{
    record_with((xray_recorder_params){ .resource_arn = "arn:aws:ecs:eu-west-1:123:task/\"x\"" });
    xray_begin_segment("a");
    xray_end(xray_begin_subsegment("b"));
    xray_end(xray_current());
    settle();
    cr_expect_str_eq(text_at(own_document("a"), "resource_arn"),
                     "arn:aws:ecs:eu-west-1:123:task/\"x\"");
    cr_expect_null(member(embedded("b"), "resource_arn"));
}

Test(resource_arn, that_is_empty_is_none)
{
    record_with((xray_recorder_params){ .resource_arn = "" });
    xray_end(xray_begin_segment("a"));
    settle();
    cr_expect_null(member(document(0), "resource_arn"));
}
