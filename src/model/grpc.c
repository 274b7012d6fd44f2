/* SPDX-License-Identifier: Apache-2.0 */
/* The codes are settled by the protocol; the marks are those that X-Ray's SDK for Go gives them. */
#include "model/grpc.h"

#include <stddef.h>

#include <xraytrace/describe.h>

static const unsigned char marks[] = {
    [0] = 0,                          /* OK */
    [1] = XRAY_ERROR,                 /* CANCELLED */
    [2] = XRAY_FAULT,                 /* UNKNOWN */
    [3] = XRAY_ERROR,                 /* INVALID_ARGUMENT */
    [4] = XRAY_FAULT,                 /* DEADLINE_EXCEEDED */
    [5] = XRAY_ERROR,                 /* NOT_FOUND */
    [6] = XRAY_ERROR,                 /* ALREADY_EXISTS */
    [7] = XRAY_ERROR,                 /* PERMISSION_DENIED */
    [8] = XRAY_THROTTLE | XRAY_ERROR, /* RESOURCE_EXHAUSTED */
    [9] = XRAY_ERROR,                 /* FAILED_PRECONDITION */
    [10] = XRAY_ERROR,                /* ABORTED */
    [11] = XRAY_ERROR,                /* OUT_OF_RANGE */
    [12] = XRAY_FAULT,                /* UNIMPLEMENTED */
    [13] = XRAY_FAULT,                /* INTERNAL */
    [14] = XRAY_FAULT,                /* UNAVAILABLE */
    [15] = XRAY_FAULT,                /* DATA_LOSS */
    [16] = XRAY_ERROR,                /* UNAUTHENTICATED */
};

unsigned xr_marks_of_grpc(int code)
{
    return code >= 0 && (size_t)code < sizeof(marks) ? marks[code] : XRAY_FAULT;
}
