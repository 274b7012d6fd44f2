#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The X-Ray API over HTTP."""
import http.client
import json
import socket
import sys
import time
import unittest

from collector import LONG, Case, segment, subsegment, trace_id


class PutTraceSegments(Case):
    def test_documents_are_kept_and_nothing_is_unprocessed(self):
        trace = trace_id()
        self.assertEqual(self.collector.put(segment(trace, 1), subsegment(trace, 2, 1)), [])
        document, = self.collector.trace(trace)
        self.assertEqual(document['subsegments'][0]['name'], 'sub')

    def test_what_cannot_be_kept_is_named_and_the_rest_is_kept(self):
        trace = trace_id()
        no_start = segment(trace, 3)
        del no_start['start_time']
        refused = self.collector.put('{', segment(trace, 1), {'trace_id': trace},
                                     segment('nonsense', 2), no_start)
        self.assertEqual([(item.get('Id'), item['ErrorCode']) for item in refused],
                         [(None, 'ParseError'), (None, 'MissingId'),
                          ('%016x' % 2, 'InvalidTraceId'), ('%016x' % 3, 'MissingStartTime')])
        self.assertIn('Invalid segment. ErrorCode: MissingId', refused[1]['Message'])
        self.assertEqual(len(self.collector.trace(trace)), 1)

    def test_an_array_of_subsegments_is_a_document_too(self):
        trace = trace_id()
        array = json.dumps([subsegment(trace, 2, 1), {'id': 'x'}, subsegment(trace, 3, 1)])
        refused = self.collector.put(segment(trace, 1), array)
        self.assertEqual([item['ErrorCode'] for item in refused], ['MissingId'])
        self.assertEqual(len(self.collector.trace(trace)[0]['subsegments']), 2)

    def test_more_than_fifty_documents_are_refused_as_a_whole(self):
        trace = trace_id()
        status, headers, reply = self.collector.call('/TraceSegments', {
            'TraceSegmentDocuments': [json.dumps(segment(trace, n)) for n in range(51)]})
        self.assertEqual(status, 400)
        self.assertEqual(headers['x-amzn-ErrorType'], 'InvalidRequestException')
        self.assertEqual(reply, {'Message': 'Exceeding maximum segment count: 50'})
        self.assertEqual(self.collector.trace(trace), [])

    def test_a_request_without_documents_is_invalid(self):
        for request in ({}, {'TraceSegmentDocuments': 'x'}, {'TraceSegmentDocuments': [{}]}):
            status, _, reply = self.collector.call('/TraceSegments', request)
            self.assertEqual(status, 400)
            self.assertIn('TraceSegmentDocuments', reply['Message'])


class BatchGetTraces(Case):
    def test_a_trace_is_returned_with_its_segments_in_order_of_time(self):
        trace, now = trace_id(), time.time() - 10
        self.collector.put(segment(trace, 2, 'second', now + 1, parent_id='%016x' % 1),
                           segment(trace, 1, 'first', now, 3.5))
        reply = self.collector.ask('/Traces', {'TraceIds': [trace]})
        self.assertEqual(reply['UnprocessedTraceIds'], [])
        found, = reply['Traces']
        self.assertEqual((found['Id'], found['Duration'], found['LimitExceeded']),
                         (trace, 3.5, False))
        self.assertEqual([entry['Id'] for entry in found['Segments']], ['%016x' % 1, '%016x' % 2])
        self.assertEqual(json.loads(found['Segments'][0]['Document'])['name'], 'first')

    def test_numbers_keep_their_digits(self):
        trace = trace_id()
        text = json.dumps(segment(trace, 1))[:-1] + ',"metadata":{"n":{"x":18446744073709551615}}}'
        self.collector.put(text, subsegment(trace, 2, 1))
        found, = self.collector.ask('/Traces', {'TraceIds': [trace]})['Traces']
        self.assertIn('"x":18446744073709551615', found['Segments'][0]['Document'])

    def test_unknown_traces_are_listed_as_unprocessed(self):
        known, unknown = trace_id(1), trace_id(2)
        self.collector.put(segment(known, 1))
        reply = self.collector.ask('/Traces', {'TraceIds': [unknown, known, known]})
        self.assertEqual([found['Id'] for found in reply['Traces']], [known])
        self.assertEqual(reply['UnprocessedTraceIds'], [unknown])

    def test_a_subsegment_without_its_segment_is_its_own_document(self):
        trace = trace_id()
        self.collector.put(subsegment(trace, 2, 1), subsegment(trace, 3, 2))
        document, = self.collector.trace(trace)
        self.assertEqual(document['parent_id'], '%016x' % 1)
        self.assertEqual(document['type'], 'subsegment')
        self.assertNotIn('type', document['subsegments'][0])

    def test_requests_beyond_the_services_limits_are_refused(self):
        for request, message in (
                ({'TraceIds': [trace_id(n) for n in range(6)]}, 'Exceeding maximum query size: 5'),
                ({'TraceIds': [], 'NextToken': 'x'}, 'NextToken is currently not supported'),
                ({}, 'TraceIds is missing')):
            status, _, reply = self.collector.call('/Traces', request)
            self.assertEqual((status, reply['Message']), (400, message))
        self.assertEqual(self.collector.call('/Traces', {'TraceIds': ['x']})[0], 400)


class GetTraceSummaries(Case):
    def test_pages_hold_a_hundred_and_miss_or_repeat_nothing(self):
        now = time.time()
        for number in range(250):
            self.collector.send(segment(trace_id(number, int(now)), 1, start=now - number // 2))
        request = {'StartTime': now - 60, 'EndTime': now + 60}
        sizes, seen = [], []
        while True:
            reply = self.collector.ask('/TraceSummaries', request)
            sizes.append(len(reply['TraceSummaries']))
            seen += [(-item['StartTime'], item['Id']) for item in reply['TraceSummaries']]
            if 'NextToken' not in reply:
                break
            # One that arrives while pages are turned moves none of the others.
            self.collector.send(segment(trace_id(9999 + len(sizes), int(now)), 1, start=now + 1))
            request['NextToken'] = reply['NextToken']
        self.assertEqual(sizes, [100, 100, 50])
        self.assertEqual(len(set(seen)), 250)
        self.assertEqual(seen, sorted(seen))

    def test_a_token_of_another_question_is_refused(self):
        now = int(time.time())
        for number in range(101):
            self.collector.send(segment(trace_id(number), 1))
        request = {'StartTime': now - 60, 'EndTime': now + 60}
        token = self.collector.ask('/TraceSummaries', request)['NextToken']
        for changed in ({'NextToken': token, 'EndTime': now + 61}, {'NextToken': 'x'},
                        {'NextToken': token[:-1] + 'x'}):
            status, _, reply = self.collector.call('/TraceSummaries', {**request, **changed})
            self.assertEqual(status, 400)
            self.assertIn('NextToken', reply['Message'])

    def test_the_last_second_is_meant_whole(self):
        now = int(time.time())
        self.collector.send(segment(trace_id(1, now), 1))
        self.assertEqual(len(self.collector.summaries(StartTime=now - 1, EndTime=now,
                                                      TimeRangeType='TraceId')), 1)
        self.assertEqual(len(self.collector.summaries(StartTime=now - 2, EndTime=now - 1,
                                                      TimeRangeType='TraceId')), 0)

    def test_the_kind_of_time_range_matters(self):
        epoch = int(time.time()) - 100
        self.collector.send(segment(trace_id(1, epoch), 1, start=epoch + 10.5, duration=10))
        for kind, start, count in (('TraceId', epoch, 1), ('TraceId', epoch + 10, 0),
                                   ('Event', epoch, 0), ('Event', epoch + 15, 1),
                                   ('Service', epoch + 15, 0), ('Service', epoch + 20, 1)):
            found = self.collector.summaries(StartTime=start, EndTime=start + 0.9,
                                             TimeRangeType=kind)
            self.assertEqual(len(found), count, (kind, start - epoch))

    def test_wrong_requests_are_refused_with_the_reason(self):
        good = {'StartTime': 1, 'EndTime': 2}
        for request, word in (({'EndTime': 2}, 'StartTime'), ({'StartTime': 1}, 'EndTime'),
                              ({'StartTime': 3, 'EndTime': 2}, 'after'),
                              ({**good, 'TimeRangeType': 'Moon'}, 'TimeRangeType'),
                              ({**good, 'FilterExpression': 'ok)'},
                               "Invalid filter expression: unexpected ')' at 2"),
                              ({**good, 'FilterExpression': 1}, 'must be a string'),
                              ({**good, 'SamplingStrategy': {'Name': 'Moon'}}, 'SamplingStrategy'),
                              ({**good, 'NextToken': 'x'}, 'NextToken')):
            status, headers, reply = self.collector.call('/TraceSummaries', request)
            self.assertEqual(status, 400)
            self.assertEqual(headers['x-amzn-ErrorType'], 'InvalidRequestException')
            self.assertIn(word, reply['Message'])


class Http(Case):
    def test_every_reply_has_a_request_id_and_a_type(self):
        seen = set()
        for method, path in (('POST', '/Traces'), ('POST', '/nowhere'), ('GET', '/Traces')):
            _, headers, _ = self.collector.request(method, path, b'{}' * (method == 'POST'))
            self.assertEqual(headers['Content-Type'], 'application/json')
            seen.add(headers['x-amzn-RequestId'])
        self.assertEqual(len(seen), 3)

    def test_the_first_page_says_what_this_is(self):
        status, headers, body = self.collector.request('GET', '/')
        self.assertEqual(status, 200)
        self.assertEqual(headers['Content-Type'], 'text/plain; charset=utf-8')
        self.assertIn(b'a local X-Ray', body)

    def test_unknown_paths_and_methods_are_told_so(self):
        self.assertEqual(self.collector.call('/nowhere', {})[0], 404)
        self.assertEqual(self.collector.request('DELETE', '/')[0], 405)
        status, headers, _ = self.collector.request('GET', '/TraceSummaries')
        self.assertEqual((status, headers['Allow']), (405, 'POST'))

    def test_telemetry_is_taken(self):
        self.assertEqual(self.collector.ask('/TelemetryRecords', {'TelemetryRecords': []}), {})

    def test_a_body_that_is_no_object_is_a_serialization_error(self):
        for body in (b'[]', b'{', b'"x"', b'\xff', b'[' * 5000, b'{}\0'):
            status, headers, _ = self.collector.request('POST', '/Traces', body)
            self.assertEqual((status, headers['x-amzn-ErrorType']), (400, 'SerializationException'))

    def test_a_page_of_another_site_is_refused(self):
        for headers in ({'Host': 'evil.example'}, {'Host': 'evil.example:2000'},
                        {'Host': 'localhost.evil.example'}, {'Origin': 'http://evil.example'},
                        {'Origin': 'null'}, {'Sec-Fetch-Site': 'cross-site'},
                        {'Sec-Fetch-Site': 'same-site'}, {'Host': '[::1'}):
            status, _, reply = self.collector.request('POST', '/TraceSegments', b'{}', headers)
            self.assertEqual(status, 403, headers)
            self.assertIn('Message', json.loads(reply))
        for headers in ({'Host': 'localhost'}, {'Host': 'LOCALHOST:1'}, {'Host': '[::1]:2000'},
                        {'Host': '127.0.0.1:5', 'Origin': 'http://localhost:8080'}):
            self.assertEqual(self.collector.request('POST', '/TelemetryRecords', b'{}', headers)[0],
                             200, headers)

    def test_a_body_over_five_mebibytes_is_refused(self):
        connection = http.client.HTTPConnection('127.0.0.1', self.collector.port, timeout=LONG)
        self.addCleanup(connection.close)
        connection.putrequest('POST', '/TraceSegments')
        connection.putheader('Content-Length', str(5 * 1024 * 1024 + 1))
        connection.endheaders()
        self.assertEqual(connection.getresponse().status, 413)

    def test_a_chunked_body_over_five_mebibytes_is_refused(self):
        chunks = (b'x' * 65536 for _ in range(81))
        status, _, _ = self.collector.request('POST', '/TraceSegments', chunks)
        self.assertEqual(status, 413)

    def test_a_body_just_under_the_limit_is_read(self):
        trace = trace_id()
        texts = [json.dumps(segment(trace, n, metadata={'n': {'x': 'x' * 1000000}}))
                 for n in range(5)]
        self.assertEqual(self.collector.put(*texts), [])
        self.assertEqual(len(self.collector.trace(trace)), 5)

    def test_a_body_compressed_in_another_way_than_gzip_is_refused(self):
        status, _, _ = self.collector.request('POST', '/Traces', b'x', {'Content-Encoding': 'br'})
        self.assertEqual(status, 415)

    def test_a_client_that_sends_half_a_request_keeps_nobody_waiting(self):
        with socket.create_connection(('127.0.0.1', self.collector.port)) as slow:
            slow.sendall(b'POST /Traces HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{')
            self.assertEqual(self.collector.ask('/TelemetryRecords', {}), {})

    def test_one_connection_carries_many_requests(self):
        connection = http.client.HTTPConnection('127.0.0.1', self.collector.port, timeout=LONG)
        self.addCleanup(connection.close)
        for _ in range(50):
            connection.request('POST', '/TelemetryRecords', b'{}')
            self.assertEqual(connection.getresponse().read(), b'{}')


if __name__ == '__main__':
    sys.exit(unittest.main())
