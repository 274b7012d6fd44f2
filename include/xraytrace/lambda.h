/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XRAYTRACE_LAMBDA_H
#define XRAYTRACE_LAMBDA_H

#include <xraytrace/recorder.h>

XRAY_BEGIN_DECLS

/*
 * Begins an invocation: the segment Lambda itself records, seen from inside.
 *
 * It becomes current, so xray_begin_subsegment() works as anywhere else, and
 * xray_begin_segment() begins a subsegment of it. It is never sent and cannot
 * be described; each subsegment directly under it is sent as it ends. With a
 * header that has only a Root nothing is recorded, and Root alone goes
 * downstream; without one everything is inert.
 *
 * trace_header: the text that the runtime received for this invocation in
 * Lambda-Runtime-Trace-Id; NULL reads _X_AMZN_TRACE_ID. A NULL recorder records
 * nothing. The result is current on this thread until it ends.
 */
XRAY_API xray_segment *xray_lambda_begin(xray_recorder *recorder, const char *trace_header);

/*
 * Ends it, with whatever is still open in it on this thread, and flushes. Call
 * before answering the runtime, which may then freeze the process. 0, also for
 * NULL, or -ETIMEDOUT when not everything was out after timeout_ms.
 */
XRAY_API int xray_lambda_end(xray_segment *invocation, int timeout_ms);

XRAY_END_DECLS

#endif /* XRAYTRACE_LAMBDA_H */
