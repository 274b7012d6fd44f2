# SPDX-License-Identifier: Apache-2.0
"""Two services of one of AWS's SDKs, front and back, and what has to be seen of them: the same
for each SDK, with its defaults, whether a daemon stands between or not."""
import http.client
import json
import os
import pathlib
import subprocess
import sys
import time
import unittest

import sampling_peers
from sampling_peers import HERE, LONG, Program, wait_until
from runtimes import Missing

BROKEN = 3  # of the requests below
FINE = 5


def node_command():
    runtime, environment = sampling_peers.node_sdk()
    return [runtime, HERE / 'official_service.js'], environment


def python_command():
    program = pathlib.Path(os.environ.get('XRAYTRACE_VENV', ''), 'bin', 'python')
    done = subprocess.run([program, '-c', 'import aws_xray_sdk, requests'], check=False,
                          stderr=subprocess.DEVNULL) if program.is_file() else None
    if not done or done.returncode:
        raise Missing('there is no aws-xray-sdk in XRAYTRACE_VENV='
                      f'{os.environ.get("XRAYTRACE_VENV") or "(not set)"}')
    return [program, HERE / 'official_service.py'], {}


class Service(Program):
    """front calls back for its answer if it is given back's port."""

    def __init__(self, command, daemon, name, *back):
        words, environment = command
        super().__init__([*words, name, *back], daemon, **environment)
        self.port = int(self.line())

    def get(self, path):
        """(status, what it says of its segment)"""
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=LONG)
        try:
            connection.request('GET', path)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()


def documents(collector, trace):
    """Those that were sent: for what has sent none, such as a database, the service adds some."""
    return [document for document in collector.trace(trace) if not document.get('inferred')]


class Conversation:
    """Both services have started, have got the rules and have answered; all has arrived."""

    def __init__(self, collector, command, daemon, add_cleanup):
        self.collector = collector
        self.begun = time.time()
        self.back = Service(command, daemon, 'back')
        add_cleanup(self.back.stop)
        self.front = Service(command, daemon, 'front', self.back.port)
        add_cleanup(self.front.stop)
        self.said = []  # by front, since it has the rules
        wait_until(self._is_ruled, 'decided by the rule')
        for path, count in (('/orders', FINE), ('/broken', BROKEN)):
            for _ in range(count):
                self.said.append((path, *self.front.get(path)))
        wait_until(lambda: all(len(documents(collector, trace)) == 2 for trace in self.traces()),
                   'kept two documents of each trace')
        wait_until(lambda: self.reported('RequestCount') >= len(self.said),
                   f'reported {len(self.said)} requests')

    def reported(self, name):
        """What the service has added up for the rule."""
        reply = self.collector.ask('/SamplingStatisticSummaries')
        return sum(one[name] for one in reply['SamplingStatisticSummaries']
                   if one['RuleName'] == 'Default')

    def _is_ruled(self):
        """Until it has the rules it samples some by itself, and then names none."""
        status, said = self.front.get('/orders')
        if said['rule']:
            self.said.append(('/orders', status, said))
        return said['rule']

    def traces(self, path=None):
        return [said['trace'] for asked, _, said in self.said if path in (None, asked)]


class Seen:
    """The tests; a class beside it sets `conversation` and `collector`."""

    def graph(self):
        services = self.collector.ask('/ServiceGraph', {
            'StartTime': self.conversation.begun - 60, 'EndTime': time.time() + 60})['Services']
        return {(service['Name'], service.get('Type')): service for service in services}

    def found(self, expression):
        return {summary['Id']: summary
                for summary in self.collector.summaries(FilterExpression=expression)}

    def documents(self, trace):
        """(front's, back's)"""
        found = {document['name']: document for document in documents(self.collector, trace)}
        self.assertEqual(set(found), {'front', 'back'})
        return found['front'], found['back']

    def calls(self, front):
        """Its subsegments of calls to the other."""
        return [inner for inner in front['subsegments'] if inner.get('namespace') == 'remote']

    def test_nothing_is_refused(self):
        status = json.loads(self.collector.request('GET', '/api/status')[2])
        self.assertEqual((status['refused'], status['bad']), ([], []))

    def test_all_is_sampled_by_the_rule_that_all_have(self):
        self.assertEqual({said['rule'] for _, _, said in self.conversation.said}, {'Default'})

    def test_it_answers_as_without_tracing(self):
        self.assertEqual({(path, status) for path, status, _ in self.conversation.said},
                         {('/orders', 200), ('/broken', 500)})

    def test_both_documents_of_a_trace_meet(self):
        front, back = self.documents(self.conversation.traces('/orders')[-1])
        call, = self.calls(front)
        self.assertEqual(back['parent_id'], call['id'])

    def test_a_trace_is_complete(self):
        summaries = self.found('')
        for trace in self.conversation.traces():
            self.assertFalse(summaries[trace]['IsPartial'], trace)
            self.assertEqual(summaries[trace]['EntryPoint']['Name'], 'front')

    def test_the_graph_has_both_and_an_edge(self):
        services = {name: service for (name, kind), service in self.graph().items()
                    if name in ('front', 'back') and kind != 'client'}
        self.assertEqual(set(services), {'front', 'back'})
        edge, = [edge for edge in services['front']['Edges']
                 if edge['ReferenceId'] == services['back']['ReferenceId']]
        self.assertEqual(edge['SummaryStatistics']['TotalCount'],
                         services['back']['SummaryStatistics']['TotalCount'])
        self.assertEqual(edge['SummaryStatistics']['FaultStatistics']['TotalCount'], BROKEN)

    def test_annotations_find_their_traces(self):
        asked = self.conversation.traces('/broken')
        self.assertEqual(set(self.found('annotation.path = "/broken"')), set(asked))
        self.assertEqual(set(self.found('annotation.path = "/broken" AND annotation.amount = 42 '
                                        'AND annotation.gift = true')), set(asked))
        self.assertEqual(self.found('annotation.amount = 43'), {})

    def test_metadata_arrives(self):
        front, _ = self.documents(self.conversation.traces('/orders')[0])
        self.assertEqual(front['metadata'], {'default': {'basket': {'items': [1, 2]}}})

    def test_a_fault_is_one(self):
        asked = self.conversation.traces('/broken')
        self.assertEqual(set(self.found('service("back") { fault }')), set(asked))
        self.assertEqual(set(self.found('fault')), set(asked))
        _, back = self.documents(asked[0])
        inner, = [inner for inner in back['subsegments'] if inner['name'] == 'charge']
        self.assertTrue(inner['fault'])
        self.assertEqual(inner['cause']['exceptions'][0]['message'], 'no such card')

    def test_the_cause_of_a_fault_is_named(self):
        summary = self.found('fault')[self.conversation.traces('/broken')[0]]
        causes = [entity for cause in summary['FaultRootCauses'] for service in cause['Services']
                  for entity in service['EntityPath'] if entity.get('Exceptions')]
        self.assertIn('no such card', [exception['Message'] for entity in causes
                                       for exception in entity['Exceptions']])

    def test_the_rule_has_its_statistics(self):
        reported, decided = self.conversation.reported, len(self.conversation.said)
        self.assertEqual(reported('RequestCount'), decided)
        self.assertEqual(reported('SampledCount') + reported('BorrowCount'), decided)


def main(*needed):
    """Runs the tests if all that is needed can be had; each says why not with Missing."""
    try:
        for make in needed:
            make()
    except Missing as missing:
        print(f'skipped: {missing}')
        sys.exit(sampling_peers.SKIPPED)
    unittest.main()
