/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sink of these benchmarks as a program, for the peers: says where it
 * listens, and for each line it reads what has arrived since the last one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"
#include "sink.h"

static const char usage[] =
    "Usage: bench-sink\n"
    "\n"
    "Takes segment documents over UDP and counts them. The first line it prints is\n"
    "the address it listens on, as JSON. For each line on standard input it prints\n"
    "what arrived since the last: documents, bytes of their datagrams, how many the\n"
    "socket dropped, how many were malformed, and the first one as it came.\n"
    "Ends with its standard input.\n"
    "\n"
    "Example:\n"
    "  echo | bench-sink\n";

int main(int argc, char **argv)
{
    static char first[DATAGRAM_SIZE];
    struct sink sink;
    struct sink_counts counts;
    char line[16];
    int r;

    if (argc > 1) {
        bool help = strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0;

        fputs(usage, help ? stdout : stderr);
        return help ? 0 : 2;
    }
    places_find();
    r = sink_start(&sink, places.sink);
    if (r < 0) {
        fprintf(stderr, "bench-sink: could not listen on loopback: %s\n", strerror(-r));
        return 1;
    }
    (void)sink_first(&sink, first, sizeof(first));
    printf("{\"address\":\"%s\",\"buffer\":%d}\n", sink.address, sink.buffer);
    fflush(stdout);
    while (fgets(line, sizeof(line), stdin)) {
        size_t length;

        r = sink_take(&sink, &counts);
        if (r < 0) {
            fprintf(stderr, "bench-sink: the receiving process does not answer\n");
            break;
        }
        length = sink_first(&sink, first, sizeof(first));
        printf("{\"documents\":%lu,\"bytes\":%lu,\"dropped\":%lu,\"malformed\":%lu,\"first\":",
               counts.documents, counts.bytes, counts.dropped, counts.malformed);
        printf("%.*s}\n", length ? (int)length : 4, length ? first : "null");
        fflush(stdout);
    }
    sink_stop(&sink);
    return r < 0 ? 1 : 0;
}
