/* SPDX-License-Identifier: Apache-2.0 */
#include "local/intake/otlp.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

struct reading {
    struct ingest *ingest;
    struct otlp_result *result;
    ingest_refused *refused; /* may be NULL */
    void *data;
    char last[ENTITY_ID_LENGTH + 1]; /* of the span whose document was refused last */
};

static void note(struct reading *reading, const struct refusal *refusal)
{
    if (reading->result->rejected++ == 0)
        snprintf(reading->result->message, sizeof reading->result->message, "%s%s%s",
                 refusal->message, *refusal->id ? ", id " : "", refusal->id);
    if (reading->refused)
        reading->refused(reading->data, refusal);
}

static void on_refused(void *data, const struct refusal *refusal)
{
    note(data, refusal);
}

static void on_rejected(void *data, const char *span_id, const char *reason)
{
    struct reading *reading = data;
    struct refusal refusal = { 0 };
    refusal_set(&refusal, REFUSED_SPAN, "Invalid span. Cause: %s", reason);
    snprintf(refusal.id, sizeof refusal.id, "%s", span_id);
    ingest_refuse(reading->ingest, &refusal);
    note(reading, &refusal);
}

static int on_document(void *data, const char *text, size_t length)
{
    struct reading *reading = data;
    ingest_document(reading->ingest, text, length, on_refused, reading);
    return 0;
}

static void refuse_all(struct reading *reading, int error, const struct xr_otlp_error *where)
{
    struct refusal refusal = { 0 };
    if (error == -ENOMEM)
        refusal_set(&refusal, REFUSED_MEMORY, "out of memory");
    else if (error == -E2BIG)
        refusal_set(&refusal, REFUSED_OTLP, "OTLP request: %s", where->message);
    else
        refusal_set(&refusal, REFUSED_OTLP, "OTLP request: %s at byte %zu", where->message,
                    where->offset);
    ingest_refuse(reading->ingest, &refusal);
    if (reading->refused)
        reading->refused(reading->data, &refusal);
    snprintf(reading->result->message, sizeof reading->result->message, "%s", refusal.message);
}

int ingest_otlp(struct ingest *ingest, enum xr_otlp_format format, const char *body, size_t length,
                struct otlp_result *ret)
{
    struct reading reading = { .ingest = ingest, .result = ret };
    const struct xr_otlp_read_params params = {
        .format = format,
        .index_all = true,
        .document = on_document,
        .rejected = on_rejected,
        .data = &reading,
    };
    struct xr_otlp_error error;
    uint64_t rejected;
    *ret = (struct otlp_result){ 0 };
    int r = xr_otlp_read(&params, body, length, &rejected, &error);
    if (r < 0)
        refuse_all(&reading, r, &error);
    return r;
}

bool otlp_is_text(const char *text, size_t length)
{
    return xr_otlp_is_text(text, length);
}

void ingest_otlp_text(struct ingest *ingest, const char *text, size_t length,
                      ingest_refused *refused, void *data)
{
    struct otlp_result result = { 0 };
    struct reading reading = {
        .ingest = ingest, .result = &result, .refused = refused, .data = data
    };
    const struct xr_otlp_read_params params = {
        .index_all = true,
        .document = on_document,
        .rejected = on_rejected,
        .data = &reading,
    };
    struct xr_otlp_error error;
    uint64_t rejected;
    int r = xr_otlp_read_text(&params, text, length, &rejected, &error);
    if (r < 0)
        refuse_all(&reading, r, &error);
}
