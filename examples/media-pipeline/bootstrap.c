/* SPDX-License-Identifier: Apache-2.0 */
/* The program that Lambda starts for each of the six functions; _HANDLER says which one it is. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "functions/functions.h"
#include "runtime/clock.h"
#include "runtime/log.h"
#include "runtime/stop.h"

#define MAX_REQUIRED 7

static const struct function {
    const char *name;
    invocation_handler handler;
    const char *required[MAX_REQUIRED]; /* variables; the rest is NULL */
} functions[] = {
    { "WebhookFeedly",
      webhook_feedly,
      { "FILES_TABLE", "USER_FILES_TABLE", "DEVICES_TABLE", "USER_DEVICES_TABLE" } },
    { "FileCoordinator", file_coordinator, { "FILES_TABLE" } },
    { "StartFileUpload",
      start_file_upload,
      { "FILES_TABLE", "USER_FILES_TABLE", "DEVICES_TABLE", "USER_DEVICES_TABLE", "BUCKET",
        "FILE_URL_BASE" } },
    { "RegisterDevice", register_device, { "DEVICES_TABLE", "USER_DEVICES_TABLE" } },
    { "AuthorizerAPIToken", authorizer_api_token, { "API_TOKENS_TABLE" } },
    { "ListFiles", list_files, { "FILES_TABLE", "USER_FILES_TABLE" } },
};
#define FUNCTION_COUNT (sizeof(functions) / sizeof(*functions))

static void usage(FILE *stream)
{
    fputs("The functions of the media pipeline, as a Lambda custom runtime.\n"
          "\n"
          "Lambda starts it, or media-local does, with the address of the Runtime API in\n"
          "AWS_LAMBDA_RUNTIME_API and the function's name in _HANDLER:\n",
          stream);
    for (size_t i = 0; i < FUNCTION_COUNT; i++)
        fprintf(stream, "  %s\n", functions[i].name);
    fputs("\n"
          "example: AWS_LAMBDA_RUNTIME_API=127.0.0.1:9001 _HANDLER=ListFiles \\\n"
          "         FILES_TABLE=Files USER_FILES_TABLE=UserFiles ./bootstrap\n",
          stream);
}

static const struct function *find_function(const char *name, struct failure *failure)
{
    for (size_t i = 0; name && i < FUNCTION_COUNT; i++)
        if (strcmp(name, functions[i].name) == 0)
            return &functions[i];
    failure_set(failure, -ENOENT, "Runtime.NoSuchHandler",
                "_HANDLER is \"%s\": set the function's handler to WebhookFeedly, FileCoordinator, "
                "StartFileUpload, RegisterDevice, AuthorizerAPIToken or ListFiles",
                name ? name : "");
    return NULL;
}

/*
 * The switch of the Terraform configuration. Off, everything works as before and
 * sends nothing; the trace that comes in still goes on with each call. A value
 * that nobody understands must not change what is recorded.
 */
static void heed_switch(const char *value)
{
    static const char *const words[] = { "false", "0", "off", "no" };
    static const char *const others[] = { "true", "1", "on", "yes", "" };
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (strcasecmp(value, words[i]) == 0) {
            setenv("AWS_XRAY_SDK_DISABLED", "true", 1);
            return;
        }
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        if (strcasecmp(value, others[i]) == 0)
            return;
    log_write(LOG_WARNING, NULL, "ENABLE_XRAY is ignored: it should be true or false");
}

static int serve(const char *api, const struct function *function, struct pipeline *pipeline,
                 int64_t started_ns)
{
    xray_recorder *recorder = NULL;
    int result = xray_recorder_new(
        &recorder, xray_recorder_params(.service = function->name, .logger = log_for_library()));
    if (result < 0)
        log_write(LOG_WARNING, NULL, "nothing will be traced: %s", strerror(-result));

    const char *name = getenv("AWS_LAMBDA_FUNCTION_NAME");
    struct runtime_params params = {
        .api = api,
        .function = name && *name ? name : function->name,
        .recorder = recorder,
        .started_ns = started_ns,
        .handler = function->handler,
        .data = pipeline,
    };
    log_set_function(params.function);
    result = runtime_run(&params);
    xray_recorder_free(recorder);
    return result;
}

int main(int argc, char **argv)
{
    int64_t started_ns = clock_now_ns();
    const char *api = getenv("AWS_LAMBDA_RUNTIME_API");
    struct pipeline pipeline = { 0 };
    struct failure failure = { 0 };
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        usage(stdout);
        return 0;
    }
    if (!api || !*api) {
        fputs("bootstrap: AWS_LAMBDA_RUNTIME_API is not set\n\n", stderr);
        usage(stderr);
        return 2;
    }
    const char *enabled = getenv("ENABLE_XRAY");
    heed_switch(enabled ? enabled : "");
    curl_global_init(CURL_GLOBAL_DEFAULT);
    const struct function *function = find_function(getenv("_HANDLER"), &failure);
    int result = function ? config_read(&pipeline.config, function->required, &failure) : -ENOENT;
    if (result == 0)
        result = aws_prepare(&pipeline.aws, &failure);
    if (result == 0) {
        result = stop_install();
        if (result < 0)
            failure_set(&failure, result, "Runtime.NoSignals", "cannot set signal handlers: %s",
                        strerror(-result));
    }
    if (result < 0)
        runtime_fail_init(api, &failure);
    else
        result = serve(api, function, &pipeline, started_ns);
    aws_release(&pipeline.aws);
    curl_global_cleanup();
    return result < 0 ? 1 : 0;
}
