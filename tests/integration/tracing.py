#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tracing never changes the result: neither when it is off, nor when X-Ray ends half-way."""
import os
import signal

import support
from support import expectations, pipeline


class Delivery(support.EngineTest):
    """Without a collector of its own: the base of the others."""

    collector = None

    @classmethod
    def setUpClass(cls):
        work = support.directory(cls.__name__)
        cls.collector = pipeline.Collector(support.BUILD, work, 0)
        cls.addClassCleanup(cls.collector.stop)
        cls.listener = support.Listener(cls.collector.port)
        cls.addClassCleanup(cls.listener.stop)
        cls.engine = support.start_engine(cls.__name__, *cls.options,
                                          xray=f'127.0.0.1:{cls.listener.port}',
                                          environment=cls.environment)
        cls.addClassCleanup(cls.engine.stop)

    def trace_of(self, reply):
        header = reply.headers['X-Amzn-Trace-Id']
        return header.split('Root=')[1].split(';')[0]

    def deliver(self, during_download=lambda: None):
        """The whole way; gives the trace id of the webhook."""
        url = self.video_url()
        self.register_device()
        reply = self.engine.post_webhook(url)
        self.assert_answer(reply, 202, 'Initiated')
        self.wait_for_status(url, 'Downloading', 'Downloaded')
        during_download()
        file = self.wait_for_push(url)[0]['payload']['file']
        listed = self.engine.call('GET', '/files', token=self.engine.at['apiToken'])
        self.assert_answer(listed, 200, file['url'])
        stored = pipeline.request('GET', file['url'])
        self.assertEqual((stored.status, len(stored.body)), (200, file['size']))
        self.assertEqual(self.file(url)['status'], 'Downloaded')
        return self.trace_of(reply)


class On(Delivery):
    def test_the_trace_is_whole(self):
        trace_id = self.deliver()
        pipeline.wait_until(
            lambda: not expectations.missing_in_webhook_trace(self.collector.trace(trace_id)), 20)
        trace = self.collector.trace(trace_id)
        self.assertEqual(expectations.missing_in_webhook_trace(trace), [])
        self.listener.check(self)

    def test_an_unsampled_request_sends_nothing(self):
        root = '1-5759e988-bd862e3fe1be46a994272793'
        reply = self.engine.call('GET', '/files', token=self.engine.at['apiToken'],
                                 headers={'X-Amzn-Trace-Id': f'Root={root};Sampled=0'})
        self.assert_answer(reply, 200)
        # Another one after it: what the first one sent would be there before that.
        sampled = self.engine.call('GET', '/files', token=self.engine.at['apiToken'])
        self.assertTrue(pipeline.wait_until(
            lambda: self.collector.trace(self.trace_of(sampled)).find('ListFiles', 'AWS::Lambda'),
            20))
        self.assertEqual(self.collector.trace(root).nodes, {})

    def test_the_callers_segment_is_the_parent_of_the_stage(self):
        root, parent = '1-5759e988-bd862e3fe1be46a994272794', '53995c3f42cd8ad8'
        self.engine.call('GET', '/files', token=self.engine.at['apiToken'],
                         headers={'X-Amzn-Trace-Id': f'Root={root};Parent={parent};Sampled=1'})
        stages = pipeline.wait_until(
            lambda: self.collector.trace(root).find('MediaDownloader/prod',
                                                    'AWS::ApiGateway::Stage'), 20)
        self.assertEqual([stage['parent'] for stage in stages], [parent])

    def test_what_nobody_knows_in_the_header_reaches_the_last_call(self):
        url = self.video_url('lineage')
        self.register_device()
        root, lineage = '1-5759e988-bd862e3fe1be46a994272795', 'Lineage=1:a87bd80c:0|68fd508a:5'
        reply = self.engine.post_webhook(
            url, headers={'X-Amzn-Trace-Id': f'Root={root};Sampled=1;{lineage}'})
        self.assert_answer(reply, 202)
        header = self.wait_for_push(url)[0]['traceHeader']
        self.assertIn(f'Root={root};', header)
        self.assertIn(lineage, header)

    def list_files(self):
        """The trace of a request, once Lambda's segment of ListFiles is whole."""
        reply = self.engine.call('GET', '/files', token=self.engine.at['apiToken'])
        trace_id = self.trace_of(reply)

        def ended():
            return [node for node in self.collector.trace(trace_id).find(
                'ListFiles', 'AWS::Lambda::Function') if not node.get('in_progress')]

        self.assertTrue(pipeline.wait_until(ended, 20))
        return self.collector.trace(trace_id)

    def begin_cold(self):
        for environment in self.engine.environments():
            if environment['function'] == 'ListFiles':
                os.kill(environment['pid'], signal.SIGKILL)
        pipeline.wait_until(lambda: not any(environment['function'] == 'ListFiles'
                                            for environment in self.engine.environments()), 20)

    def below(self, trace, name):
        """What is directly below Lambda's segment of ListFiles and has this name."""
        [function] = trace.find('ListFiles', 'AWS::Lambda::Function')
        return [node for node in trace.find(name) if node['parent'] == function['id']]

    def test_a_cold_start_is_in_the_trace_and_a_warm_one_has_none(self):
        self.begin_cold()
        [cold] = self.below(self.list_files(), 'Initialization')
        self.assertGreater(cold['end_time'], cold['start_time'])
        warm = self.list_files()
        self.assertEqual(self.below(warm, 'Initialization') + self.below(warm, 'bootstrap'), [])

    def test_initialization_is_over_before_the_invocation_begins(self):
        self.begin_cold()
        trace = self.list_files()
        [init] = self.below(trace, 'Initialization')
        [own] = self.below(trace, 'bootstrap')
        [invocation] = self.below(trace, 'Invocation')
        [handler] = self.below(trace, 'ListFiles')
        moments = [init['start_time'], own['start_time'], own['end_time'], init['end_time'],
                   invocation['start_time'], handler['start_time'], handler['end_time'],
                   invocation['end_time']]
        self.assertEqual(moments, sorted(moments))
        self.assertTrue(handler['annotations']['coldstart'])

    def test_an_error_of_a_function_is_the_fault_of_its_segments_with_the_cause(self):
        root = '1-5759e988-bd862e3fe1be46a994272796'
        reply = self.invoke('StartFileUpload', b'{}',
                            headers={'X-Amzn-Trace-Id': f'Root={root};Sampled=1'})
        self.assert_answer(reply, 200, 'errorType')

        def segments():
            trace = self.collector.trace(root)
            found = [trace.find('StartFileUpload', origin)
                     for origin in ('AWS::Lambda', 'AWS::Lambda::Function')]
            return all(found) and found

        for nodes in pipeline.wait_until(segments, 20):
            self.assertTrue(nodes[0]['fault'])
            self.assertEqual(nodes[0]['cause']['exceptions'][0]['type'], reply.json()['errorType'])

    def test_a_refusal_is_an_error_of_the_stage_and_a_fault_of_nobody_else(self):
        reply = self.engine.call('GET', '/files')
        self.assert_answer(reply, 401)
        stages = pipeline.wait_until(
            lambda: self.collector.trace(self.trace_of(reply)).find(
                'MediaDownloader/prod', 'AWS::ApiGateway::Stage'), 20)
        self.assertTrue(stages[0].get('error'))
        self.assertFalse(stages[0].get('fault'))


class KilledHalfWay(Delivery):
    options = ('--media-rate', '4000')

    def test_the_video_and_the_push_arrive(self):
        self.deliver(self.collector.child.kill)
        self.assertFalse(self.collector.child.runs())


class Off(Delivery):
    environment = {'AWS_XRAY_SDK_DISABLED': 'true'}

    def test_the_results_are_the_same_and_the_functions_send_nothing(self):
        trace_id = self.deliver()
        trace = pipeline.wait_until(lambda: self.collector.trace(trace_id), 20)
        self.assertTrue(trace.find('WebhookFeedly', 'AWS::Lambda::Function'))
        self.assertEqual(trace.find('DynamoDB'), [])
        self.assertEqual(trace.find('yt-dlp download'), [])


del Delivery  # has no tests of its own

if __name__ == '__main__':
    support.main()
