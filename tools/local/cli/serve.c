/* SPDX-License-Identifier: Apache-2.0 */
/* The collector as a program: says where it is, and waits for a signal. */
#include "local/cli/collector.h"
#include "local/cli/commands.h"
#include "local/cli/open.h"

#include <stdio.h>
#include <string.h>
#include <xraytrace/version.h>

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
    if (port != PORT_DEFAULT)
        printf(" --port %u", port);
    putchar('\n');
    if (port == PORT_DEFAULT && strcmp(address, "127.0.0.1") == 0)
        puts("X-Ray SDKs need no setting: this is where they send by default");
    else
        printf("tell X-Ray SDKs: export AWS_XRAY_DAEMON_ADDRESS=%s%s%s:%u\n", open, address, close,
               port);
    printf("OpenTelemetry: export OTEL_EXPORTER_OTLP_ENDPOINT=http://%s%s%s:%u\n", open, address,
           close, otlp_port ? otlp_port : port);
    fflush(stdout);
}

int command_serve(const struct options *options)
{
    struct collector collector;
    sigset_t stop_signals;
    int received;
    collector_block_signals(&stop_signals);
    int r = collector_start(&collector, options);
    if (r != 0)
        return r;
    say_hello(options, collector.sockets.port, collector.api.otlp_port);
    if (options->open)
        open_browser(&collector);
    while (sigwait(&stop_signals, &received) != 0)
        continue;
    collector_stop(&collector);
    return EXIT_DONE;
}
