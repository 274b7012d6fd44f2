# SPDX-License-Identifier: Apache-2.0
"""Runs the media pipeline once, as its users see it, and shows the trace.

Starts xraytrace-local and media-local, registers a device as the phone does,
posts a webhook as Feedly does, waits for the push, lists the files, downloads
the object back and compares it with what was on the web. Exit status 0: it was
delivered and every expected piece of the trace arrived; 3: delivered, with
pieces of the trace missing; 1: not delivered. With --scenario: see scenario.py.
"""

import argparse
import hashlib
import json
import os
import signal
import sys

sys.dont_write_bytecode = True  # the source tree stays as it is
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import pipeline  # noqa: E402
from display import Display  # noqa: E402
from expectations import (TRACED_FUNCTIONS, TRACING, Tracing, missing_in_call_trace,  # noqa: E402
                          missing_in_webhook_trace)
from pipeline import Failure  # noqa: E402
from scenarios import SCENARIOS  # noqa: E402
from session import Session, print_map  # noqa: E402

DELIVERED, NOT_DELIVERED, TRACE_INCOMPLETE = 0, 1, 3
TRACE_TIMEOUT = 15


class Demo(Session):
    """The whole way, once."""

    def __init__(self, options, display=None):
        super().__init__(options, display)
        self.tracing = Tracing(options.tracing, options.enable_xray_tracing == 'true',
                               options.traced_functions.split(','))

    def run(self):
        self.start(self.engine_options())
        self.register()
        self.display.step('The phone is registered: POST /registerDevice → 200')
        notification = self.wait_for_push(self.post_webhook())
        size = int(notification['payload']['file']['size'])
        self.display.step(f'The phone is notified of {size} bytes')
        self.list_files(notification)
        self.compare(notification)
        missing = self.look_at_traces()
        self.display.step('The notification, as the phone got it:')
        self.display.note(json.dumps(notification['payload'], indent=2))
        if missing:
            self.display.step('Delivered, but the trace is incomplete. Missing:')
            self.display.note('\n'.join('- ' + piece for piece in missing))
        else:
            self.display.step('Delivered, and every expected piece of the trace arrived.')
        self.say_where()
        return TRACE_INCOMPLETE if missing else DELIVERED

    def engine_options(self):
        return ('--tracing', self.options.tracing,
                '--enable-xray-tracing', self.options.enable_xray_tracing,
                '--traced-functions', self.options.traced_functions)

    def list_files(self, notification):
        reply = self.engine.call('GET', '/files', token=self.engine.at['apiToken'])
        if reply.status != 200:
            raise Failure(f'ListFiles answered {reply.status}: {reply.body.decode()}')
        self.remember_trace('ListFiles', reply)
        wanted = notification['payload']['file']
        files = reply.json()['body']['contents']
        if [file['url'] for file in files if file['fileId'] == wanted['fileId']] != [wanted['url']]:
            raise Failure(f"ListFiles does not have {wanted['url']}: {files}")
        self.display.step(f'The phone lists its files: GET /files → {len(files)}')

    def compare(self, notification):
        url = notification['payload']['file']['url']
        stored = pipeline.request('GET', url)
        original = pipeline.request('GET', self.engine.at['video'])
        if stored.status != 200 or original.status != 200:
            raise Failure(f'GET {url} answered {stored.status}, the original {original.status}')
        digests = [hashlib.sha256(reply.body).hexdigest() for reply in (stored, original)]
        if digests[0] != digests[1]:
            raise Failure(f'{url} has SHA-256 {digests[0]}, the original {digests[1]}')
        self.display.step(f'The phone downloads it: {len(stored.body)} bytes, the same SHA-256')
        self.display.note(digests[0])

    def look_at_traces(self):
        """Waits for what is still on its way; what is missing after that."""
        if not self.collector:
            return ['everything: xraytrace-local was not started']
        missing = []

        def complete():
            if not self.collector.child.runs():
                return False
            missing[:] = self.problems()
            return not missing

        # Where nothing should come, it would have come by the end of the way.
        pipeline.wait_until(complete, TRACE_TIMEOUT if self.collector.child.runs() else 0, 0.2)
        if not self.collector.child.runs():
            return ['everything: xraytrace-local does not run any more']
        self.show_traces()
        return missing

    def problems(self):
        if self.tracing.is_silent():
            listed = self.collector.print('list', '--limit', '1') or ''
            return ['no trace at all, and there is one'] if listed.strip() else []
        problems = missing_in_webhook_trace(
            self.collector.trace(self.traces['WebhookFeedly']), self.tracing)
        for name in ('RegisterDevice', 'ListFiles'):
            problems += missing_in_call_trace(self.collector.trace(self.traces[name]), name,
                                              self.tracing)
        if len(set(self.traces.values())) != len(self.traces):
            problems.append('a trace of its own for each request')
        return problems

    def show_traces(self):
        """Which service called which, and then each step of it."""
        enabled = 'true' if self.tracing.enabled else 'false'
        self.display.step(f'tracing = {self.tracing.option}, enable_xray_tracing = {enabled}')
        self.display.prose(self.tracing.describe())
        if self.tracing.is_silent():
            print_map(self, 'list', 'All traces: there should be none.')
            return
        trace_id = self.traces['WebhookFeedly']
        print_map(self, 'map', 'The services that the webhook called:', trace_id)
        print_map(self, 'show', 'The trace of the webhook:', trace_id)


# ---- The command line -------------------------------------------------------------------------


EXAMPLES = '''
scenarios; each has a fault in the pipeline, and prints the question of an
operator, the queries, and the answer that the traces give:
{scenarios}

Every other option goes to the engine: see media-local --help.

Exit status: 0 delivered, and the trace is complete; of a scenario: the traces
show the answer. 3 delivered, but the trace is not as it should be; of a
scenario: the traces do not show the answer. 1 not delivered.

examples:
  ./demo --once                              the way, the map and the trace
  ./demo --tracing=selective                 the map of another option
  ./demo --enable-xray-tracing=false         the rollback by one variable
  ./demo --scenario slow --slow s3           the bucket is slow, not the web
  ./demo --scenario forbidden --once --json  for programs
  ./demo --scenario coldstart --no-fault     no fault, no answer: status 3
'''


def read_options():
    parser = argparse.ArgumentParser(
        prog='./demo', allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter,
        description='Runs the media pipeline once, as its users see it, and shows the trace.',
        epilog=EXAMPLES.format(scenarios='\n'.join(
            f'  {name:<19}{scenario.title}' for name, scenario in SCENARIOS.items())))
    parser.add_argument('--build-dir', required=True, help='where meson built the project')
    parser.add_argument('--venv', required=True, help='virtual environment with moto and yt-dlp')
    parser.add_argument('--once', action='store_true',
                        help='stop when it is done, also in a terminal')
    parser.add_argument('--no-xray', action='store_true', help='do not start xraytrace-local')
    parser.add_argument('--port-xray', type=int, default=2000, metavar='N',
                        help='port of xraytrace-local (default: 2000); another when it is taken')
    tracing = parser.add_argument_group('who records, as in Terraform')
    tracing.add_argument('--tracing', choices=TRACING, default='full', help='(default: full)')
    tracing.add_argument('--enable-xray-tracing', choices=('true', 'false'), default='true',
                         help='(default: true)')
    tracing.add_argument('--traced-functions', default=','.join(TRACED_FUNCTIONS), metavar='A,B',
                         help='of --tracing=selective (default: %(default)s)')
    scenario = parser.add_argument_group('scenarios')
    scenario.add_argument('--scenario', choices=SCENARIOS, help='see below')
    scenario.add_argument('--slow', choices=('web', 's3'), default='web',
                          help='what is slow in the scenario of that name (default: web)')
    scenario.add_argument('--slow-seconds', type=float, default=6, metavar='N',
                          help='how long a download may take before it is slow (default: 6)')
    scenario.add_argument('--no-fault', action='store_true',
                          help='leave the fault out: then the traces do not show one')
    scenario.add_argument('--json', action='store_true',
                          help="a scenario's question, queries and answer as JSON on standard "
                          'output, and the rest on standard error')
    # The rest is for media-local, which says what it does not know.
    options, options.engine = parser.parse_known_args()
    if options.scenario and options.no_xray:
        parser.error('--scenario needs xraytrace-local: leave --no-xray out')
    if options.scenario and (options.tracing, options.enable_xray_tracing) != ('full', 'true'):
        parser.error('scenarios are traced in full: leave --tracing and --enable-xray-tracing out')
    if options.json and not options.scenario:
        parser.error('--json is of a scenario: name one with --scenario')
    return options


def interrupt(*_):
    raise KeyboardInterrupt


def main():
    options = read_options()
    kind = SCENARIOS[options.scenario] if options.scenario else Demo
    demo = kind(options, Display(sys.stderr if options.json else sys.stdout))
    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGHUP, interrupt)
    status = NOT_DELIVERED
    ended = False
    try:
        status = demo.run()
        ended = True
        if sys.stdout.isatty() and not options.once:
            demo.stay()
    except Failure as failure:
        demo.display.step(str(failure) if ended else f'Not delivered: {failure}')
        if demo.engine:
            demo.display.note(f"Logs: {demo.engine.at['logs']}")
        status = NOT_DELIVERED
    except KeyboardInterrupt:
        demo.display.step('stopping …')
    finally:
        demo.stop()
    return status


if __name__ == '__main__':
    sys.exit(main())
