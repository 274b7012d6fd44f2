/* SPDX-License-Identifier: Apache-2.0 */
/* A segment with a subsegment and an annotation: the shortest program there is. */
#include <xraytrace/xraytrace.h>

int main(void)
{
    xray_segment *hello = xray_begin_segment("hello");
    xray_segment *work = xray_begin_subsegment("work");
    xray_annotate(work, "answer", 42);
    xray_end(work);
    xray_end(hello);
}
