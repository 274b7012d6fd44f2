/* SPDX-License-Identifier: Apache-2.0 */
#include "aws/sns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aws/xml.h"
#include "runtime/cleanup.h"
#include "runtime/text.h"

/* form has the operation's own parameters. */
static int call(struct aws *aws, const char *operation, struct text *form, const char *resource_key,
                const char *resource, xray_aws_reply *ret, struct failure *failure)
{
    text_add_form(form, "Action", operation);
    text_add_form(form, "Version", "2010-03-31");
    if (form->failed)
        return failure_set(failure, -ENOMEM, "OutOfMemory", "out of memory for %s", operation);
    const char *headers[] = { "Content-Type: application/x-www-form-urlencoded; charset=utf-8",
                              NULL };
    const xray_aws_resource resources[] = { { resource_key, resource }, { NULL, NULL } };
    return aws_call(aws, AWS_SNS,
                    xray_aws_request(.operation = operation, .headers = headers, .body = form->data,
                                     .body_length = form->length, .resources = resources),
                    ret, failure);
}

/*
 * For a known token whose endpoint has other attributes SNS may answer
 * "Endpoint arn:… already exists with the same Token": the ARN is in there.
 */
static char *arn_of_existing(const struct failure *failure)
{
    if (strcmp(failure->type, "InvalidParameter") != 0 ||
        !strstr(failure->message, "already exists"))
        return NULL;
    const char *arn = strstr(failure->message, "arn:");
    return arn ? strndup(arn, strcspn(arn, " \t\r\n,;\"'")) : NULL;
}

int sns_create_platform_endpoint(struct aws *aws, const char *application_arn, const char *token,
                                 char **ret_arn, struct failure *failure)
{
    AUTO_TEXT struct text form = { 0 };
    text_add_form(&form, "PlatformApplicationArn", application_arn);
    text_add_form(&form, "Token", token);
    xray_aws_reply reply = { .body = "" };
    struct failure refused = { 0 };
    int result = call(aws, "CreatePlatformEndpoint", &form, "platform_application_arn",
                      application_arn, &reply, &refused);
    char *arn = result < 0 ? arn_of_existing(&refused) : xml_element(reply.body, "EndpointArn");
    if (result < 0 && !arn) {
        if (failure)
            *failure = refused;
        return result;
    }
    if (!arn || !*arn) {
        free(arn);
        return failure_set(failure, -EPROTO, "BadReply",
                           "AWS request failed"); /* the contract's words for an empty answer */
    }
    *ret_arn = arn;
    return 0;
}

int sns_endpoint_is_ready(struct aws *aws, const char *endpoint_arn, const char *token, bool *ret,
                          struct failure *failure)
{
    AUTO_TEXT struct text form = { 0 };
    text_add_form(&form, "EndpointArn", endpoint_arn);
    xray_aws_reply reply = { .body = "" };
    int result = call(aws, "GetEndpointAttributes", &form, "endpoint_arn", endpoint_arn, &reply,
                      failure);
    if (result < 0)
        return result;
    AUTO_FREE char *enabled = xml_entry(reply.body, "Enabled");
    AUTO_FREE char *known = xml_entry(reply.body, "Token");
    *ret = enabled && strcmp(enabled, "true") == 0 && known && strcmp(known, token) == 0;
    return 0;
}

int sns_enable_endpoint(struct aws *aws, const char *endpoint_arn, const char *token,
                        struct failure *failure)
{
    AUTO_TEXT struct text form = { 0 };
    text_add_form(&form, "EndpointArn", endpoint_arn);
    text_add_form(&form, "Attributes.entry.1.key", "Token");
    text_add_form(&form, "Attributes.entry.1.value", token);
    text_add_form(&form, "Attributes.entry.2.key", "Enabled");
    text_add_form(&form, "Attributes.entry.2.value", "true");
    return call(aws, "SetEndpointAttributes", &form, "endpoint_arn", endpoint_arn, NULL, failure);
}

int sns_publish_background(struct aws *aws, const char *endpoint_arn, const char *message,
                           struct failure *failure)
{
    static const char *const attributes[][2] = {
        { "AWS.SNS.MOBILE.APNS.PUSH_TYPE", "background" },
        { "AWS.SNS.MOBILE.APNS.PRIORITY", "5" },
    };
    AUTO_TEXT struct text form = { 0 };
    text_add_form(&form, "TargetArn", endpoint_arn);
    text_add_form(&form, "MessageStructure", "json");
    text_add_form(&form, "Message", message);
    for (size_t i = 0; i < sizeof(attributes) / sizeof(*attributes); i++) {
        text_addf(&form, "&MessageAttributes.entry.%zu.Name=%s", i + 1, attributes[i][0]);
        text_addf(&form, "&MessageAttributes.entry.%zu.Value.DataType=String", i + 1);
        text_addf(&form, "&MessageAttributes.entry.%zu.Value.StringValue=%s", i + 1,
                  attributes[i][1]);
    }
    return call(aws, "Publish", &form, "target_arn", endpoint_arn, NULL, failure);
}
