/* SPDX-License-Identifier: Apache-2.0 */
/* Trace ids (128 bits) and the ids of segments and subsegments (64 bits) as they
   are written in documents, and as numbers, so that case never matters. */
#ifndef LOCAL_IDS_H
#define LOCAL_IDS_H

#include <stdbool.h>
#include <stdint.h>

#define TRACE_ID_LENGTH  35 /* 1-<8 hex>-<24 hex> */
#define ENTITY_ID_LENGTH 16

struct trace_id {
    uint8_t bytes[16];
};

/* The X-Ray form only, as documents have it. */
bool trace_id_parse(const char *text, struct trace_id *ret);
/* The X-Ray form, or the 32 hex digits that W3C and OpenTelemetry write. */
bool trace_id_parse_any(const char *text, struct trace_id *ret);
void trace_id_format(const struct trace_id *id, char ret[TRACE_ID_LENGTH + 1]);
/* The first 32 bits: seconds since 1970 where the id was made by X-Ray's rule. */
uint32_t trace_id_epoch(const struct trace_id *id);
bool trace_id_equal(const struct trace_id *a, const struct trace_id *b);

bool entity_id_parse(const char *text, uint64_t *ret);
void entity_id_format(uint64_t id, char ret[ENTITY_ID_LENGTH + 1]);

#endif
