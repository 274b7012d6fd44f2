/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEDIA_LOCAL_AWS_CALL_H
#define MEDIA_LOCAL_AWS_CALL_H

#include <stdbool.h>
#include <stddef.h>

#include "util.h"

/*
 * Which call of AWS a request is. Names are those of the subsegments: services
 * as "DynamoDB", operations as "UpdateItem". Both are NULL for anything else.
 */
struct aws_call {
    const char *service;
    const char *operation;
};

/*
 * From the head of a request, and as much of its body as there is: only SNS
 * has the name of the operation there. Both NUL-terminated.
 */
struct aws_call aws_call_of(const char *head, const char *body);

/* Whether its operation cannot be told from the head alone. */
bool aws_call_needs_body(const char *head);

/* "SERVICE.OPERATION", all of length; false when there is no such call. */
bool aws_call_parse(struct aws_call *ret, const char *text, size_t length);

/* All that aws_call_parse() takes, for messages. */
void aws_call_list(struct buffer *buffer);

/* The value of a header, without blanks around it; *ret_length 0 and NULL when there is none. */
const char *head_value(const char *head, const char *name, size_t *ret_length);

#endif /* MEDIA_LOCAL_AWS_CALL_H */
