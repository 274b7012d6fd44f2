#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Spans of OpenTelemetry: over HTTP on both ports, in datagrams and in PutTraceSegments."""
import base64
import http.client
import json
import re
import socket
import time
import unittest

from collector import HEADER, LONG, Case, Collector

PROTOBUF = 'application/x-protobuf'
JSON = 'application/json'
TRACE = '%08x%024x'


def attribute(key, value):
    kind = {bool: 'boolValue', int: 'intValue', str: 'stringValue', float: 'doubleValue'}[type(value)]
    return {'key': key, 'value': {kind: str(value) if kind == 'intValue' else value}}


def span(trace, number, name, kind=1, parent=None, attributes=None, **members):
    start = time.time_ns() - 10**9
    result = {'traceId': trace, 'spanId': '%016x' % number, 'name': name, 'kind': kind,
              'startTimeUnixNano': str(start), 'endTimeUnixNano': str(start + 5 * 10**8),
              'attributes': [attribute(*item) for item in (attributes or {}).items()], **members}
    if parent:
        result['parentSpanId'] = '%016x' % parent
    return result


def request(*spans, service='orders'):
    return {'resourceSpans': [{'resource': {'attributes': [attribute('service.name', service)]},
                               'scopeSpans': [{'spans': list(spans)}]}]}


def varint(number):
    text = b''
    while number >= 0x80:
        text += bytes([number & 0x7f | 0x80])
        number >>= 7
    return text + bytes([number])


def message(number, body):
    return varint(number << 3 | 2) + varint(len(body)) + body


def protobuf(trace, number, name, kind=2, service='orders'):
    """A request of one span, written by hand from the numbers of the fields."""
    start = time.time_ns() - 10**9
    body = message(1, bytes.fromhex(trace)) + message(2, number.to_bytes(8, 'big'))
    body += message(5, name.encode()) + varint(6 << 3) + varint(kind)
    body += varint(7 << 3 | 1) + start.to_bytes(8, 'little')
    body += varint(8 << 3 | 1) + (start + 10**8).to_bytes(8, 'little')
    resource = message(1, message(1, b'service.name') + message(2, message(1, service.encode())))
    return message(1, message(1, resource) + message(2, message(2, body)))


class Traces(Case):
    def setUp(self):
        super().setUp()
        self.w3c = TRACE % (int(time.time()), 7)
        self.trace = f'1-{self.w3c[:8]}-{self.w3c[8:]}'

    def post(self, body, kind=JSON, path='/v1/traces', method='POST', port=None):
        connection = http.client.HTTPConnection(self.collector.address,
                                                port or self.collector.port, timeout=LONG)
        try:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            connection.request(method, path, data, {'Content-Type': kind} if kind else {})
            response = connection.getresponse()
            return response.status, response.headers['Content-Type'], response.read()
        finally:
            connection.close()

    def documents(self):
        return {document['name']: document for document in self.collector.trace(self.trace)}

    def test_spans_as_json_become_one_tree(self):
        status, kind, reply = self.post(request(
            span(self.w3c, 2, 'GET', 3, 1, {'peer.service': 'stock', 'url.full': 'http://stock/7'}),
            span(self.w3c, 1, 'GET /', 2, None, {'http.request.method': 'GET', 'customer': 'c7'}),
            span(self.w3c, 3, 'parse', 1, 2)))
        self.assertEqual((status, kind, json.loads(reply)), (200, JSON, {'partialSuccess': {}}))
        root = self.documents()['orders']
        call, = root['subsegments']
        self.assertEqual((call['name'], call['namespace']), ('stock', 'remote'))
        self.assertEqual([part['name'] for part in call['subsegments']], ['parse'])
        self.assertEqual(root['annotations'], {'customer': 'c7'})

    def test_spans_as_protobuf_get_a_reply_of_the_same_type(self):
        self.assertEqual(self.post(protobuf(self.w3c, 1, 'GET /'), PROTOBUF), (200, PROTOBUF, b''))
        self.assertEqual(list(self.documents()), ['orders'])

    def test_a_summary_finds_their_annotations(self):
        self.post(request(span(self.w3c, 1, 'GET /', 2, None, {'customer': 'c7'})))
        summary, = self.collector.summaries()
        self.assertEqual(summary['Id'], self.trace)
        self.assertEqual(summary['Annotations']['customer'][0]['AnnotationValue'],
                         {'StringValue': 'c7'})

    def test_an_empty_request_is_a_success(self):
        self.assertEqual(self.post(b'', PROTOBUF), (200, PROTOBUF, b''))
        self.assertEqual(self.post({})[0], 200)

    def test_spans_that_cannot_be_kept_are_counted_in_the_reply_and_the_rest_is_kept(self):
        late = span(self.w3c, 3, 'late')
        del late['startTimeUnixNano']
        status, _, reply = self.post(request(
            span('00', 2, 'bad'), span(self.w3c, 1, 'good', 2), late))
        self.assertEqual(status, 200)
        success = json.loads(reply)['partialSuccess']
        self.assertEqual(success['rejectedSpans'], '2')
        self.assertIn('trace_id is not 16 bytes', success['errorMessage'])
        self.assertEqual(list(self.documents()), ['orders'])
        self.assertIn("a span that can't be a segment", self.collector.status())

    def test_what_is_no_request_is_a_bad_request(self):
        status, kind, reply = self.post(b'{"resourceSpans":[}')
        self.assertEqual((status, kind), (400, JSON))
        self.assertEqual(json.loads(reply), {
            'code': 3, 'message': 'OTLP request: not a JSON value at byte 18'})
        status, kind, reply = self.post(b'\x0a\xff', PROTOBUF)
        self.assertEqual((status, kind), (400, PROTOBUF))
        self.assertEqual(reply[:2], b'\x08\x03')
        self.assertIn(b'cut off within a number', reply)

    def test_more_than_ten_thousand_spans_are_too_many(self):
        body = b'{"resourceSpans":[{"scopeSpans":[{"spans":[' + b','.join([b'{}'] * 10001) + b']}]}]}'
        status, _, reply = self.post(body)
        self.assertEqual(status, 413)
        self.assertIn('more than 10000 spans', json.loads(reply)['message'])

    def test_other_types_of_content_are_not_supported(self):
        for kind in ('text/plain', 'application/protobuf', None):
            self.assertEqual(self.post({}, kind)[0], 415, kind)
        self.assertEqual(self.post({}, 'Application/JSON; charset=utf-8')[0], 200)

    def test_other_methods_are_not_allowed(self):
        self.assertEqual(self.post(b'', JSON, method='GET')[0], 405)

    def test_a_datagram_may_carry_a_request(self):
        for prefix, captured in ((b'T1S', None), (b'T1U', {'xray_sampled': False})):
            self.collector.datagram(HEADER + prefix + base64.b64encode(protobuf(self.w3c, 1, 'n')))
            self.assertEqual(self.documents()['orders'].get('annotations'), captured)

    def test_a_document_of_put_trace_segments_may_be_a_request(self):
        text = 'T1S' + base64.b64encode(protobuf(self.w3c, 1, 'n')).decode()
        self.assertEqual(self.collector.put(text), [])
        self.assertEqual(list(self.documents()), ['orders'])

    def test_a_text_that_is_no_request_is_unprocessed(self):
        refused = self.collector.put('T1S***', 'T1S' + base64.b64encode(b'\x0a\xff').decode())
        self.assertEqual([item['ErrorCode'] for item in refused], ['ParseError', 'ParseError'])
        self.assertIn('base64', refused[0]['Message'])
        self.assertIn('cut off', refused[1]['Message'])


class SecondPort(Traces):
    """The same on the port that is for spans alone."""

    def setUp(self):
        super().setUp()
        self.end()
        self.collector = Collector('--port', '0', '--otlp-port', '0')
        line = self.collector.process.stdout.readline()
        self.otlp = int(re.search(r'http://127\.0\.0\.1:(\d+)$', line)[1])
        self.assertNotEqual(self.otlp, self.collector.port)

    def post(self, *arguments, **members):
        return super().post(*arguments, port=self.otlp, **members)

    def test_nothing_else_is_there(self):
        self.assertEqual(self.post(b'', path='/v1/metrics')[0], 404)
        self.assertEqual(self.post(b'', path='/', method='GET')[0], 404)

    def test_pages_of_other_sites_cannot_send_there(self):
        connection = http.client.HTTPConnection(self.collector.address, self.otlp, timeout=LONG)
        self.addCleanup(connection.close)
        connection.request('POST', '/v1/traces', b'{}',
                           {'Content-Type': JSON, 'Origin': 'http://example.com'})
        self.assertEqual(connection.getresponse().status, 403)


class NoSecondPort(Case):
    def test_without_a_second_port_the_first_one_is_named(self):
        line = self.collector.process.stdout.readline()
        self.assertEqual(line, 'OpenTelemetry: export OTEL_EXPORTER_OTLP_ENDPOINT='
                               f'http://127.0.0.1:{self.collector.port}\n')


class TakenPort(unittest.TestCase):
    def test_a_second_port_that_is_taken_is_a_warning(self):
        with socket.socket() as holder:
            holder.bind(('127.0.0.1', 0))
            holder.listen()
            port = holder.getsockname()[1]
            collector = Collector('--port', '0', '--otlp-port', str(port))
            line = collector.process.stdout.readline()
            self.assertEqual(collector.stop(), 0)
        self.assertIn(f':{collector.port}\n', line)
        warning, = collector.errors
        self.assertIn(f'cannot listen on 127.0.0.1 port {port}: Address already in use', warning)
        self.assertIn('use --otlp-port N', warning)


if __name__ == '__main__':
    unittest.main()
