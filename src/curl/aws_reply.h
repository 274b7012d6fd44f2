/* SPDX-License-Identifier: Apache-2.0 */
/* What a service says about a call: ids, and its own words for what went wrong. */
#ifndef XR_CURL_AWS_REPLY_H
#define XR_CURL_AWS_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* libxraytrace records 250 characters of an id and 1000 bytes of a message: callers see more. */
struct xr_aws_answer {
    char request_id[256];
    char id_2[256]; /* S3's second id */
    char error_code[256];
    char error_message[2048];
};

/* What is read of a reply. */
struct xr_aws_raw_reply {
    int32_t status;
    const char *(*header)(const void *data, const char *name); /* value or NULL */
    const void *data;
    const char *body;
    size_t body_length;
    bool body_may_be_error; /* S3 answers 200 to a copy, and may then report failure */
    bool body_is_data;      /* a success is a stored object, not the service's words */
    const char *secret;     /* the session token: some services repeat it. May be NULL */
};

/*
 * Fills all of *ret; what is not known is "". Texts that are too long are cut.
 * Returns true if the reply is an error: a status from 400 on, or an error
 * document where there may be one.
 */
bool xr_aws_answer_read(struct xr_aws_answer *ret, const struct xr_aws_raw_reply *reply);

/* Copies text, cut at a whole UTF-8 character where it does not fit. */
void xr_aws_copy_text(char *ret, size_t size, const char *text);

#endif /* XR_CURL_AWS_REPLY_H */
