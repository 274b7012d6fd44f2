/* SPDX-License-Identifier: Apache-2.0 */
/* Starts the parts in order, says where they are, waits for a signal, stops them. */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <curl/curl.h>
#include <xraytrace/xraytrace.h>

#include "cloud.h"
#include "delivery.h"
#include "functions.h"
#include "gateway.h"
#include "invoke_api.h"
#include "media.h"
#include "options.h"
#include "phone.h"
#include "port.h"
#include "process.h"
#include "schedule.h"
#include "segments.h"
#include "util.h"

#define CONTROL_BODY_LIMIT (16u << 20)
#define WANTED_FILES       65536 /* an environment takes about ten */

struct engine {
    struct options options;
    char *log_directory;
    char *environment_directory;
    xray_recorder *own_recorder;
    struct cloud *cloud;
    struct media *media;
    struct delivery *delivery;
    struct phone *phone;
    struct segments *segments;
    struct lambda *lambda;
    struct http_server *control;
    struct gateway *gateway;
    struct schedule *schedule;
};

/* ---- The control port: endpoints of Lambda and SNS, and questions ----------------------- */

static void answer_json(struct http_reply *reply, const char *name, cJSON *list)
{
    cJSON *body = json_object(NULL, NULL);

    cJSON_AddItemToObject(body, name, list);
    char *text = json_print(body);
    http_reply_text(reply, 200, "application/json", text);
    free(text);
    cJSON_Delete(body);
}

/* GET tells the kills, POST {"kill": "…", "match": "…"} adds one. */
static void control_faults(struct engine *engine, const struct http_request *request,
                           struct http_reply *reply)
{
    struct faults *faults = engine->options.faults;
    char *reason = NULL;

    if (strcmp(request->method, "GET") == 0) {
        answer_json(reply, "kills", faults_describe(faults));
        return;
    }
    cJSON *body = cJSON_ParseWithLength(request->body, request->body_length);
    const char *text = json_get_text(body, "kill");
    if (!text)
        http_reply_text(reply, 400, "text/plain", "\"kill\" is missing\n");
    else if (faults_add_kill(faults, text, json_get_text(body, "match"), &reason) < 0)
        http_reply_text(reply, 400, "text/plain", reason);
    else
        reply->status = 204;
    free(reason);
    cJSON_Delete(body);
}

static void handle_control(void *data, const struct http_request *request, struct http_reply *reply)
{
    struct engine *engine = data;
    bool is_get = strcmp(request->method, "GET") == 0;

    if (invoke_api_takes(request))
        invoke_api(engine->lambda, engine->cloud, request, reply);
    else if (is_get && strcmp(request->path, "/phone/notifications") == 0)
        answer_json(reply, "notifications", phone_notifications(engine->phone));
    else if (is_get && strcmp(request->path, "/lambda/environments") == 0)
        answer_json(reply, "environments", lambda_describe(engine->lambda));
    else if (strcmp(request->path, "/faults") == 0)
        control_faults(engine, request, reply);
    else if (strcmp(request->path, "/") == 0)
        phone_forward(engine->phone, request, reply);
    else
        http_reply_text(
            reply, 404, "text/plain",
            "here are POST / (SNS), POST /2015-03-31/functions/<name>/invocations,\n"
            "GET /phone/notifications, GET /lambda/environments, GET and POST /faults\n");
}

static int start_control(struct engine *engine)
{
    uint16_t port = port_choose(engine->options.control_port, "the Lambda and SNS endpoints");
    int error = http_server_start(&engine->control,
                                  &(struct http_server_params){ .port = port,
                                                                .body_limit = CONTROL_BODY_LIMIT,
                                                                .handle = handle_control,
                                                                .data = engine });
    if (error)
        log_error("the Lambda and SNS endpoints cannot listen: %s", strerror(-error));
    return error;
}

/* ---- Start ----------------------------------------------------------------------------- */

static int prepare_directories(struct engine *engine)
{
    const char *work = engine->options.work_directory;

    engine->log_directory = text_format("%s/logs", work);
    engine->environment_directory = text_format("%s/environments", work);
    /* Of the run before: nobody uses them any more. */
    remove_tree(engine->log_directory);
    remove_tree(engine->environment_directory);
    int error = make_directories(engine->log_directory);
    if (!error)
        error = make_directories(engine->environment_directory);
    if (error)
        log_error("cannot make directories in %s: %s. Give another place with --work-dir", work,
                  strerror(-error));
    return error;
}

/* Better now than in the middle of a download. */
static int check_programs(struct options *options)
{
    const struct {
        char **path;
        const char *option, *remedy;
    } programs[] = {
        { &options->bootstrap, "bootstrap", "build the media pipeline" },
        { &options->moto, "moto", "pip install 'moto[server]'" },
        { &options->yt_dlp, "yt-dlp", "pip install yt-dlp" },
    };

    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
        char *found = find_program(*programs[i].path);
        if (!found) {
            log_error("there is no program %s: %s, or give its path with --%s", *programs[i].path,
                      programs[i].remedy, programs[i].option);
            return -ENOENT;
        }
        /* Without "..": the functions are told in which directory they are. */
        char *resolved = i == 0 ? realpath(found, NULL) : NULL;
        free(*programs[i].path);
        *programs[i].path = resolved ? resolved : found;
        if (resolved)
            free(found);
    }
    return 0;
}

/* What the tool itself does, such as reading objects, is no part of anybody's trace. */
static int silence_own_calls(struct engine *engine)
{
    int error = xray_recorder_new(
        &engine->own_recorder, xray_recorder_params(.flags = XRAY_RECORDER_NO_ENVIRONMENT,
                                                    .context_missing = XRAY_CONTEXT_MISSING_IGNORE,
                                                    .daemon_address = engine->options.xray));
    if (!error)
        xray_recorder_set_default(engine->own_recorder);
    else
        log_error("cannot send to the X-Ray daemon at %s: %s", engine->options.xray,
                  strerror(-error));
    return error;
}

static int start_cloud(struct engine *engine)
{
    char *log_path = text_format("%s/moto.log", engine->log_directory);

    log_line("starting moto …");
    int error = cloud_start(&engine->cloud,
                            &(struct cloud_params){ .moto = engine->options.moto,
                                                    .port = engine->options.moto_port,
                                                    .region = engine->options.region,
                                                    .directory = engine->options.work_directory,
                                                    .log_path = log_path });
    free(log_path);
    return error;
}

static int start_media(struct engine *engine)
{
    const struct options *options = &engine->options;
    char *directory = text_format("%s/media", options->work_directory);

    int error = media_start(
        &engine->media, &(struct media_params){
                            .directory = directory,
                            .log_directory = engine->log_directory,
                            .ffmpeg = options->ffmpeg,
                            .port = options->media_port,
                            .bytes_per_second = INT64_C(1024) * options->media_kib_per_second });
    free(directory);
    return error;
}

static int start_lambda(struct engine *engine)
{
    const struct options *options = &engine->options;

    int error = segments_new(
        &engine->segments,
        &(struct segments_params){ .daemon_address = options->xray,
                                   .region = options->region,
                                   .account = CLOUD_ACCOUNT,
                                   .functions = function_names,
                                   .has_no_stage = !tracing_of_stage(&options->tracing) });
    if (error)
        return error;
    return lambda_new(&engine->lambda,
                      &(struct lambda_params){
                          .region = options->region,
                          .bootstrap = options->bootstrap,
                          .log_directory = engine->log_directory,
                          .work_directory = engine->environment_directory,
                          .segments = engine->segments,
                          .event_age_ms = options->event_age_seconds * INT64_C(1000),
                          .idle_ms = options->idle_seconds * INT64_C(1000),
                          .retry_ms = { options->retry_ms[0], options->retry_ms[1] },
                      });
}

static int add_functions(struct engine *engine)
{
    const struct functions_params params = {
        .options = &engine->options,
        .cloud = engine->cloud,
        .control_port = http_server_port(engine->control),
        .media_port = media_port(engine->media),
        .delivery_port = delivery_port(engine->delivery),
    };

    return functions_add(engine->lambda, &params);
}

static int start_delivery(struct engine *engine)
{
    return delivery_start(&engine->delivery,
                          &(struct delivery_params){ .region = engine->options.region,
                                                     .endpoint_url = engine->cloud->url,
                                                     .bucket = CLOUD_BUCKET });
}

static int start_front(struct engine *engine)
{
    const struct options *options = &engine->options;

    int error = gateway_start(&engine->gateway,
                              &(struct gateway_params){ .port = options->port,
                                                        .region = options->region,
                                                        .account = CLOUD_ACCOUNT,
                                                        .lambda = engine->lambda,
                                                        .segments = engine->segments });
    if (error)
        return error;
    return schedule_start(&engine->schedule,
                          &(struct schedule_params){ .lambda = engine->lambda,
                                                     .function = "FileCoordinator",
                                                     .region = options->region,
                                                     .account = CLOUD_ACCOUNT,
                                                     .period_s = options->schedule_seconds });
}

static int start(struct engine *engine)
{
    int error = check_programs(&engine->options);

    if (!error)
        error = prepare_directories(engine);
    if (!error)
        error = silence_own_calls(engine);
    if (!error)
        error = start_cloud(engine);
    if (!error)
        error = start_media(engine);
    if (!error)
        error = start_delivery(engine);
    if (!error)
        error = start_lambda(engine);
    if (!error) {
        engine->phone = phone_new(engine->cloud->url);
        error = start_control(engine);
    }
    if (!error)
        error = add_functions(engine);
    if (!error)
        error = cloud_lock(engine->cloud);
    if (!error)
        error = start_front(engine);
    return error;
}

/* ---- Say where ------------------------------------------------------------------------- */

static void add_url(cJSON *ready, const char *name, uint16_t port, const char *path)
{
    char *url = text_format("http://127.0.0.1:%u%s", port, path);

    json_text(ready, name, url);
    free(url);
}

static int announce(const struct engine *engine)
{
    const struct options *options = &engine->options;
    const struct cloud *cloud = engine->cloud;
    cJSON *ready = json_object(NULL, NULL);
    int error = 0;

    json_number(ready, "pid", getpid());
    add_url(ready, "frontDoor", gateway_port(engine->gateway), "/prod");
    add_url(ready, "control", http_server_port(engine->control), "");
    add_url(ready, "media", media_port(engine->media), "");
    add_url(ready, "video", media_port(engine->media), "/" MEDIA_VIDEO);
    add_url(ready, "delivery", delivery_port(engine->delivery), "");
    json_text(ready, "moto", cloud->url);
    json_text(ready, "xray", options->xray);
    json_text(ready, "region", options->region);
    json_text(ready, "bucket", CLOUD_BUCKET);
    json_text(ready, "platformApplicationArn", cloud->platform_application_arn);
    json_text(ready, "apiToken", cloud->api_token);
    json_text(ready, "userId", cloud->user_id);
    json_text(ready, "accessKeyId", cloud->administrator.access_key_id);
    json_text(ready, "secretAccessKey", cloud->administrator.secret_access_key);
    json_text(ready, "logs", engine->log_directory);
    json_text(ready, "environments", engine->environment_directory);

    log_line("everything runs:");
    log_line("  front door        %s", json_get_text(ready, "frontDoor"));
    log_line("  API token         %s", cloud->api_token);
    log_line("  test video        %s", json_get_text(ready, "video"));
    log_line("  content delivery  %s", json_get_text(ready, "delivery"));
    log_line("  the phone         %s/phone/notifications", json_get_text(ready, "control"));
    log_line("  moto              %s", cloud->url);
    log_line("  traces go to      %s", options->xray);
    log_line("  logs              %s", engine->log_directory);
    if (options->ready_file) {
        char *text = json_print(ready);
        error = write_file(options->ready_file, text);
        if (error)
            log_error("cannot write %s: %s", options->ready_file, strerror(-error));
        free(text);
    }
    cJSON_Delete(ready);
    return error;
}

/* ---- Stop ------------------------------------------------------------------------------- */

static void stop(struct engine *engine)
{
    if (engine->options.ready_file)
        unlink(engine->options.ready_file);
    schedule_free(engine->schedule);
    if (engine->lambda)
        lambda_stop(engine->lambda);
    gateway_free(engine->gateway);
    http_server_free(engine->control);
    lambda_free(engine->lambda);
    segments_free(engine->segments);
    phone_free(engine->phone);
    delivery_free(engine->delivery);
    media_free(engine->media);
    cloud_free(engine->cloud);
    xray_recorder_set_default(NULL);
    xray_recorder_free(engine->own_recorder);
    processes_end();
    if (engine->environment_directory)
        remove_tree(engine->environment_directory);
    free(engine->log_directory);
    free(engine->environment_directory);
}

/* ---- Signals ---------------------------------------------------------------------------- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool running; /* started, and not stopping */
    bool received;
    sigset_t set;
} signals = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static void *wait_for_signals(void *data)
{
    int number;

    (void)data;
    for (;;) {
        if (sigwait(&signals.set, &number) != 0)
            continue;
        pthread_mutex_lock(&signals.lock);
        if (!signals.running) {
            /* In the middle of the start, or a second one: the short way. */
            processes_kill();
            _exit(1);
        }
        signals.running = false;
        signals.received = true;
        pthread_cond_broadcast(&signals.changed);
        pthread_mutex_unlock(&signals.lock);
    }
    return NULL;
}

/* No thread takes them but the one that waits for them; children get them back. */
static int begin_signals(void)
{
    pthread_t waiter;

    sigemptyset(&signals.set);
    sigaddset(&signals.set, SIGINT);
    sigaddset(&signals.set, SIGTERM);
    sigaddset(&signals.set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals.set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return -pthread_create(&waiter, NULL, wait_for_signals, NULL);
}

static void allow_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < WANTED_FILES) {
        limit.rlim_cur = limit.rlim_max < WANTED_FILES ? limit.rlim_max : WANTED_FILES;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* From here on a signal ends it in order. */
static void mark_running(void)
{
    pthread_mutex_lock(&signals.lock);
    signals.running = true;
    pthread_mutex_unlock(&signals.lock);
}

static void run_until_signal(void)
{
    pthread_mutex_lock(&signals.lock);
    while (!signals.received)
        pthread_cond_wait(&signals.changed, &signals.lock);
    pthread_mutex_unlock(&signals.lock);
}

int main(int argc, char **argv)
{
    struct engine engine = { 0 };

    int error = options_read(&engine.options, argc, argv);
    if (error) {
        options_free(&engine.options);
        return error > 0 ? 0 : 2;
    }
    if (engine.options.quiet)
        log_quiet();
    allow_files();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    error = begin_signals();
    if (!error)
        error = processes_begin();
    if (error) {
        log_error("cannot start: %s", strerror(-error));
        return 1;
    }
    error = start(&engine);
    if (!error) {
        mark_running();
        error = announce(&engine);
    }
    if (!error) {
        run_until_signal();
        log_line("stopping …");
    }
    stop(&engine);
    options_free(&engine.options);
    curl_global_cleanup();
    return error ? 1 : 0;
}
