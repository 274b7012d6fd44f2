/* SPDX-License-Identifier: Apache-2.0 */
/* What the six functions may do, how long, and the variables they are given. */

#include "functions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util.h"

#define VARIABLE_LIMIT 160
#define MAX_TIMEOUT_S  900

static const struct description {
    const char *name;
    int timeout_s;
    int memory_mib;
    const char *const actions[16]; /* of its role; moto holds it to them */
} descriptions[] = {
    { "AuthorizerAPIToken", 10, 128, { "dynamodb:GetItem" } },
    { "WebhookFeedly",
      29,
      128,
      { "dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:BatchGetItem", "lambda:InvokeFunction",
        "sns:Publish" } },
    { "FileCoordinator", 60, 128, { "dynamodb:Scan", "lambda:InvokeFunction" } },
    { "StartFileUpload",
      900,
      2048,
      { "dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:Scan", "dynamodb:BatchGetItem",
        "s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:AbortMultipartUpload",
        "s3:ListBucketMultipartUploads", "sns:Publish" } },
    { "RegisterDevice",
      29,
      128,
      { "dynamodb:PutItem", "dynamodb:UpdateItem", "sns:CreatePlatformEndpoint",
        "sns:GetEndpointAttributes", "sns:SetEndpointAttributes" } },
    { "ListFiles", 29, 128, { "dynamodb:GetItem", "dynamodb:BatchGetItem" } },
};

#define FUNCTION_COUNT (sizeof(descriptions) / sizeof(descriptions[0]))

const char *const function_names[] = {
    "AuthorizerAPIToken",
    "WebhookFeedly",
    "FileCoordinator",
    "StartFileUpload",
    "RegisterDevice",
    "ListFiles",
    NULL,
};

bool functions_has(const char *name, size_t length)
{
    for (size_t i = 0; i < FUNCTION_COUNT; i++)
        if (strlen(function_names[i]) == length && strncmp(function_names[i], name, length) == 0)
            return true;
    return false;
}

char *functions_list(void)
{
    struct buffer list = { 0 };

    for (size_t i = 0; i < FUNCTION_COUNT; i++) {
        buffer_text(&list, i ? ", " : "");
        buffer_text(&list, function_names[i]);
    }
    return list.data;
}

/* ---- Variables ----------------------------------------------------------------------- */

struct variables {
    char *list[VARIABLE_LIMIT + 1];
    size_t count;
};

/* A later one of the same name replaces an earlier one. Takes the text over. */
static void add(struct variables *variables, char *text)
{
    size_t name_length = strcspn(text, "=") + 1;

    for (size_t i = 0; i < variables->count; i++) {
        if (strncmp(variables->list[i], text, name_length) == 0) {
            free(variables->list[i]);
            variables->list[i] = text;
            return;
        }
    }
    if (variables->count == VARIABLE_LIMIT) {
        log_error("too many variables for the functions: %.60s is left out", text);
        free(text);
        return;
    }
    variables->list[variables->count++] = text;
}

/* Of our own environment the functions see what configures tracing and sanitizers. */
static void add_inherited(struct variables *variables)
{
    static const char *const prefixes[] = {
        "PATH=",          "LD_LIBRARY_PATH=", "AWS_XRAY_",     "XRAYTRACE_SAMPLING_RATE=",
        "ASAN_OPTIONS=",  "UBSAN_OPTIONS=",   "LSAN_OPTIONS=", "TSAN_OPTIONS=",
        "PART_SIZE_MIB=", "SSL_CERT_FILE=",
    };

    for (char **variable = environ; *variable; variable++)
        for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
            if (strncmp(*variable, prefixes[i], strlen(prefixes[i])) == 0)
                add(variables, text_copy(*variable));
}

static void add_services(struct variables *variables, const struct functions_params *params)
{
    const struct options *options = params->options;

    add(variables, text_format("AWS_REGION=%s", options->region));
    add(variables, text_format("AWS_DEFAULT_REGION=%s", options->region));
    add(variables, text_format("AWS_XRAY_DAEMON_ADDRESS=%s", options->xray));
    add(variables, text_copy("AWS_XRAY_CONTEXT_MISSING=LOG_ERROR"));
    add(variables, text_format("ENABLE_XRAY=%s", options->tracing.is_enabled ? "true" : "false"));
    add(variables, text_copy("AWS_EC2_METADATA_DISABLED=true"));
    /* The directory of the program: what Lambda unpacks the zip file to. */
    const char *slash = strrchr(options->bootstrap, '/');
    add(variables,
        text_format("LAMBDA_TASK_ROOT=%.*s", slash ? (int)(slash - options->bootstrap) : 1,
                    slash ? options->bootstrap : "."));
}

static void add_pipeline(struct variables *variables, const struct functions_params *params)
{
    const struct options *options = params->options;

    add(variables, text_copy("FILES_TABLE=Files"));
    add(variables, text_copy("USER_FILES_TABLE=UserFiles"));
    add(variables, text_copy("DEVICES_TABLE=Devices"));
    add(variables, text_copy("USER_DEVICES_TABLE=UserDevices"));
    add(variables, text_copy("API_TOKENS_TABLE=ApiTokens"));
    add(variables, text_copy("BUCKET=" CLOUD_BUCKET));
    add(variables,
        text_format("PLATFORM_APPLICATION_ARN=%s", params->cloud->platform_application_arn));
    add(variables, text_format("FILE_URL_BASE=http://127.0.0.1:%u", params->delivery_port));
    add(variables, text_format("MEDIA_HOSTS=127.0.0.1:%u%s%s", params->media_port,
                               options->media_hosts ? "," : "",
                               options->media_hosts ? options->media_hosts : ""));
    add(variables, text_format("YTDLP_PATH=%s", options->yt_dlp));
    add(variables, text_copy("START_FILE_UPLOAD_FUNCTION=StartFileUpload"));
    add(variables, text_copy("FILE_COORDINATOR_FUNCTION=FileCoordinator"));
}

/* The role's credentials are the only thing that differs from function to function. */
static void add_credentials(struct variables *variables, const struct credentials *credentials)
{
    add(variables, text_format("AWS_ACCESS_KEY_ID=%s", credentials->access_key_id));
    add(variables, text_format("AWS_SECRET_ACCESS_KEY=%s", credentials->secret_access_key));
    add(variables, text_format("AWS_SESSION_TOKEN=%s", credentials->session_token));
}

static void free_variables(struct variables *variables)
{
    for (size_t i = 0; i < variables->count; i++)
        free(variables->list[i]);
}

/* ---- Functions ------------------------------------------------------------------------ */

/* What "FUNCTION=N" among the entries of an option says, the last one; else *value stays. */
static int read_setting(const char *option, const char *const *entries, const char *function,
                        long most, int *value)
{
    size_t length = strlen(function);

    for (const char *const *entry = entries; *entry; entry++) {
        if (strncmp(*entry, function, length) != 0 || (*entry)[length] != '=')
            continue;
        char *end;
        long number = strtol(*entry + length + 1, &end, 10);
        if (*end || number < 1 || number > most) {
            log_error("--%s takes a number from 1 to %ld, not %s", option, most, *entry);
            return -EINVAL;
        }
        *value = (int)number;
    }
    return 0;
}

static int check_names(const char *option, const char *const *entries)
{
    for (const char *const *entry = entries; *entry; entry++) {
        if (!functions_has(*entry, strcspn(*entry, "="))) {
            char *list = functions_list();
            log_error("--%s %s: there is no such function; there are %s", option, *entry, list);
            free(list);
            return -EINVAL;
        }
    }
    return 0;
}

static int add_function(struct lambda *lambda, const struct functions_params *params,
                        const struct description *description)
{
    struct variables variables = { 0 };
    struct credentials credentials = { 0 };
    const struct options *options = params->options;
    int timeout_s = description->timeout_s, concurrency = options->concurrency;

    int error = read_setting("timeout", options->timeouts, description->name, MAX_TIMEOUT_S,
                             &timeout_s);
    if (!error)
        error = read_setting("concurrency", options->concurrencies, description->name,
                             OPTION_CONCURRENCY_MAX, &concurrency);
    if (!error)
        error = cloud_role(params->cloud, description->name, description->actions, &credentials);
    if (!error) {
        add_inherited(&variables);
        add_services(&variables, params);
        add_pipeline(&variables, params);
        add_credentials(&variables, &credentials);
        for (const char *const *variable = params->options->variables; *variable; variable++)
            add(&variables, text_copy(*variable));
        lambda_add_function(lambda, &(struct lambda_function_params){
                                        .name = description->name,
                                        .timeout_s = timeout_s,
                                        .concurrency = concurrency,
                                        .memory_mib = description->memory_mib,
                                        .moto_port = params->cloud->port,
                                        .control_port = params->control_port,
                                        .faults = params->options->faults,
                                        .is_traced = tracing_is_active(&params->options->tracing,
                                                                       description->name),
                                        .environment = (const char *const *)variables.list,
                                    });
    }
    free_variables(&variables);
    credentials_free(&credentials);
    return error;
}

int functions_add(struct lambda *lambda, const struct functions_params *params)
{
    int error = check_names("timeout", params->options->timeouts);

    if (!error)
        error = check_names("concurrency", params->options->concurrencies);

    for (size_t i = 0; i < FUNCTION_COUNT && !error; i++)
        error = add_function(lambda, params, &descriptions[i]);
    return error;
}
