/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts moto and creates in it what the functions expect: tables, bucket,
 * platform application, API token, roles. Nothing is checked until
 * cloud_lock(); from then on moto verifies every signature.
 */

#include "cloud.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xraytrace/aws.h>

#include "http_client.h"
#include "port.h"
#include "process.h"
#include "util.h"

#define START_TIMEOUT_MS 90000
#define START_ATTEMPTS   3

static const struct {
    const char *name;
    const char *key;
} tables[] = {
    { "Files", "fileId" },       { "UserFiles", "userId" },    { "Devices", "deviceId" },
    { "UserDevices", "userId" }, { "ApiTokens", "tokenHash" },
};

void credentials_free(struct credentials *credentials)
{
    free(credentials->access_key_id);
    free(credentials->secret_access_key);
    free(credentials->session_token);
    *credentials = (struct credentials){ 0 };
}

/* ---- Calls -------------------------------------------------------------------------- */

static void use_credentials(const char *access_key_id, const char *secret_access_key)
{
    setenv("AWS_ACCESS_KEY_ID", access_key_id, 1);
    setenv("AWS_SECRET_ACCESS_KEY", secret_access_key, 1);
    unsetenv("AWS_SESSION_TOKEN");
}

/* Makes a call and copies its body to *ret_body, when that is not NULL. */
static int call(const struct cloud *cloud, const char *service, const xray_aws_request *request,
                char **ret_body)
{
    xray_aws_reply reply = { .size = sizeof(reply) };
    xray_aws_client *client = NULL;

    int error = xray_aws_client_new(
        &client, service,
        xray_aws_client_params(.region = cloud->region, .endpoint_url = cloud->url));
    if (error) {
        log_error("cannot make a client for %s at %s: %s", service, cloud->url, strerror(-error));
        return error;
    }
    error = xray_aws_call(client, request, &reply);
    if (error)
        log_error("%s %s: moto answered %d: %s %s", service, request->operation, (int)reply.status,
                  reply.error_code, reply.error_message);
    else if (ret_body)
        *ret_body = text_copy_length(reply.body, reply.body_length);
    xray_aws_client_free(client);
    return error;
}

static int dynamodb(const struct cloud *cloud, const char *operation, const char *body)
{
    char *target = text_format("X-Amz-Target: DynamoDB_20120810.%s", operation);
    const char *headers[] = { "Content-Type: application/x-amz-json-1.0", target, NULL };

    int error = call(cloud, "dynamodb",
                     xray_aws_request(.operation = operation, .headers = headers, .body = body,
                                      .body_length = strlen(body)),
                     NULL);
    free(target);
    return error;
}

int cloud_query(const struct cloud *cloud, const char *service, const char *form, char **ret_body)
{
    const char *headers[] = { "Content-Type: application/x-www-form-urlencoded", NULL };
    char *action = form_field(form, "Action");

    int error = call(cloud, service,
                     xray_aws_request(.operation = action, .headers = headers, .body = form,
                                      .body_length = strlen(form)),
                     ret_body);
    free(action);
    return error;
}

/* Takes the text of a tag out of an answer, or says what is missing. */
static int take(const char *xml, const char *tag, char **ret)
{
    *ret = xml_text(xml, tag);
    if (!*ret) {
        log_error("moto's answer has no %s: %.200s", tag, xml);
        return -EPROTO;
    }
    return 0;
}

/* ---- What Terraform would create ---------------------------------------------------- */

static int create_tables(struct cloud *cloud)
{
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        char *body = text_format(
            "{\"TableName\":\"%s\",\"BillingMode\":\"PAY_PER_REQUEST\","
            "\"KeySchema\":[{\"AttributeName\":\"%s\",\"KeyType\":\"HASH\"}],"
            "\"AttributeDefinitions\":[{\"AttributeName\":\"%s\",\"AttributeType\":\"S\"}]}",
            tables[i].name, tables[i].key, tables[i].key);
        int error = dynamodb(cloud, "CreateTable", body);
        free(body);
        if (error)
            return error;
    }
    return 0;
}

static int create_bucket(struct cloud *cloud)
{
    const char *headers[] = { "Content-Type: application/xml", NULL };
    char *body = strcmp(cloud->region, "us-east-1") == 0
                     ? text_copy("")
                     : text_format("<CreateBucketConfiguration><LocationConstraint>%s"
                                   "</LocationConstraint></CreateBucketConfiguration>",
                                   cloud->region);

    int error = call(cloud, "s3",
                     xray_aws_request(.operation = "CreateBucket", .method = "PUT",
                                      .path = "/" CLOUD_BUCKET, .headers = headers, .body = body,
                                      .body_length = strlen(body)),
                     NULL);
    free(body);
    return error;
}

static int create_platform_application(struct cloud *cloud)
{
    char *body = NULL;
    int error = cloud_query(
        cloud, "sns",
        "Action=CreatePlatformApplication&Version=2010-03-31&Name=MediaDownloader"
        "&Platform=APNS_SANDBOX&Attributes.entry.1.key=PlatformPrincipal"
        "&Attributes.entry.1.value=none&Attributes.entry.2.key=PlatformCredential"
        "&Attributes.entry.2.value=none",
        &body);
    if (!error)
        error = take(body, "PlatformApplicationArn", &cloud->platform_application_arn);
    free(body);
    return error;
}

static int create_api_token(struct cloud *cloud)
{
    char token[65], user[UUID_SIZE], hash[SHA256_HEX_SIZE];

    random_hex(token, 32);
    random_uuid(user);
    cloud->api_token = text_copy(token);
    cloud->user_id = text_copy(user);
    sha256_hex(token, strlen(token), hash);

    /* Valid for a year: the same kind of item as one that was issued. */
    char *body = text_format("{\"TableName\":\"ApiTokens\",\"Item\":{\"tokenHash\":{\"S\":\"%s\"},"
                             "\"userId\":{\"S\":\"%s\"},\"enabled\":{\"BOOL\":true},"
                             "\"expiresAt\":{\"N\":\"%lld\"}}}",
                             hash, user, (long long)(now_ms() + INT64_C(31536000000)));
    int error = dynamodb(cloud, "PutItem", body);
    free(body);
    return error;
}

static void remember(struct cloud *cloud, const struct credentials *credentials, const char *name,
                     bool is_role)
{
    if (cloud->principal_count < CLOUD_PRINCIPAL_LIMIT)
        cloud->principals[cloud->principal_count++] =
            (struct principal){ text_copy(credentials->access_key_id), text_copy(name), is_role };
}

/* A user with a long-lived key and one inline policy. */
static int create_user(struct cloud *cloud, const char *name, const char *statements,
                       struct credentials *ret)
{
    char *policy = text_format("{\"Version\":\"2012-10-17\",\"Statement\":[%s]}", statements);
    char *encoded = form_encode(policy);
    char *create = text_format("Action=CreateUser&Version=2010-05-08&UserName=%s", name);
    char *attach = text_format("Action=PutUserPolicy&Version=2010-05-08&UserName=%s"
                               "&PolicyName=inline&PolicyDocument=%s",
                               name, encoded);
    char *key = text_format("Action=CreateAccessKey&Version=2010-05-08&UserName=%s", name);
    char *body = NULL;

    int error = cloud_query(cloud, "iam", create, NULL);
    if (!error)
        error = cloud_query(cloud, "iam", attach, NULL);
    if (!error)
        error = cloud_query(cloud, "iam", key, &body);
    if (!error)
        error = take(body, "AccessKeyId", &ret->access_key_id);
    if (!error)
        error = take(body, "SecretAccessKey", &ret->secret_access_key);
    if (!error)
        remember(cloud, ret, name, false);
    free(policy);
    free(encoded);
    free(create);
    free(attach);
    free(key);
    free(body);
    return error;
}

static char *role_policy(const char *const *actions)
{
    cJSON *policy = json_object(NULL, NULL);
    int count = 0;

    while (actions[count])
        count++;
    json_text(policy, "Version", "2012-10-17");
    cJSON *statement = json_object(policy, "Statement");
    json_text(statement, "Effect", "Allow");
    cJSON_AddItemToObject(statement, "Action", cJSON_CreateStringArray(actions, count));
    json_text(statement, "Resource", "*");
    char *text = json_print(policy);
    cJSON_Delete(policy);
    return text;
}

static int create_role(struct cloud *cloud, const char *name, const char *const *actions)
{
    static const char trust[] =
        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":"
        "{\"Service\":\"lambda.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"}]}";
    char *policy = role_policy(actions);
    char *encoded_trust = form_encode(trust);
    char *encoded_policy = form_encode(policy);
    char *create = text_format("Action=CreateRole&Version=2010-05-08&RoleName=%s"
                               "&AssumeRolePolicyDocument=%s",
                               name, encoded_trust);
    char *attach = text_format("Action=PutRolePolicy&Version=2010-05-08&RoleName=%s"
                               "&PolicyName=inline&PolicyDocument=%s",
                               name, encoded_policy);

    int error = cloud_query(cloud, "iam", create, NULL);
    if (!error)
        error = cloud_query(cloud, "iam", attach, NULL);
    free(policy);
    free(encoded_trust);
    free(encoded_policy);
    free(create);
    free(attach);
    return error;
}

int cloud_role(struct cloud *cloud, const char *name, const char *const *actions,
               struct credentials *ret)
{
    char *form = text_format("Action=AssumeRole&Version=2011-06-15&DurationSeconds=43200"
                             "&RoleSessionName=%s&RoleArn=arn%%3Aaws%%3Aiam%%3A%%3A" CLOUD_ACCOUNT
                             "%%3Arole%%2F%s",
                             name, name);
    char *body = NULL;

    int error = create_role(cloud, name, actions);
    if (!error)
        error = cloud_query(cloud, "sts", form, &body);
    if (!error)
        error = take(body, "AccessKeyId", &ret->access_key_id);
    if (!error)
        error = take(body, "SecretAccessKey", &ret->secret_access_key);
    if (!error)
        error = take(body, "SessionToken", &ret->session_token);
    if (!error)
        remember(cloud, ret, name, true);
    free(form);
    free(body);
    return error;
}

static int create_resources(struct cloud *cloud)
{
    int error = create_tables(cloud);
    if (!error)
        error = create_bucket(cloud);
    if (!error)
        error = create_platform_application(cloud);
    if (!error)
        error = create_api_token(cloud);
    if (!error)
        error = create_user(cloud, "administrator",
                            "{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}",
                            &cloud->administrator);
    if (!error)
        error = create_user(
            cloud, "media-local",
            "{\"Effect\":\"Allow\",\"Action\":\"s3:GetObject\","
            "\"Resource\":\"arn:aws:s3:::" CLOUD_BUCKET "/*\"},"
            /* moto holds IAM's own calls to actions, and not to resources. */
            "{\"Effect\":\"Allow\",\"Action\":[\"iam:GetRolePolicy\",\"iam:GetUserPolicy\"],"
            "\"Resource\":\"*\"}",
            &cloud->own);
    return error;
}

/* ---- Signatures ------------------------------------------------------------------- */

/* The error code for an object that does not exist: moto looks at the signature first. */
static char *missing_object_error(const struct cloud *cloud)
{
    xray_aws_reply reply = { .size = sizeof(reply) };
    xray_aws_client *client = NULL;
    char *code = NULL;

    if (xray_aws_client_new(
            &client, "s3",
            xray_aws_client_params(.region = cloud->region, .endpoint_url = cloud->url)) == 0 &&
        xray_aws_call(client,
                      xray_aws_request(.operation = "GetObject", .method = "GET",
                                       .path = "/" CLOUD_BUCKET "/no-such-object"),
                      &reply) != 0)
        code = text_copy(reply.error_code);
    xray_aws_client_free(client);
    return code ? code : text_copy("nothing");
}

int cloud_lock(struct cloud *cloud)
{
    char *url = text_format("%s/moto-api/reset-auth", cloud->url);
    const char *headers[] = { "Content-Type: text/plain", NULL };
    struct http_answer answer;

    int error = http_call(
        &answer,
        &(struct http_call){ .url = url, .headers = headers, .body = "0", .body_length = 1 });
    free(url);
    http_answer_free(&answer);
    if (error)
        return error;

    use_credentials(cloud->own.access_key_id, "not-the-secret");
    char *refused = missing_object_error(cloud);
    use_credentials(cloud->own.access_key_id, cloud->own.secret_access_key);
    char *missing = missing_object_error(cloud);
    if (strcmp(refused, "SignatureDoesNotMatch") != 0 || strcmp(missing, "NoSuchKey") != 0) {
        log_error("moto does not check signatures: to a wrong secret it answered %s, to the right "
                  "one %s, instead of SignatureDoesNotMatch and NoSuchKey",
                  refused, missing);
        error = -EPROTO;
    }
    free(refused);
    free(missing);
    return error;
}

/* ---- The process ----------------------------------------------------------------------- */

static int start_process(struct cloud *cloud, const struct cloud_params *params)
{
    char port[8];
    char *path = text_format("PATH=%s", getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin");
    char *home = text_format("HOME=%s", params->directory);
    char *temporary = text_format("TMPDIR=%s", params->directory);
    const char *argv[] = { params->moto, "-H", "127.0.0.1", "-p", port, NULL };
    const char *environment[] = { path,
                                  home,
                                  temporary,
                                  "LANG=C.UTF-8",
                                  "PYTHONUNBUFFERED=1",
                                  "PYTHONDONTWRITEBYTECODE=1",
                                  "AWS_EC2_METADATA_DISABLED=true",
                                  NULL };

    snprintf(port, sizeof(port), "%u", cloud->port);
    int error = process_start(&cloud->process,
                              &(struct process_params){ .argv = argv,
                                                        .environment = environment,
                                                        .directory = params->directory,
                                                        .log_path = params->log_path });
    if (error)
        log_error("cannot start %s: %s. Install moto (pip install 'moto[server]') and give the "
                  "path of its moto_server with --moto",
                  params->moto, strerror(-error));
    free(path);
    free(home);
    free(temporary);
    return error;
}

/* Until it answers; -ECHILD when it has ended instead. */
static int wait_until_up(struct cloud *cloud)
{
    char *url = text_format("%s/moto-api/", cloud->url);
    int64_t until = now_ms() + START_TIMEOUT_MS;
    int error = -ETIMEDOUT;

    while (error == -ETIMEDOUT && now_ms() < until) {
        struct http_answer answer;
        if (http_call(&answer, &(struct http_call){ .url = url, .timeout_ms = 5000 }) == 0)
            error = 0;
        http_answer_free(&answer);
        if (error && process_wait(cloud->process, 100))
            error = -ECHILD;
    }
    free(url);
    return error;
}

/* Somebody may take the port between our choice and moto's bind: then another one. */
static int start(struct cloud *cloud, const struct cloud_params *params)
{
    int error = -EADDRNOTAVAIL;

    for (int attempt = 0; attempt < START_ATTEMPTS && error; attempt++) {
        cloud->port = port_choose(attempt ? 0 : params->port, "moto");
        free(cloud->url);
        cloud->url = text_format("http://127.0.0.1:%u", cloud->port);
        error = start_process(cloud, params);
        if (error)
            return error;
        error = wait_until_up(cloud);
        if (!error)
            return 0;
        log_error("moto on port %u %s (%s); its output is in %s", cloud->port,
                  error == -ECHILD ? "ended" : "does not answer", process_outcome(cloud->process),
                  params->log_path);
        process_free(cloud->process);
        cloud->process = NULL;
    }
    return error;
}

int cloud_start(struct cloud **ret, const struct cloud_params *params)
{
    struct cloud *cloud = memory_new(sizeof(*cloud));

    cloud->region = text_copy(params->region);
    /* moto asks for nothing yet, but the calls are signed by somebody. */
    use_credentials("setup", "setup");
    int error = start(cloud, params);
    if (!error)
        error = create_resources(cloud);
    if (error) {
        cloud_free(cloud);
        return error;
    }
    *ret = cloud;
    return 0;
}

void cloud_free(struct cloud *cloud)
{
    if (!cloud)
        return;
    /* It has nothing to save, and would wait long for idle connections: killed. */
    process_free(cloud->process);
    free(cloud->region);
    free(cloud->url);
    free(cloud->platform_application_arn);
    free(cloud->api_token);
    free(cloud->user_id);
    credentials_free(&cloud->administrator);
    credentials_free(&cloud->own);
    for (size_t i = 0; i < cloud->principal_count; i++) {
        free(cloud->principals[i].access_key_id);
        free(cloud->principals[i].name);
    }
    free(cloud);
}
