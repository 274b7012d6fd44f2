/* SPDX-License-Identifier: Apache-2.0 */
#include "local/cli/collector.h"

#include "local/api/page.h"
#include "local/cli/listen.h"
#include "local/cli/open_store.h"
#include "local/cli/sampling_start.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void wake_streams(void *server)
{
    http_stream_wake(server);
}

static int start_keeping(struct collector *collector)
{
    int r = open_store(&collector->store, collector->options);
    if (r != 0)
        return r;
    r = open_ingest(&collector->ingest, collector->store, collector->options);
    if (r < 0)
        return cannot("start", r);
    ingest_set_strict(collector->ingest, collector->options->strict);
    /* Those of a file come in the place of what was edited. */
    if (!collector->options->sampling_rules)
        sampling_restore(collector->sampling, collector->store);
    return 0;
}

static int start_forward(struct collector *collector)
{
    const char *target = collector->options->forward;
    if (!target)
        return 0;
    int r = forward_new(&collector->forward, target, collector->options->address,
                        collector->sockets.port);
    ingest_set_forward(collector->ingest, collector->forward);
    if (r == 0)
        return 0;
    fprintf(stderr, "xraytrace-local: cannot forward to %s: %s\n", target,
            r == -EINVAL  ? "a target is udp:HOST:PORT, IPv6 in brackets"
            : r == -ELOOP ? "that is this xraytrace-local itself; use another port"
            : r == -ENXIO ? "there is no such host"
                          : strerror(-r));
    return r == -EINVAL ? EXIT_USAGE : EXIT_NOT_FOUND;
}

static int start_faults(struct collector *collector)
{
    char text[FAULTS_TEXT];
    if (!faults_any(&collector->options->faults))
        return 0;
    int r = faults_new(&collector->faults, &collector->options->faults);
    if (r < 0)
        return cannot("start", r);
    ingest_set_faults(collector->ingest, collector->faults);
    faults_describe(collector->faults, text);
    fprintf(stderr, "xraytrace-local: fails on purpose (--fail): %s\n", text);
    return 0;
}

static int start_page(struct collector *collector)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct page_settings settings = {
        .directory = collector->options->page_directory,
        .address = collector->options->address,
        .http_port = collector->sockets.port,
        .udp_port = collector->sockets.port,
        .database = collector->options->database,
        .started = (double)now.tv_sec + (double)now.tv_nsec / 1e9,
    };
    int r = page_new(&collector->page, &settings);
    return r < 0 ? cannot("start", r) : 0;
}

static void start_otlp(struct collector *collector)
{
    uint16_t port;
    int fd = open_otlp(collector->options, &port);
    if (fd < 0)
        return;
    int r = http_server_new(&collector->otlp, fd, collector->options->address, api_otlp_handle,
                            &collector->api);
    if (r < 0) {
        close(fd);
        cannot("serve OpenTelemetry", r);
        return;
    }
    collector->api.otlp_port = port;
}

static int start_listening(struct collector *collector)
{
    int r = receiver_new(&collector->receiver, collector->sockets.udp, collector->ingest);
    if (r < 0)
        return cannot("receive", r);
    collector->sockets.udp = -1;
    collector->api = (struct api){
        .ingest = collector->ingest,
        .store = collector->store,
        .sampling = collector->sampling,
        .page = collector->page,
        .forward = collector->forward,
        .faults = collector->faults,
        .relaxed = collector->options->relaxed,
        .settle = receiver_settle,
        .settle_data = collector->receiver,
    };
    start_otlp(collector);
    r = http_server_new(&collector->server, collector->sockets.tcp, collector->options->address,
                        api_handle, &collector->api);
    if (r < 0)
        return cannot("serve HTTP", r);
    collector->sockets.tcp = -1;
    r = store_watch(collector->store, wake_streams, collector->server);
    collector->watched = r == 0;
    return r < 0 ? cannot("watch the store", r) : 0;
}

/* The sockets come before a file of traces that takes long to read. */
static int start(struct collector *collector)
{
    int r = open_sockets(collector->options, &collector->sockets);
    if (r == 0)
        r = start_keeping(collector);
    if (r == 0)
        r = start_forward(collector);
    if (r == 0)
        r = start_faults(collector);
    if (r == 0)
        r = start_page(collector);
    return r == 0 ? start_listening(collector) : r;
}

int collector_start(struct collector *ret, const struct options *options)
{
    *ret = (struct collector){ .options = options, .sockets = { .udp = -1, .tcp = -1 } };
    int r = sampling_start(&ret->sampling, options);
    if (r != 0)
        return r;
    r = start(ret);
    if (r != 0)
        collector_stop(ret);
    return r;
}

void collector_stop(struct collector *collector)
{
    if (collector->watched)
        store_unwatch(collector->store, wake_streams, collector->server);
    http_server_free(collector->server);
    http_server_free(collector->otlp);
    receiver_free(collector->receiver);
    page_free(collector->page);
    ingest_free(collector->ingest);
    forward_free(collector->forward);
    faults_free(collector->faults);
    store_free(collector->store);
    if (collector->sockets.udp >= 0)
        close(collector->sockets.udp);
    if (collector->sockets.tcp >= 0)
        close(collector->sockets.tcp);
    sampling_service_free(collector->sampling);
}

void collector_block_signals(sigset_t *ret_stop_signals)
{
    sigemptyset(ret_stop_signals);
    sigaddset(ret_stop_signals, SIGINT);
    sigaddset(ret_stop_signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, ret_stop_signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

void collector_url(const struct collector *collector, char ret[COLLECTOR_URL_SIZE])
{
    const char *address = collector->options->address;
    bool v6 = strchr(address, ':') != NULL;
    /* All addresses of this machine: any of them will do. */
    if (strcmp(address, "0.0.0.0") == 0)
        address = "127.0.0.1";
    else if (strcmp(address, "::") == 0)
        address = "::1";
    snprintf(ret, COLLECTOR_URL_SIZE, "http://%s%s%s:%u", v6 ? "[" : "", address, v6 ? "]" : "",
             collector->sockets.port);
}
