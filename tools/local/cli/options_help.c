/* SPDX-License-Identifier: Apache-2.0 */
#include "local/cli/options.h"

#include <stdio.h>

static const char *const parts[] = {
    "usage: xraytrace-local [--port N] [--open] [options]        take in and answer\n"
    "       xraytrace-local list | show | map | tail | export | import  look at what is there\n"
    "       xraytrace-local --exec 'COMMAND' --assert 'FILTER' [--expect N] ...\n"
    "\n"
    "A local X-Ray: takes the segment documents that X-Ray SDKs send (UDP, or\n"
    "PutTraceSegments), keeps them (in memory, unless told), answers the X-Ray API,\n"
    "central sampling with it, and prints traces.\n",

    "Without a command it listens until SIGINT or SIGTERM:\n"
    "  --port N         UDP and TCP port, default 2000; 0 takes a free one and says which\n"
    "  --otlp-port N|none       a second port, for spans of OpenTelemetry (/v1/traces, which\n"
    "                   the first one takes too); default 4318, with --port 0 none\n"
    "  --bind ADDRESS   numeric address, default 127.0.0.1: this machine only\n"
    "  --open           shows the page in the browser\n"
    "  --relaxed        takes 100 ids in BatchGetTraces, maps of 30 days: not portable\n"
    "  --strict         refuses documents that X-Ray would reject, with its reason\n"
    "  --sampling all|cloud     what the rule Default samples: all (default), or one a\n"
    "                   second and 5 %, as in the cloud\n"
    "  --sampling-rules FILE    more rules: what GetSamplingRules returns, or the local\n"
    "                   rules of SDKs\n"
    "  --db FILE        keeps traces, groups and edited rules in this file too, and begins\n"
    "                   with what it has\n"
    "  --forward udp:HOST:PORT  sends what is kept on to another daemon too\n"
    "  --fail WHAT      fails on purpose, to test SDKs; several times: throttle:0.1,\n"
    "                   error:0.1, skew, drop:0.05 (datagrams), latency:200ms\n"
    "  --page-dir DIR   the web page's files from a directory, for who works on them\n"
    "  --tail[=SECONDS] holds each trace back, default 10 s, then keeps those with a fault\n"
    "                   and a share of the rest: let programs sample everything\n"
    "    --tail-rate N  the share, from 0 to 1, default 0.05\n"
    "    --tail-slow SECONDS    traces that take longer are kept too\n"
    "    --tail-errors  traces with a client's error are kept too\n"
    "  --max-traces N   keeps so many traces, default 10000\n"
    "  --max-bytes N    of documents and what is known of them, default 256M; K, M, G\n"
    "  --max-age TIME   since a trace's last document, default 24h; s, m, h, d\n",

    "Commands that ask a running xraytrace-local:\n"
    "  list             the latest traces: id, start, duration, entry point, status\n"
    "    --filter F     only traces that match a filter expression\n"
    "    --since TIME   only traces of the last 90s, 15m, 24h\n"
    "    --limit N      at most so many, default 20\n"
    "    --json         a TraceSummary in JSON on each line\n"
    "  show TRACE-ID    one trace as a waterfall; 1-<8 hex>-<24 hex> or 32 hex digits\n"
    "    --json         the trace as JSON, its documents as objects\n"
    "  map [TRACE-ID]   which service calls which, in one trace or in all of the last hour\n"
    "    --filter F, --since TIME    only in these traces; TIME is at most 6h\n"
    "    --json         the services as GetServiceGraph has them\n"
    "  tail             a line for each new trace, until SIGINT; --filter F, --json\n"
    "  export [ID...]   documents, one a line, for import here or elsewhere\n"
    "    --filter F, --since TIME    in the place of ids\n"
    "    --format jsonl|otlp|html    default jsonl; html is one trace as a page\n"
    "    -o FILE        in the place of standard output\n"
    "  import FILE...   documents, one a line, or the JSON of `aws xray batch-get-traces`\n"
    "                   or OTLP; - is standard input. --json for what was kept, as JSON\n"
    "  all of them:\n"
    "    --port N, --host ADDRESS    where, default 127.0.0.1 port 2000\n"
    "    --width N                   60 to 1000 columns, default the terminal's or 100\n"
    "    --color auto|always|never   auto: in a terminal unless NO_COLOR is set\n",

    "In CI: --exec 'COMMAND' listens on a free port, runs the command with sh -c, tells it\n"
    "where to send (AWS_XRAY_DAEMON_ADDRESS and others), and then asks:\n"
    "  --assert FILTER  traces that match this filter expression are there, as many as\n"
    "  --expect N       says: N, '>=N' or '<=N'; default '>=1'. Pairs may be repeated\n"
    "  --settle TIME    until nothing has come for so long, at first; default: no wait\n"
    "  --json           the results as JSON on standard output\n"
    "  -o FILE          keeps the documents, for import\n"
    "\n"
    "  --help, --version\n",

    "Examples:\n"
    "  xraytrace-local                                    # then run a traced program\n"
    "  xraytrace-local list --filter 'service(\"api\") {fault}' --since 15m\n"
    "  xraytrace-local show 1-5759e988-bd862e3fe1be46a994272793\n"
    "  xraytrace-local map --since 15m\n"
    "  xraytrace-local tail --filter 'responsetime > 1'\n"
    "  xraytrace-local export --since 1h -o traces.jsonl\n"
    "  xraytrace-local import traces.jsonl\n"
    "  xraytrace-local --db traces.db --max-age 7d        # a week, across restarts\n"
    "  xraytrace-local --port 2100                        # beside a daemon; tell the "
    "programs:\n"
    "  AWS_XRAY_DAEMON_ADDRESS=127.0.0.1:2100 ./program\n"
    "  OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 ./program-of-opentelemetry\n"
    "  aws xray batch-get-traces --endpoint-url http://127.0.0.1:2000 --trace-ids ...\n"
    "  xraytrace-local --exec 'make test' --assert 'service(\"api\") {fault}' --expect 0\n",

    "Exit codes: 0 done, 1 no such trace (or the collector could not start), 2 wrong\n"
    "usage, 3 no xraytrace-local can be reached, 4 the port is taken, 5 an assertion does\n"
    "not hold, 6 the command of --exec failed, 128 and more: a signal ended --exec.\n",
};

void options_help(void)
{
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        printf("%s%s", i ? "\n" : "", parts[i]);
}
