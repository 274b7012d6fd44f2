#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the web page asks beside the X-Ray API."""
import json
import re
import sys
import time
import unittest
import urllib.parse

import collector
from collector import HEADER, Case, segment, subsegment

CLIENT = 'c' * 24
NOW = int(time.time())


def trace_id(number=1):
    """The same one all along, while the clock goes on."""
    return collector.trace_id(number, NOW)


class Page(Case):
    def get(self, path, **query):
        if query:
            path += '?' + urllib.parse.urlencode(query, doseq=True)
        status, _, body = self.collector.request('GET', path)
        self.assertEqual(status, 200, body)
        return json.loads(body)

    def post(self, path, request=None, status=200):
        got, _, reply = self.collector.call(path, request or {})
        self.assertEqual(got, status, reply)
        return reply


class Status(Page):
    def status(self):
        return self.get('/api/status')

    def test_it_says_what_runs_and_where(self):
        status = self.status()
        self.assertRegex(status['version'], r'^\d+\.\d+\.\d+$')
        self.assertLess(abs(status['now'] - time.time()), 600)
        self.assertLessEqual(status['started'], status['now'])
        self.assertEqual(status['ports'], {'http': self.collector.port,
                                           'udp': self.collector.port, 'otlp': None})
        self.assertEqual(status['address'], '127.0.0.1')
        self.assertEqual([status[name] for name in ('database', 'forward', 'tail', 'fail')],
                         [None] * 4)
        self.assertEqual(status['limits'], {'traces': 10000, 'bytes': 256 << 20,
                                            'age_seconds': 86400})

    def test_it_counts(self):
        self.collector.send(segment(trace_id(1), 1), segment(trace_id(1), 2))
        self.collector.datagram(b'x')
        self.post('/api/pin', {'TraceId': trace_id(1), 'Pinned': True})
        counts = self.status()['counts']
        self.assertGreater(counts.pop('bytes'), 100)
        self.assertEqual(counts, {'traces': 1, 'documents': 2, 'pinned': 1, 'evicted': 0,
                                  'expired': 0, 'received': 3, 'kept': 2, 'lost': 0})

    def test_senders_are_told_apart(self):
        self.collector.send(segment(trace_id(1), 1), segment(trace_id(1), 2))
        self.collector.datagram(HEADER + b'{"id":1}')
        self.collector.put(segment(trace_id(1), 3))
        senders = {row['address']: row for row in self.status()['senders']}
        udp = '127.0.0.1:%d' % self.collector.udp.getsockname()[1]
        self.assertEqual(set(senders), {udp, '127.0.0.1 (HTTP)'})
        self.assertEqual((senders[udp]['documents'], senders[udp]['refused']), (2, 1))
        self.assertEqual(senders['127.0.0.1 (HTTP)']['documents'], 1)
        self.assertLess(abs(senders[udp]['last'] - time.time()), 600)

    def test_bad_datagrams_are_shown_with_their_bytes(self):
        self.collector.datagram(b'\x00\xff<script>')
        self.collector.datagram(HEADER + b'{' * 1000)
        second, first = self.status()['bad']
        self.assertEqual((first['hex'], first['bytes']), (b'\x00\xff<script>'.hex(), 10))
        self.assertIn('newline', first['reason'])
        self.assertEqual((second['hex'], second['bytes']), ('7b' * 256, 1000))

    def test_only_the_last_hundred_are_kept(self):
        for number in range(150):
            self.collector.datagram(b'%d' % number)
        bad = [bytes.fromhex(row['hex']) for row in self.status()['bad']]
        self.assertEqual(bad, [b'%d' % number for number in range(149, 49, -1)])

    def test_refusals_are_counted_by_reason(self):
        self.collector.datagram(b'x')
        self.collector.datagram(b'y')
        self.collector.put('{')
        refused = {row['text']: row['count'] for row in self.status()['refused']}
        self.assertEqual(sorted(refused.values()), [1, 2])

    def test_what_daemons_say_of_themselves_is_kept(self):
        for number in range(60):
            self.collector.ask('/TelemetryRecords', {'Hostname': 'h', 'TelemetryRecords': [
                {'Timestamp': number, 'SegmentsReceivedCount': 5, 'SegmentsSentCount': 4,
                 'SegmentsSpilloverCount': 1, 'SegmentsRejectedCount': 2}]})
        records = self.status()['telemetry']
        self.assertEqual(len(records), 50)
        self.assertEqual(records[0], {'time': 59, 'hostname': 'h', 'received': 5, 'sent': 4,
                                      'spillover': 1, 'rejected': 2})
        self.collector.ask('/TelemetryRecords', {'Hostname': 'x' * 999, 'TelemetryRecords': [{}, 5]})
        self.assertEqual(self.status()['telemetry'][0]['hostname'], '')


class Trace(Page):
    def test_it_has_documents_real_and_inferred(self):
        trace = trace_id()
        text = json.dumps(segment(trace, 1, 'root'))[:-1] + ',"metadata":{"n":{"x":18446744073709551615}}}'
        self.collector.put(text, subsegment(trace, 2, 1, 'DynamoDB', namespace='aws',
                                            aws={'table_name': 't', 'operation': 'GetItem'}))
        reply = self.get('/api/trace/' + trace)
        self.assertEqual((reply['Id'], reply['Pinned'], reply['Summary']['Id']),
                         (trace, False, trace))
        self.assertEqual([(item['Inferred'], item['Document']['name']) for item in reply['Segments']],
                         [(False, 'root'), (True, 'DynamoDB')])
        self.assertEqual(reply['Segments'][0]['Document']['metadata']['n']['x'], 2 ** 64 - 1)
        self.assertEqual(reply['Segments'][0]['Document']['subsegments'][0]['name'], 'DynamoDB')
        self.assertEqual(reply['Findings'], [])

    def test_findings_name_the_document_and_the_place(self):
        trace = trace_id()
        self.collector.put(segment(trace, 1, annotations={'a-b': 1}))
        finding, = self.get('/api/trace/' + trace)['Findings']
        self.assertEqual((finding['Id'], finding['Path'], finding['Level'], finding['Code']),
                         ('%016x' % 1, 'annotations.a-b', 'warning', 'annotation-key'))
        self.assertIn('not indexed', finding['Message'])

    def test_percentiles_are_among_the_same_name_and_operation(self):
        now = time.time()
        for number in range(101):
            trace = trace_id(number)
            self.collector.put(
                segment(trace, 1, 'root', now, 1 + number),
                subsegment(trace, 2, 1, 'S3', namespace='aws', aws={'operation': 'GetObject'}),
                segment(trace, 3, 'other', now, 1000, parent_id='%016x' % 1))
        for number, expected in ((0, 0.5), (50, 50), (100, 99.5)):
            rows = {row['Name']: row for row in
                    self.get('/api/trace/' + trace_id(number))['Percentiles']}
            self.assertEqual(rows['root'], {'Id': '%016x' % 1, 'Percentile': expected,
                                            'Count': 101, 'Name': 'root'})
            self.assertEqual((rows['S3 GetObject']['Count'], rows['S3 GetObject']['Id']),
                             (101, '%016x' % 2))

    def test_an_id_in_the_form_of_w3c_will_do(self):
        trace = trace_id()
        self.collector.put(segment(trace, 1))
        self.assertEqual(self.get('/api/trace/' + trace[2:].replace('-', ''))['Id'], trace)

    def test_what_is_not_there_is_told_so(self):
        for path, code in (('/api/trace/' + trace_id(9), 404), ('/api/trace/x', 400),
                           ('/api/nothing', 404), ('/api/', 404), ('/api/status/x', 404)):
            status, headers, body = self.collector.request('GET', path)
            self.assertEqual(status, code, path)
            self.assertTrue(headers['x-amzn-ErrorType'] and json.loads(body)['Message'])

    def test_methods_are_checked(self):
        for method, path, allow in (('POST', '/api/status', 'GET, HEAD'),
                                    ('GET', '/api/pin', 'POST'), ('GET', '/api/clear', 'POST')):
            status, headers, _ = self.collector.request(method, path, b'')
            self.assertEqual((status, headers['Allow']), (405, allow))


class Filter(Page):
    def test_a_filter_is_printed_in_one_spelling(self):
        reply = self.get('/api/filter', expression=' duration>=1  AND fault')
        self.assertTrue(reply['ok'])
        again = self.get('/api/filter', expression=reply['canonical'])
        self.assertEqual(again['canonical'], reply['canonical'])
        self.assertEqual(reply['notes'], [])

    def test_an_error_has_its_place(self):
        reply = self.get('/api/filter', expression='fault AND }')
        self.assertEqual((reply['ok'], reply['position']), (False, 10))
        self.assertTrue(reply['message'])

    def test_words_are_those_that_were_seen(self):
        for number in range(30):
            self.collector.put(segment(trace_id(number), 1, 'api', user='u1', origin='AWS::ECS::Container',
                                       annotations={'n': number, 'same': 'x'},
                                       http={'request': {'url': 'http://h/%d' % (number % 2)}}))
        reply = self.get('/api/words')
        self.assertIn({'name': 'api', 'type': 'AWS::ECS::Container'}, reply['services'])
        self.assertEqual(reply['users'], ['u1'])
        self.assertEqual(reply['urls'], ['http://h/0', 'http://h/1'])
        values = {row['key']: row['values'] for row in reply['annotations']}
        self.assertEqual((len(values['n']), values['same']), (20, ['x']))
        self.assertIn('responsetime', [word['text'] for word in reply['words']])
        self.assertLessEqual({word['kind'] for word in reply['words']},
                             {'boolean', 'number', 'string', 'complex', 'operator'})


class Edit(Page):
    def test_a_trace_is_pinned_and_let_go(self):
        trace = trace_id()
        self.collector.put(segment(trace, 1))
        for pinned in (True, False):
            self.assertEqual(self.post('/api/pin', {'TraceId': trace, 'Pinned': pinned}), {})
            self.assertEqual(self.get('/api/trace/' + trace)['Pinned'], pinned)
        self.post('/api/pin', {'TraceId': trace_id(9), 'Pinned': True}, 404)
        self.post('/api/pin', {'TraceId': 'x', 'Pinned': True}, 400)
        self.post('/api/pin', {'TraceId': trace}, 400)

    def test_all_traces_are_forgotten(self):
        self.collector.put(segment(trace_id(), 1))
        self.post('/api/clear')
        self.assertEqual(self.collector.summaries(), [])

    def test_the_sample_is_a_trace_of_two_services_with_a_fault(self):
        first, second = (self.post('/api/sample-trace')['TraceId'] for _ in range(2))
        self.assertNotEqual(first, second)
        reply = self.get('/api/trace/' + first)
        self.assertTrue(reply['Summary']['HasFault'])
        self.assertEqual([item['Document']['name'] for item in reply['Segments']
                          if not item['Inferred']], ['shop', 'payment'])
        self.assertEqual(reply['Findings'], [])
        self.assertFalse(reply['Summary']['IsPartial'])


class Files(Page):
    def export(self, **query):
        status, headers, body = self.collector.request(
            'GET', '/api/export?' + urllib.parse.urlencode(query, doseq=True))
        self.assertEqual(status, 200, body)
        self.assertIn('attachment', headers['Content-Disposition'])
        return body

    def import_(self, body):
        status, _, reply = self.collector.request('POST', '/api/import', body)
        self.assertEqual(status, 200)
        return json.loads(reply)

    def test_lines_come_back_as_they_went(self):
        one, two = trace_id(1), trace_id(2)
        self.collector.put(segment(one, 1, metadata={'n': {'x': 'a\nb'}}), subsegment(one, 2, 1),
                           json.dumps(segment(two, 1), indent=2))
        lines = self.export(id=[one, two])
        self.assertEqual(len(lines.splitlines()), 3)
        self.post('/api/clear')
        self.assertEqual(self.import_(lines), {'kept': 3, 'refused': []})
        self.assertEqual(sorted(self.export().splitlines()), sorted(lines.splitlines()))

    def test_a_filter_and_a_time_choose(self):
        self.collector.put(segment(trace_id(1), 1, fault=True),
                           segment(trace_id(2), 1, start=time.time() - 5000))
        self.assertEqual(len(self.export().splitlines()), 2)
        self.assertEqual(len(self.export(filter='fault').splitlines()), 1)
        self.assertEqual(len(self.export(seconds=60).splitlines()), 1)
        self.assertEqual(self.export(filter='fault', seconds=0.001), b'')

    def test_what_cannot_be_exported_is_told_so(self):
        for query, word in (('id=x', 'trace id'), ('seconds=-1', 'seconds'), ('seconds=x', 'seconds'),
                            ('filter=fault+AND', 'end'), ('format=csv', 'jsonl'),
                            ('seconds=nan', 'seconds')):
            status, _, body = self.collector.request('GET', '/api/export?' + query)
            self.assertEqual(status, 400, query)
            self.assertIn(word, json.loads(body)['Message'])

    def test_spans_come_back_as_documents(self):
        trace = self.post('/api/sample-trace')['TraceId']
        spans = self.export(id=trace, format='otlp')
        self.assertIn('resourceSpans', json.loads(spans))
        self.post('/api/clear')
        reply = self.import_(spans)
        self.assertGreaterEqual(reply['kept'], 2)
        self.assertEqual(reply['refused'], [])
        self.assertTrue(self.get('/api/trace/' + trace)['Summary']['HasFault'])

    def test_lines_that_are_refused_are_named(self):
        good = json.dumps(segment(trace_id(), 1)).encode()
        reply = self.import_(b'\n'.join([good, b'', b'{', b'[%s,{"id":1}]' % good, b'']))
        self.assertEqual(reply['kept'], 2)
        self.assertEqual([row['line'] for row in reply['refused']], [3, 4])

    def test_damaged_files_are_survived(self):
        good = json.dumps(segment(trace_id(), 1)).encode()
        for body in (b'', b'\0', b'[]', b'[' * 9999, good[:-1], good + good, b'{"resourceSpans":5}',
                     b'{"resourceSpans":[' * 500, b'\xff\n' * 2000, b'null', b'5'):
            self.import_(body)
        self.assertLessEqual(len(self.import_(b'x\n' * 5000)['refused']), 1000)

    def test_a_trace_is_one_file_of_html(self):
        trace = trace_id()
        evil = '</script><script>alert(1)</script><!-- {{modules}}'
        self.collector.put(segment(trace, 1, metadata={'n': {'x': evil}}))
        status, headers, body = self.collector.request('GET', f'/api/export/{trace}.html')
        self.assertEqual(status, 200)
        self.assertIn('attachment', headers['Content-Disposition'])
        page = body.decode()
        self.assertNotIn(evil, page)
        self.assertNotIn('{{styles}}\n</style>', page)
        data = re.search(r'id="trace-data">(.*?)</script>', page, re.S)[1]
        self.assertNotIn('<', data)
        data = json.loads(data)
        self.assertEqual(data['Trace']['Segments'][0]['Document']['metadata']['n']['x'], evil)
        self.assertEqual(data['Trace']['Id'], trace)
        self.assertTrue(data['Services'])
        modules = json.loads(re.search(r'id="modules">(.*?)</script>', page, re.S)[1])
        self.assertIn('standalone.js', modules)
        for text in modules.values():
            for name in re.findall(r"from '\./([\w.]+)'", text):
                self.assertIn(name, modules)
        self.assertEqual(self.collector.request('GET', f'/api/export/{trace_id(9)}.html')[0], 404)
        self.assertEqual(self.collector.request('GET', '/api/export/x.html')[0], 404)


class Sampling(Page):
    RULE = {'RuleName': 'r', 'ResourceARN': '*', 'Priority': 5, 'FixedRate': 0.25,
            'ReservoirSize': 10, 'ServiceName': 'api*', 'ServiceType': '*', 'Host': '*',
            'HTTPMethod': 'GET', 'URLPath': '/orders/?', 'Version': 1, 'Attributes': {'k': 'v*'}}

    def setUp(self):
        super().setUp()
        self.collector.ask('/CreateSamplingRule', {'SamplingRule': {
            **self.RULE, 'SamplingRateBoost': {'MaxRate': 0.5, 'CooldownWindowMinutes': 1}}})

    def rules(self):
        return {rule['RuleName']: rule for rule in self.get('/api/sampling')['rules']}

    def report(self, client=CLIENT):
        return self.collector.ask('/SamplingTargets', {'SamplingStatisticsDocuments': [
            {'RuleName': 'r', 'ClientID': client, 'Timestamp': time.time(), 'RequestCount': 7,
             'SampledCount': 3, 'BorrowCount': 1}]})['SamplingTargetDocuments'][0]

    def test_who_reports_is_shown_with_the_sums(self):
        self.assertEqual(self.rules()['Default'], {'RuleName': 'Default', 'clients': [],
                                                   'boost': None})
        for _ in range(2):
            self.report()
        self.report('d' * 24)
        first, second = self.rules()['r']['clients']
        self.assertLess(abs(first.pop('last') - time.time()), 600)
        self.assertEqual(first, {'ClientID': CLIENT, 'RequestCount': 14, 'SampledCount': 6,
                                 'BorrowCount': 2, 'ReservoirQuota': 5})
        self.assertEqual(second['RequestCount'], 7)

    def test_a_request_is_decided_by_the_first_rule_that_matches(self):
        match = {'ServiceName': 'API-1', 'ServiceType': '', 'Host': 'h', 'HTTPMethod': 'get',
                 'URLPath': '/orders/5', 'ResourceARN': '', 'Attributes': {'k': 'value'}}
        self.assertEqual(self.post('/api/sampling/try', match),
                         {'RuleName': 'r', 'FixedRate': 0.25, 'ReservoirSize': 10})
        for change in ({'ServiceName': 'shop'}, {'HTTPMethod': 'POST'}, {'URLPath': '/orders/55'},
                       {'URLPath': '/orders/'}, {'Attributes': {}}, {'Attributes': {'k': 'x'}}):
            self.assertEqual(self.post('/api/sampling/try', {**match, **change})['RuleName'],
                             'Default', change)
        self.assertEqual(self.post('/api/sampling/try')['RuleName'], 'Default')
        self.post('/api/sampling/try', {'Host': 'x' * 3000}, 400)

    def test_a_boost_begins_when_it_is_wanted(self):
        self.assertNotIn('SamplingBoost', self.report())
        self.assertEqual(self.post('/api/sampling/boost', {'RuleName': 'r'}), {})
        boost = self.rules()['r']['boost']
        self.assertEqual(boost['rate'], 0.5)
        self.assertGreater(boost['until'], time.time())
        self.assertEqual(self.report()['SamplingBoost']['BoostRate'], 0.5)
        self.post('/api/sampling/boost', {'RuleName': 'Default'}, 400)
        self.post('/api/sampling/boost', {'RuleName': 'none'}, 400)
        self.post('/api/sampling/boost', {}, 400)


if __name__ == '__main__':
    sys.exit(unittest.main())
