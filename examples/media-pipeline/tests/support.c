/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

struct peer *peer;
struct pipeline pipeline;
struct invocation invocation;
struct failure failure;
char directory[64];
char program[128];

#define MAX_REPLIES 32
static struct peer_reply kept[MAX_REPLIES];

void support_begin(void)
{
    cr_redirect_stdout();
    snprintf(directory, sizeof(directory), "/tmp/pipeline-test.XXXXXX");
    cr_assert(mkdtemp(directory));
    snprintf(program, sizeof(program), "%s/yt-dlp", directory);
    pipeline.config = (struct config){
        .files_table = "Files",
        .user_files_table = "UserFiles",
        .devices_table = "Devices",
        .user_devices_table = "UserDevices",
        .api_tokens_table = "ApiTokens",
        .bucket = "media",
        .platform_application_arn = "arn:app",
        .file_url_base = "https://files/",
        .media_hosts = "media.example.org",
        .ytdlp_path = program,
        .start_file_upload_function = "StartFileUpload",
        .file_coordinator_function = "FileCoordinator",
        .download_directory = directory,
        .part_bytes = 5 * 1024 * 1024,
        .max_downloads = 10,
        .github = { "", "", "" },
    };
    invocation = (struct invocation){ .function = "Test",
                                      .request_id = "r-1",
                                      .deadline_ms = clock_now_ms() + 60000 };
}

void support_end(void)
{
    aws_release(&pipeline.aws);
    if (peer)
        peer_stop(peer);
    unlink(program);
    cr_expect_eq(rmdir(directory), 0, "something is left in %s", directory);
}

void start(const struct peer_reply *replies, size_t count)
{
    static const char *const unset[] = { "AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_LAMBDA",
                                         "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_SNS",
                                         "_X_AMZN_TRACE_ID" };
    for (size_t i = 0; i < sizeof(unset) / sizeof(*unset); i++)
        unsetenv(unset[i]);
    /* The peer still looks at a reply when the test that gave it has its answer, and returns. */
    cr_assert_leq(count, MAX_REPLIES);
    memcpy(kept, replies, count * sizeof(*kept));
    peer = peer_start(kept, count);
    setenv("AWS_ENDPOINT_URL", peer_url(peer), 1);
    setenv("AWS_REGION", "us-east-1", 1);
    setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    setenv("AWS_XRAY_CONTEXT_MISSING", "IGNORE_ERROR", 1);
}

bool contains(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

bool has(size_t index, const char *text)
{
    return contains(peer_request(peer, index), text);
}

int count_of(const char *text)
{
    int count = 0;
    for (size_t i = 0; i < peer_request_count(peer); i++)
        count += has(i, text);
    return count;
}

const char *call(invocation_handler handler, const char *event)
{
    static char printed[2048];
    cJSON *json = cJSON_Parse(event);
    cr_assert(json, "%s", event);
    cJSON *answer = handler(&pipeline, &invocation, json);
    char *text = answer ? cJSON_PrintUnformatted(answer) : NULL;
    snprintf(printed, sizeof(printed), "%s", text ? text : "");
    cJSON_free(text);
    cJSON_Delete(answer);
    cJSON_Delete(json);
    return printed;
}
