/* SPDX-License-Identifier: Apache-2.0 */
/* The six functions, and what they share. */
#ifndef PIPELINE_FUNCTIONS_FUNCTIONS_H
#define PIPELINE_FUNCTIONS_FUNCTIONS_H

#include "aws/client.h"
#include "functions/config.h"
#include "media/file.h"
#include "media/github_issue.h"
#include "media/push.h"
#include "runtime/runtime.h"

struct pipeline {
    struct config config;
    struct aws aws;
    struct github_known known_issues;
};

static inline struct file_table pipeline_files(struct pipeline *pipeline)
{
    return (struct file_table){ &pipeline->aws, pipeline->config.files_table };
}

static inline struct push_tables pipeline_push(struct pipeline *pipeline)
{
    return (struct push_tables){ &pipeline->aws, pipeline->config.user_files_table,
                                 pipeline->config.user_devices_table,
                                 pipeline->config.devices_table };
}

/* Time that a function keeps to say what happened before it is ended, in ms. */
#define PIPELINE_RESERVE_MS 2000

/* Handlers; data is the struct pipeline. */

/* POST /webhook: somebody wants the video of an address. */
cJSON *webhook_feedly(void *data, struct invocation *invocation, const cJSON *event);

/* Invoked with file ids, or by the schedule for what is due: starts a StartFileUpload for each. */
cJSON *file_coordinator(void *data, struct invocation *invocation, const cJSON *event);

/* Invoked with one file id: gets the video, stores it, and tells everybody who asked. */
cJSON *start_file_upload(void *data, struct invocation *invocation, const cJSON *event);

/* POST /registerDevice: a phone that wants to be told. */
cJSON *register_device(void *data, struct invocation *invocation, const cJSON *event);

/* API Gateway's question whose token that is. */
cJSON *authorizer_api_token(void *data, struct invocation *invocation, const cJSON *event);

/* GET /files: what the user asked for and can have. */
cJSON *list_files(void *data, struct invocation *invocation, const cJSON *event);

#endif /* PIPELINE_FUNCTIONS_FUNCTIONS_H */
