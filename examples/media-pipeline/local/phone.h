/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEDIA_LOCAL_PHONE_H
#define MEDIA_LOCAL_PHONE_H

#include "http_server.h"
#include "util.h"

/*
 * Between the functions and SNS: passes each request on unchanged, so that its
 * signature stays valid, and keeps what was published. That is the phone: what
 * it keeps is what Apple would have been asked to show.
 */
struct phone;

/* sns_url: where requests go, without a slash at the end. */
struct phone *phone_new(const char *sns_url);

/* NULL is allowed. */
void phone_free(struct phone *phone);

/* A request for SNS. */
void phone_forward(struct phone *phone, const struct http_request *request,
                   struct http_reply *reply);

/* The notifications, oldest first: a new JSON array. */
cJSON *phone_notifications(struct phone *phone);

#endif /* MEDIA_LOCAL_PHONE_H */
