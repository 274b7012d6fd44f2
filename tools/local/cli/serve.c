/* SPDX-License-Identifier: Apache-2.0 */
/* The collector: puts the parts together, says where it is, and waits for a signal. */
#include "local/api/api.h"
#include "local/cli/commands.h"
#include "local/cli/open_store.h"
#include "local/cli/sampling_start.h"
#include "local/http/sockets.h"
#include "local/intake/receiver.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <xraytrace/version.h>

#define DEFAULT_PORT 2000

static int port_taken(const struct options *options, bool udp)
{
    const char *protocol = udp ? "UDP" : "TCP";
    struct port_holder holder;
    port_holder_find(options->address, options->port, udp, &holder);
    if (holder.pid)
        fprintf(
            stderr,
            "xraytrace-local: port %u (%s) is taken by process %d (%s); stop it or use --port N\n",
            options->port, protocol, holder.pid, holder.name);
    else
        fprintf(stderr,
                "xraytrace-local: port %u (%s) is taken by a process that can't be seen from here "
                "(another user's, or outside this container); use --port N\n",
                options->port, protocol);
    return EXIT_PORT_TAKEN;
}

static int cannot(const char *what, int error)
{
    fprintf(stderr, "xraytrace-local: cannot %s: %s\n", what, strerror(-error));
    return EXIT_NOT_FOUND;
}

static int open_sockets(const struct options *options, struct socket_pair *ret)
{
    char what[128];
    bool udp_taken = false;
    int r = socket_pair_open(options->address, options->port, ret, &udp_taken);
    if (r == 0)
        return 0;
    if (r == -EADDRINUSE && options->port)
        return port_taken(options, udp_taken);
    snprintf(what, sizeof what, "listen on %s port %u", options->address, options->port);
    return cannot(what, r);
}

/* Where OpenTelemetry's exporters send by default; the first port takes spans too, so
   that one which is taken stands in nobody's way. -1 for none. */
static int open_otlp(const struct options *options, uint16_t *ret_port)
{
    struct port_holder holder;
    int fd;
    if (options->otlp_port == OTLP_PORT_NONE)
        return -1;
    int r = socket_listen(options->address, (uint16_t)options->otlp_port, &fd, ret_port);
    if (r == 0)
        return fd;
    port_holder_find(options->address, (uint16_t)options->otlp_port, false, &holder);
    fprintf(stderr, "xraytrace-local: no port for OpenTelemetry: cannot listen on %s port %d: %s",
            options->address, options->otlp_port, strerror(-r));
    if (r == -EADDRINUSE && holder.pid)
        fprintf(stderr, ", by process %d (%s)", holder.pid, holder.name);
    fputs("; use --otlp-port N, or send to the first port\n", stderr);
    return -1;
}

/* NULL for none, which is no error. */
static struct http_server *start_otlp(const struct options *options, struct api *api)
{
    struct http_server *server;
    uint16_t port;
    int fd = open_otlp(options, &port);
    if (fd < 0)
        return NULL;
    int r = http_server_new(&server, fd, options->address, api_otlp_handle, api);
    if (r < 0) {
        close(fd);
        cannot("serve OpenTelemetry", r);
        return NULL;
    }
    api->otlp_port = port;
    return server;
}

static void say_hello(const struct options *options, uint16_t port, unsigned otlp_port)
{
    const char *address = options->address;
    bool v6 = strchr(address, ':') != NULL;
    printf("xraytrace-local %d.%d.%d listens on %s%s%s:%u (UDP and TCP)\n", XRAY_VERSION_MAJOR,
           XRAY_VERSION_MINOR, XRAY_VERSION_PATCH, v6 ? "[" : "", address, v6 ? "]" : "", port);
    if (port == DEFAULT_PORT) {
        puts("look at traces: xraytrace-local list; xraytrace-local show <trace id>");
    } else {
        printf("look at traces: xraytrace-local list --port %u; "
               "xraytrace-local show <trace id> --port %u\n",
               port, port);
    }
    if (port == DEFAULT_PORT && strcmp(address, "127.0.0.1") == 0)
        puts("X-Ray SDKs need no setting: this is where they send by default");
    else
        printf("tell X-Ray SDKs: export AWS_XRAY_DAEMON_ADDRESS=%s%s%s:%u\n", v6 ? "[" : "",
               address, v6 ? "]" : "", port);
    printf("OpenTelemetry: export OTEL_EXPORTER_OTLP_ENDPOINT=http://%s%s%s:%u\n", v6 ? "[" : "",
           address, v6 ? "]" : "", otlp_port ? otlp_port : port);
    fflush(stdout);
}

/* Takes the sockets over. */
static int run(const struct options *options, const struct socket_pair *sockets, struct api *api,
               const sigset_t *stop_signals)
{
    struct receiver *receiver;
    struct http_server *server, *otlp;
    int r = receiver_new(&receiver, sockets->udp, api->ingest);
    if (r < 0) {
        close(sockets->udp);
        close(sockets->tcp);
        return cannot("receive", r);
    }
    api->settle = receiver_settle;
    api->settle_data = receiver;
    r = http_server_new(&server, sockets->tcp, options->address, api_handle, api);
    if (r < 0) {
        receiver_free(receiver);
        return cannot("serve HTTP", r);
    }
    otlp = start_otlp(options, api);
    say_hello(options, sockets->port, api->otlp_port);
    int received;
    while (sigwait(stop_signals, &received) != 0)
        continue;
    http_server_free(otlp);
    http_server_free(server);
    receiver_free(receiver);
    return EXIT_DONE;
}

/* Between the sockets, which it takes over, and the end. */
static int serve(const struct options *options, const struct socket_pair *sockets,
                 struct sampling_service *sampling, const sigset_t *stop_signals)
{
    struct api api = { .sampling = sampling };
    int r = open_store(&api.store, options);
    if (r == 0 && ingest_new(&api.ingest, api.store, stderr) < 0) {
        store_free(api.store);
        r = cannot("start", -ENOMEM);
    }
    if (r != 0) {
        close(sockets->udp);
        close(sockets->tcp);
        return r;
    }
    r = run(options, sockets, &api, stop_signals);
    ingest_free(api.ingest);
    store_free(api.store);
    return r;
}

int command_serve(const struct options *options)
{
    struct socket_pair sockets;
    struct sampling_service *sampling;
    sigset_t stop_signals;

    /* Before any thread begins, which then blocks them too. */
    sigemptyset(&stop_signals);
    sigaddset(&stop_signals, SIGINT);
    sigaddset(&stop_signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &stop_signals, NULL);
    signal(SIGPIPE, SIG_IGN);

    int r = sampling_start(&sampling, options);
    if (r != 0)
        return r;
    r = open_sockets(options, &sockets);
    if (r == 0)
        r = serve(options, &sockets, sampling, &stop_signals);
    sampling_service_free(sampling);
    return r;
}
