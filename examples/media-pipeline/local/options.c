/* SPDX-License-Identifier: Apache-2.0 */
/* The command line. */

#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xraytrace/xraytrace.h>

#include "util.h"

static const char help[] =
    "Usage: media-local [options]\n"
    "\n"
    "Runs the media pipeline on this machine: moto for DynamoDB, S3, SNS and IAM, a\n"
    "Lambda that runs the bootstrap, API Gateway's front door, the schedule, a web\n"
    "server with a test video, and the content delivery of what was downloaded.\n"
    "Everything listens on 127.0.0.1 only. Ctrl-C stops all of it.\n"
    "\n"
    "Programs:\n"
    "  --bootstrap FILE       what the functions run (default: ../bootstrap, seen from here)\n"
    "  --moto FILE            moto_server (default: from PATH)\n"
    "  --yt-dlp FILE          yt-dlp (default: from PATH)\n"
    "  --ffmpeg FILE          ffmpeg, for the test video (default: from PATH)\n"
    "\n"
    "Places:\n"
    "  --work-dir DIR         for all files (default: work, beside this program)\n"
    "  --ready-file FILE      written when everything runs: addresses, token, keys, as JSON\n"
    "  --port N               of the front door; 0, the default, takes any free port\n"
    "  --control-port N       of the Lambda and SNS endpoints and the phone (default: 0)\n"
    "  --moto-port N          of moto (default: 0)\n"
    "  --media-port N         of the web server with the video (default: 0)\n"
    "  --region NAME          (default: us-west-2)\n"
    "  --xray ADDRESS         of the X-Ray daemon (default: AWS_XRAY_DAEMON_ADDRESS, else\n"
    "                         127.0.0.1:2000)\n"
    "\n"
    "Behaviour:\n"
    "  --schedule-seconds N   between two scheduled runs of FileCoordinator; 0: none\n"
    "                         (default: 240)\n"
    "  --concurrency [NAME=]N environments at most of each function (default: 10), or of the\n"
    "                         function NAME; may be repeated\n"
    "  --idle-seconds N       after which a warm environment is stopped (default: 300)\n"
    "  --event-age-seconds N  that an event waits and is tried again (default: 21600)\n"
    "  --retry-ms N,N         before the two retries of an event (default: 1000,2000; AWS\n"
    "                         takes minutes)\n"
    "  --tracing MODE         full, the default: all are traced; selective: only the functions of\n"
    "                         --traced-functions; passive: only the front door; on_demand: all\n"
    "                         or nothing, as --enable-xray-tracing says\n"
    "  --enable-xray-tracing true|false\n"
    "                         ENABLE_XRAY of the functions: whether they record (default: true)\n"
    "  --traced-functions A,B (default: " TRACING_DEFAULT_FUNCTIONS ")\n"
    "  --kill FUNCTION:SERVICE.OPERATION:before|after[:N]\n"
    "                         kills the environment at its Nth such call (default: 1), before\n"
    "                         AWS hears of it or before the function hears the answer; may be\n"
    "                         repeated\n"
    "  --delay SERVICE.OPERATION=MS\n"
    "                         holds each answer back as long; may be repeated\n"
    "  --timeout NAME=N       seconds that the function NAME may take; may be repeated\n"
    "  --env NAME=VALUE       for the functions; may be repeated\n"
    "  --media-hosts LIST     more hosts that webhooks may name, with commas\n"
    "  --media-rate N         KiB a second at which the video is served; 0, the default: as\n"
    "                         fast as it goes\n"
    "  --quiet                no line for each request\n"
    "  --help, --version\n"
    "\n"
    "Examples:\n"
    "  media-local --moto venv/bin/moto_server --yt-dlp venv/bin/yt-dlp\n"
    "  media-local --port 8080 --ready-file ready.json --media-rate 500\n"
    "  media-local --tracing selective --traced-functions WebhookFeedly,ListFiles\n"
    "  media-local --kill StartFileUpload:S3.UploadPart:after --delay DynamoDB.GetItem=200\n"
    "  curl -H \"Authorization: Bearer $TOKEN\" http://127.0.0.1:8080/files\n";

enum {
    OPTION_BOOTSTRAP = 256,
    OPTION_MOTO,
    OPTION_YT_DLP,
    OPTION_FFMPEG,
    OPTION_WORK_DIR,
    OPTION_READY_FILE,
    OPTION_PORT,
    OPTION_CONTROL_PORT,
    OPTION_MOTO_PORT,
    OPTION_MEDIA_PORT,
    OPTION_REGION,
    OPTION_XRAY,
    OPTION_SCHEDULE,
    OPTION_CONCURRENCY,
    OPTION_IDLE,
    OPTION_EVENT_AGE,
    OPTION_RETRY,
    OPTION_TIMEOUT,
    OPTION_ENV,
    OPTION_MEDIA_HOSTS,
    OPTION_MEDIA_RATE,
    OPTION_TRACING,
    OPTION_ENABLE_XRAY,
    OPTION_TRACED_FUNCTIONS,
    OPTION_KILL,
    OPTION_DELAY,
    OPTION_QUIET,
    OPTION_HELP,
    OPTION_VERSION,
};

static const struct option long_options[] = {
    { "bootstrap", required_argument, NULL, OPTION_BOOTSTRAP },
    { "moto", required_argument, NULL, OPTION_MOTO },
    { "yt-dlp", required_argument, NULL, OPTION_YT_DLP },
    { "ffmpeg", required_argument, NULL, OPTION_FFMPEG },
    { "work-dir", required_argument, NULL, OPTION_WORK_DIR },
    { "ready-file", required_argument, NULL, OPTION_READY_FILE },
    { "port", required_argument, NULL, OPTION_PORT },
    { "control-port", required_argument, NULL, OPTION_CONTROL_PORT },
    { "moto-port", required_argument, NULL, OPTION_MOTO_PORT },
    { "media-port", required_argument, NULL, OPTION_MEDIA_PORT },
    { "region", required_argument, NULL, OPTION_REGION },
    { "xray", required_argument, NULL, OPTION_XRAY },
    { "schedule-seconds", required_argument, NULL, OPTION_SCHEDULE },
    { "concurrency", required_argument, NULL, OPTION_CONCURRENCY },
    { "idle-seconds", required_argument, NULL, OPTION_IDLE },
    { "event-age-seconds", required_argument, NULL, OPTION_EVENT_AGE },
    { "retry-ms", required_argument, NULL, OPTION_RETRY },
    { "timeout", required_argument, NULL, OPTION_TIMEOUT },
    { "env", required_argument, NULL, OPTION_ENV },
    { "media-hosts", required_argument, NULL, OPTION_MEDIA_HOSTS },
    { "media-rate", required_argument, NULL, OPTION_MEDIA_RATE },
    { "tracing", required_argument, NULL, OPTION_TRACING },
    { "enable-xray-tracing", required_argument, NULL, OPTION_ENABLE_XRAY },
    { "traced-functions", required_argument, NULL, OPTION_TRACED_FUNCTIONS },
    { "kill", required_argument, NULL, OPTION_KILL },
    { "delay", required_argument, NULL, OPTION_DELAY },
    { "quiet", no_argument, NULL, OPTION_QUIET },
    { "help", no_argument, NULL, OPTION_HELP },
    { "version", no_argument, NULL, OPTION_VERSION },
    { NULL, 0, NULL, 0 },
};

/* ---- Values --------------------------------------------------------------------------- */

static int number(const char *name, const char *text, long least, long most, long *ret)
{
    char *end;

    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno || end == text || *end || value < least || value > most) {
        log_error("--%s takes a number from %ld to %ld, not \"%s\"", name, least, most, text);
        return -EINVAL;
    }
    *ret = value;
    return 0;
}

static int number_to_int(const char *name, const char *text, int least, int most, int *ret)
{
    long value;
    int error = number(name, text, least, most, &value);

    if (!error)
        *ret = (int)value;
    return error;
}

static int port_number(const char *name, const char *text, uint16_t *ret)
{
    long value;
    int error = number(name, text, 0, UINT16_MAX, &value);

    if (!error)
        *ret = (uint16_t)value;
    return error;
}

static int retry_times(const char *text, int64_t ret[2])
{
    int length = 0;
    long first, second;

    if (sscanf(text, "%ld,%ld%n", &first, &second, &length) != 2 || text[length] || first < 0 ||
        second < 0 || first > 3600000 || second > 3600000) {
        log_error("--retry-ms takes two numbers up to 3600000, as in 1000,2000, not \"%s\"", text);
        return -EINVAL;
    }
    ret[0] = first;
    ret[1] = second;
    return 0;
}

static int list_entry(const char *name, const char *text, const char **list)
{
    size_t count = 0;

    while (list[count])
        count++;
    if (!strchr(text, '=') || *text == '=' || count == OPTION_LIST_LIMIT) {
        log_error("--%s takes NAME=VALUE, at most %d times, not \"%s\"", name, OPTION_LIST_LIMIT,
                  text);
        return -EINVAL;
    }
    list[count] = text;
    return 0;
}

static int replace_text(char **place, const char *text)
{
    free(*place);
    *place = text_copy(text);
    return 0;
}

static int fault(struct options *options, const char *name, const char *text)
{
    char *reason = NULL;
    int error = strcmp(name, "kill") == 0 ? faults_add_kill(options->faults, text, NULL, &reason)
                                          : faults_add_delay(options->faults, text, &reason);

    if (error)
        log_error("--%s: %s", name, reason);
    free(reason);
    return error;
}

/* A file beside this program, as the build puts them. */
static char *beside_program(const char *relative)
{
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
    char *slash;

    if (length <= 0)
        return text_copy(relative);
    path[length] = '\0';
    slash = strrchr(path, '/');
    *slash = '\0';
    return text_format("%s/%s", path, relative);
}

static void set_defaults(struct options *options)
{
    const char *daemon_address = getenv("AWS_XRAY_DAEMON_ADDRESS");

    *options = (struct options){
        .bootstrap = beside_program("../bootstrap"),
        .moto = text_copy("moto_server"),
        .yt_dlp = text_copy("yt-dlp"),
        .ffmpeg = text_copy("ffmpeg"),
        .work_directory = beside_program("work"),
        .region = text_copy("us-west-2"),
        .xray = text_copy(daemon_address && *daemon_address ? daemon_address : "127.0.0.1:2000"),
        .schedule_seconds = 240,
        .idle_seconds = 300,
        .event_age_seconds = 21600,
        .concurrency = 10,
        .retry_ms = { 1000, 2000 },
        .tracing = { .is_enabled = true },
        .faults = faults_new(),
    };
}

/* The place of an option that is only a text, or NULL. */
static char **text_place(struct options *options, int option)
{
    switch (option) {
    case OPTION_BOOTSTRAP:
        return &options->bootstrap;
    case OPTION_MOTO:
        return &options->moto;
    case OPTION_YT_DLP:
        return &options->yt_dlp;
    case OPTION_FFMPEG:
        return &options->ffmpeg;
    case OPTION_WORK_DIR:
        return &options->work_directory;
    case OPTION_READY_FILE:
        return &options->ready_file;
    case OPTION_REGION:
        return &options->region;
    case OPTION_XRAY:
        return &options->xray;
    case OPTION_MEDIA_HOSTS:
        return &options->media_hosts;
    default:
        return NULL;
    }
}

static int set(struct options *options, int option, const char *text)
{
    char **place = text_place(options, option);

    if (place)
        return replace_text(place, text);
    switch (option) {
    case OPTION_PORT:
        return port_number("port", text, &options->port);
    case OPTION_CONTROL_PORT:
        return port_number("control-port", text, &options->control_port);
    case OPTION_MOTO_PORT:
        return port_number("moto-port", text, &options->moto_port);
    case OPTION_MEDIA_PORT:
        return port_number("media-port", text, &options->media_port);
    case OPTION_SCHEDULE:
        return number_to_int("schedule-seconds", text, 0, 86400, &options->schedule_seconds);
    case OPTION_CONCURRENCY:
        return strchr(text, '=') ? list_entry("concurrency", text, options->concurrencies)
                                 : number_to_int("concurrency", text, 1, OPTION_CONCURRENCY_MAX,
                                                 &options->concurrency);
    case OPTION_IDLE:
        return number_to_int("idle-seconds", text, 1, 86400, &options->idle_seconds);
    case OPTION_EVENT_AGE:
        return number_to_int("event-age-seconds", text, 1, 21600, &options->event_age_seconds);
    case OPTION_MEDIA_RATE:
        return number_to_int("media-rate", text, 0, 1 << 20, &options->media_kib_per_second);
    case OPTION_RETRY:
        return retry_times(text, options->retry_ms);
    case OPTION_TIMEOUT:
        return list_entry("timeout", text, options->timeouts);
    case OPTION_ENV:
        return list_entry("env", text, options->variables);
    case OPTION_TRACING:
        return tracing_read_mode(&options->tracing, text);
    case OPTION_ENABLE_XRAY:
        return tracing_read_enabled(&options->tracing, text);
    case OPTION_TRACED_FUNCTIONS:
        return tracing_read_functions(&options->tracing, text);
    case OPTION_KILL:
        return fault(options, "kill", text);
    case OPTION_DELAY:
        return fault(options, "delay", text);
    case OPTION_QUIET:
        options->quiet = true;
        return 0;
    default:
        return -EINVAL; /* getopt has said why */
    }
}

/* Functions and moto run elsewhere: what they are given has to be absolute. */
static void make_absolute(char **path)
{
    char *directory;

    /* A name without a slash is looked for in PATH. */
    if (**path == '/' || !strchr(*path, '/'))
        return;
    directory = getcwd(NULL, 0);
    if (directory) {
        char *absolute = text_format("%s/%s", directory, *path);
        free(*path);
        *path = absolute;
    }
    free(directory);
}

static void make_all_absolute(struct options *options)
{
    char *work = text_format("./%s", options->work_directory);

    /* A directory is never looked for in PATH. */
    if (options->work_directory[0] != '/')
        replace_text(&options->work_directory, work);
    free(work);
    make_absolute(&options->bootstrap);
    make_absolute(&options->moto);
    make_absolute(&options->yt_dlp);
    make_absolute(&options->ffmpeg);
    make_absolute(&options->work_directory);
}

int options_read(struct options *ret, int argc, char **argv)
{
    int option, error = 0;

    set_defaults(ret);
    while (!error && (option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        if (option == OPTION_HELP || option == 'h') {
            fputs(help, stdout);
            return 1;
        }
        if (option == OPTION_VERSION) {
            printf("media-local, with libxraytrace %s\n", xray_version());
            return 1;
        }
        error = set(ret, option, optarg);
    }
    if (!error && optind < argc) {
        log_error("\"%s\" is not an option", argv[optind]);
        error = -EINVAL;
    }
    if (error)
        fputs("Try media-local --help.\n", stderr);
    else
        make_all_absolute(ret);
    return error;
}

void options_free(struct options *options)
{
    free(options->bootstrap);
    free(options->moto);
    free(options->yt_dlp);
    free(options->ffmpeg);
    free(options->work_directory);
    free(options->ready_file);
    free(options->region);
    free(options->xray);
    free(options->media_hosts);
    faults_free(options->faults);
}
