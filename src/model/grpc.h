/* SPDX-License-Identifier: Apache-2.0 */
/* Status codes of gRPC. */
#ifndef XR_MODEL_GRPC_H
#define XR_MODEL_GRPC_H

/* What a status code says, as marks; a fault when gRPC has no such code. */
unsigned xr_marks_of_grpc(int code);

#endif /* XR_MODEL_GRPC_H */
