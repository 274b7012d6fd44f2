/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

static struct documents documents;
static char *request;

static int keep(void *data, const char *text, size_t length)
{
    (void)data;
    cr_assert_lt(documents.count, DOCUMENTS_MAX);
    cr_assert_eq(strlen(text), length);
    documents.texts[documents.count++] = strdup(text);
    return 0;
}

static void note(void *data, const char *span_id, const char *reason)
{
    (void)data;
    snprintf(documents.reason, sizeof(documents.reason), "%s", reason);
    snprintf(documents.rejected_id, sizeof(documents.rejected_id), "%s", span_id);
}

static void forget(void)
{
    while (documents.count > 0)
        free(documents.texts[--documents.count]);
    documents = (struct documents){ 0 };
}

struct documents *documents_read(const struct xr_otlp_read_params *params, const void *body,
                                 size_t length)
{
    struct xr_otlp_read_params own = *params;
    /* Exactly as long, so that the sanitizers see what is read behind it. */
    void *copy = malloc(length ? length : 1);

    forget();
    if (!own.document)
        own.document = keep;
    if (!own.rejected)
        own.rejected = note;
    memcpy(copy, body, length);
    documents.result = xr_otlp_read(&own, copy, length, &documents.rejected, &documents.error);
    free(copy);
    return &documents;
}

struct documents *documents_of_text(const char *text)
{
    const struct xr_otlp_read_params params = { .document = keep, .rejected = note };

    forget();
    documents.result = xr_otlp_read_text(&params, text, strlen(text), &documents.rejected,
                                         &documents.error);
    return &documents;
}

struct documents *documents_of(const char *body)
{
    return documents_read(&(struct xr_otlp_read_params){ .format = XR_OTLP_JSON }, body,
                          strlen(body));
}

const char *document_of(const char *body)
{
    documents_of(body);
    cr_assert_eq(documents.result, 0, "%s at %zu", documents.error.message, documents.error.offset);
    cr_assert_eq(documents.count, 1, "%zu documents, %s", documents.count, documents.reason);
    return documents.texts[0];
}

const char *request_with(const struct xr_otlp_write_params *params, const char *document,
                         const char *service_name)
{
    struct xr_otlp_writer *writer;
    char *text;
    size_t length;

    cr_assert_eq(xr_otlp_writer_new(&writer, params), 0);
    cr_assert_eq(xr_otlp_write(writer, document, strlen(document), service_name), 0, "%s",
                 document);
    cr_assert_eq(xr_otlp_finish(writer, &text, &length), 0);
    xr_otlp_writer_free(writer);
    free(request);
    request = text;
    return request;
}

const char *request_of(const char *document)
{
    return request_with(&(struct xr_otlp_write_params){ .format = XR_OTLP_JSON }, document, NULL);
}
