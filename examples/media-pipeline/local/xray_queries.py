# SPDX-License-Identifier: Apache-2.0
"""Questions to the X-Ray API of xraytrace-local, and the same ones as commands to paste."""

import json
import os
import shlex
import statistics

import pipeline

TRACES_AT_ONCE = 5  # BatchGetTraces takes no more
GRAPH_TRACES_AT_ONCE = 100  # nor does GetTraceGraph


class Queries:
    """Asks one xraytrace-local, and writes down what it asked."""

    def __init__(self, collector, region):
        self.collector = collector
        self.region = region
        self.began = 0.0
        self.commands = []

    # The API, as AWS has it.

    def _ask(self, path, **members):
        reply = pipeline.request('POST', f'http://127.0.0.1:{self.collector.port}{path}',
                                 {'Content-Type': 'application/json'},
                                 json.dumps(members).encode())
        if reply.status != 200:
            raise pipeline.Failure(f'X-Ray {path}: {reply.status} {reply.body.decode()[:300]}')
        return reply.json()

    def _window(self):
        return {'StartTime': self.began, 'EndTime': self.began + 6 * 3600}

    def summaries(self, expression):
        """What GetTraceSummaries finds, the newest first."""
        found, token = [], {}
        while token is not None:
            page = self._ask('/TraceSummaries', TimeRangeType='Event', FilterExpression=expression,
                             **self._window(), **token)
            found += page['TraceSummaries']
            token = {'NextToken': page['NextToken']} if page.get('NextToken') else None
        return found

    def traces(self, summaries):
        """What BatchGetTraces has of them."""
        ids = [summary['Id'] for summary in summaries]
        found = []
        for first in range(0, len(ids), TRACES_AT_ONCE):
            reply = self._ask('/Traces', TraceIds=ids[first:first + TRACES_AT_ONCE])
            for trace in reply['Traces']:
                found.append(pipeline.Trace([{'Document': json.loads(segment['Document'])}
                                             for segment in trace['Segments']]))
        return found

    def service_graph(self):
        return Graph(self._ask('/ServiceGraph', **self._window())['Services'])

    def trace_graph(self, summaries):
        ids = [summary['Id'] for summary in summaries][:GRAPH_TRACES_AT_ONCE]
        return Graph(self._ask('/TraceGraph', TraceIds=ids)['Services'] if ids else [])

    # The same for people.

    def _aws(self, operation, *words, with_window=True):
        window = '    --start-time $(($(date +%s) - 300)) --end-time $(date +%s)'
        lines = [f'aws xray {operation} --region {self.region}',
                 f'    --endpoint-url http://127.0.0.1:{self.collector.port}']
        if with_window:
            lines.append(window)
        lines += ['    ' + word for word in words]
        return ' \\\n'.join(lines)

    def _local(self, command, *words):
        program = os.path.relpath(self.collector.program)
        line = self.collector.program if program.startswith('..') else program
        line += ' ' + command
        if self.collector.port != 2000:
            line += f' --port {self.collector.port}'
        return ' \\\n    '.join([line, *words])

    def show_summaries(self, expression):
        quoted = shlex.quote(expression)
        self.commands.append(self._aws('get-trace-summaries', '--filter-expression ' + quoted))
        self.commands.append(self._local('list', '--filter ' + quoted))

    def show_trace(self, summary):
        self.commands.append(self._aws('batch-get-traces', '--trace-ids ' + summary['Id'],
                                       with_window=False))
        self.commands.append(self._local('show ' + summary['Id']))

    def show_graph(self, expression):
        """The map; of these traces only, which is something that the local X-Ray can do."""
        self.commands.append(self._aws('get-service-graph'))
        self.commands.append(self._local('map', '--filter ' + shlex.quote(expression)))

    def show_trace_graph(self, expression):
        """The map of what a filter finds."""
        ids = self._aws('get-trace-summaries', '--filter-expression ' + shlex.quote(expression),
                        "--query 'TraceSummaries[].Id' --output text")
        self.commands.append(self._aws('get-trace-graph',
                                       '--trace-ids $(' + ids.replace('\n', '\n    ') + ')',
                                       with_window=False))
        self.commands.append(self._local('map', '--filter ' + shlex.quote(expression)))


class Graph:
    """Services and who calls whom."""

    def __init__(self, services):
        self.by_id = {service['ReferenceId']: service for service in services}

    def services(self, name, kind):
        return [service for service in self.by_id.values()
                if service.get('Name') == name and service.get('Type') == kind]

    def edges(self, caller, callee):
        """The statistics of the calls from one name to another."""
        return [edge for service in self.by_id.values() if service.get('Name') == caller
                for edge in service.get('Edges', [])
                if self.by_id[edge['ReferenceId']].get('Name') == callee]

    def names(self):
        """(caller, callee) for all calls between different services."""
        return {(service.get('Name'), self.by_id[edge['ReferenceId']].get('Name'))
                for service in self.by_id.values() for edge in service.get('Edges', [])}


# ---- Looking at documents ---------------------------------------------------------------------


def seconds(node):
    """How long it took."""
    return node.get('end_time', node['start_time']) - node['start_time']


def exceptions(node):
    """What went wrong in it: (type, message)."""
    return [(one.get('type', ''), one.get('message', ''))
            for one in node.get('cause', {}).get('exceptions', [])] \
        if isinstance(node.get('cause'), dict) else []


def http_status(node):
    return node.get('http', {}).get('response', {}).get('status')


def median(values):
    return statistics.median(values) if values else 0.0
