/* SPDX-License-Identifier: Apache-2.0 */
/* What API Gateway sends to a function and takes from it: events, validation, the envelope. */
#ifndef PIPELINE_FUNCTIONS_API_H
#define PIPELINE_FUNCTIONS_API_H

#include <cjson/cJSON.h>

#include "runtime/runtime.h"

/* A header of the event whatever its case, or NULL. */
const char *api_header(const cJSON *event, const char *name);

/* A parameter of the query, decoded already, or NULL. */
const char *api_query(const cJSON *event, const char *name);

/* Who the authorizer says it is, or NULL for nobody; the trace gets a hash of it. */
const char *api_identify(struct invocation *invocation, const cJSON *event);

/* ---- The body -------------------------------------------------------------------- */

enum api_type {
    API_STRING,
    API_BOOL, /* the texts "true" and "false" too: some callers cannot do better */
};

struct api_field {
    const char *name; /* NULL ends a list */
    enum api_type type;
    bool required;     /* a required text is not empty either */
    size_t max_length; /* bytes of a text */
};

/*
 * The body as an object that has these fields right (others are allowed), to be
 * deleted; or NULL, with *ret_message saying what is wrong: text, or an object
 * with a list for each field. The caller deletes it.
 */
cJSON *api_parse_body(const cJSON *event, const struct api_field *fields, cJSON **ret_message);

/* A field's value, NULL or false when it is not there. */
const char *api_text(const cJSON *body, const char *name);
bool api_truth(const cJSON *body, const char *name);

/* {"<field>": ["<message>"]} */
cJSON *api_field_message(const char *field, const char *message);

/* ---- Answers ----------------------------------------------------------------------- */

/* {"body": body, "requestId"}; body is consumed. */
cJSON *api_answer(struct invocation *invocation, int status, cJSON *body);

/*
 * {"error": {"code", "message"}, "requestId"}; message is consumed. Below 500
 * the trace says error, otherwise fault.
 */
cJSON *api_refuse(struct invocation *invocation, int status, cJSON *message);
cJSON *api_refuse_text(struct invocation *invocation, int status, const char *message);

/* 500, with what failed. */
cJSON *api_fail(struct invocation *invocation, const struct failure *failure);

#endif /* PIPELINE_FUNCTIONS_API_H */
