/* SPDX-License-Identifier: Apache-2.0 */
/* The library's own emitters, as xraytrace/emitter.h describes them. */
#ifndef XR_EMIT_EMIT_H
#define XR_EMIT_EMIT_H

#include <xraytrace/emitter.h>

/* Bytes of the struct in the first headers: a program has no smaller one. */
#define XR_EMITTER_LEAST (offsetof(xray_emitter, destroy) + sizeof(((xray_emitter *)0)->destroy))

int xr_emitter_udp(xray_emitter *ret, const char *address);
int xr_emitter_queue(xray_emitter *ret, const xray_emitter *inner, size_t capacity);
int xr_emitter_stream(xray_emitter *ret, FILE *stream);

/* Gives the caller as much of an emitter as its struct has; -EINVAL below XR_EMITTER_LEAST. */
int xr_emitter_return(xray_emitter *ret, const xray_emitter *made);

#endif /* XR_EMIT_EMIT_H */
