/* SPDX-License-Identifier: Apache-2.0 */
/* The collector: puts the parts together, says where it is, and waits for a signal. */
#include "local/api/page.h"
#include "local/cli/commands.h"
#include "local/cli/listen.h"
#include "local/cli/open_store.h"
#include "local/cli/sampling_start.h"
#include "local/intake/receiver.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xraytrace/version.h>

#define DEFAULT_PORT 2000

static void say_hello(const struct options *options, uint16_t port, unsigned otlp_port)
{
    const char *address = options->address;
    bool v6 = strchr(address, ':') != NULL;
    bool any = strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
    const char *open = v6 ? "[" : "";
    const char *close = v6 ? "]" : "";
    printf("xraytrace-local %d.%d.%d listens on %s%s%s:%u (UDP and TCP)\n", XRAY_VERSION_MAJOR,
           XRAY_VERSION_MINOR, XRAY_VERSION_PATCH, open, address, close, port);
    printf("look at traces: http://%s%s%s:%u/ or xraytrace-local list", any ? "" : open,
           any ? "localhost" : address, any ? "" : close, port);
    if (port != DEFAULT_PORT)
        printf(" --port %u", port);
    putchar('\n');
    if (port == DEFAULT_PORT && strcmp(address, "127.0.0.1") == 0)
        puts("X-Ray SDKs need no setting: this is where they send by default");
    else
        printf("tell X-Ray SDKs: export AWS_XRAY_DAEMON_ADDRESS=%s%s%s:%u\n", open, address, close,
               port);
    printf("OpenTelemetry: export OTEL_EXPORTER_OTLP_ENDPOINT=http://%s%s%s:%u\n", open, address,
           close, otlp_port ? otlp_port : port);
    fflush(stdout);
}

/* The parts of a collector, in the order in which they start. */
struct parts {
    struct sampling_service *sampling;
    struct socket_pair sockets; /* -1 when taken over */
    struct store *store;
    struct ingest *ingest;
    struct page *page;
    struct receiver *receiver;
    struct http_server *otlp; /* NULL: none, which is no error */
    struct http_server *server;
    bool watched;
    struct api api;
};

static void wake_streams(void *server)
{
    http_stream_wake(server);
}

static void stop(struct parts *parts)
{
    if (parts->watched)
        store_unwatch(parts->store, wake_streams, parts->server);
    http_server_free(parts->server);
    http_server_free(parts->otlp);
    receiver_free(parts->receiver);
    page_free(parts->page);
    ingest_free(parts->ingest);
    store_free(parts->store);
    if (parts->sockets.udp >= 0)
        close(parts->sockets.udp);
    if (parts->sockets.tcp >= 0)
        close(parts->sockets.tcp);
    sampling_service_free(parts->sampling);
}

static int start_keeping(struct parts *parts, const struct options *options)
{
    int r = open_store(&parts->store, options);
    if (r != 0)
        return r;
    r = ingest_new(&parts->ingest, parts->store, stderr);
    return r < 0 ? cannot("start", r) : 0;
}

static int start_page(struct parts *parts, const struct options *options)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct page_settings settings = {
        .directory = options->page_directory,
        .address = options->address,
        .http_port = parts->sockets.port,
        .udp_port = parts->sockets.port,
        .database = options->database,
        .started = (double)now.tv_sec + (double)now.tv_nsec / 1e9,
    };
    int r = page_new(&parts->page, &settings);
    return r < 0 ? cannot("start", r) : 0;
}

static void start_otlp(struct parts *parts, const struct options *options)
{
    uint16_t port;
    int fd = open_otlp(options, &port);
    if (fd < 0)
        return;
    int r = http_server_new(&parts->otlp, fd, options->address, api_otlp_handle, &parts->api);
    if (r < 0) {
        close(fd);
        cannot("serve OpenTelemetry", r);
        return;
    }
    parts->api.otlp_port = port;
}

static int start_listening(struct parts *parts, const struct options *options)
{
    int r = receiver_new(&parts->receiver, parts->sockets.udp, parts->ingest);
    if (r < 0)
        return cannot("receive", r);
    parts->sockets.udp = -1;
    parts->api = (struct api){
        .ingest = parts->ingest,
        .store = parts->store,
        .sampling = parts->sampling,
        .page = parts->page,
        .settle = receiver_settle,
        .settle_data = parts->receiver,
    };
    start_otlp(parts, options);
    r = http_server_new(&parts->server, parts->sockets.tcp, options->address, api_handle,
                        &parts->api);
    if (r < 0)
        return cannot("serve HTTP", r);
    parts->sockets.tcp = -1;
    r = store_watch(parts->store, wake_streams, parts->server);
    parts->watched = r == 0;
    return r < 0 ? cannot("watch the store", r) : 0;
}

int command_serve(const struct options *options)
{
    struct parts parts = { .sockets = { .udp = -1, .tcp = -1 } };
    sigset_t stop_signals;
    int received;

    /* Before any thread begins, which then blocks them too. */
    sigemptyset(&stop_signals);
    sigaddset(&stop_signals, SIGINT);
    sigaddset(&stop_signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &stop_signals, NULL);
    signal(SIGPIPE, SIG_IGN);

    int r = sampling_start(&parts.sampling, options);
    if (r != 0)
        return r;
    r = open_sockets(options, &parts.sockets);
    if (r == 0)
        r = start_keeping(&parts, options);
    if (r == 0)
        r = start_page(&parts, options);
    if (r == 0)
        r = start_listening(&parts, options);
    if (r == 0) {
        say_hello(options, parts.sockets.port, parts.api.otlp_port);
        while (sigwait(&stop_signals, &received) != 0)
            continue;
    }
    stop(&parts);
    return r;
}
