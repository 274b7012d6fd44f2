#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The times of subsegments are those at which it happened: a slow yt-dlp and a slow S3 keep books.

Each event is noted by the peer itself, by the same clock, and compared with what the trace says.
A busy machine makes some of them late; a mistake of ours would be in all, so the closest counts.
"""
import os

import support
from between import Between
from support import expectations, pipeline

TOLERANCE = 0.005  # seconds
ROUNDING = 0.0001  # of the times in documents and books, as floating point numbers
BEFORE, AFTER = 0.4, 0.25  # what yt-dlp takes longer
PART = 0.15  # what each call of S3 takes longer
DELIVERIES = 3

SLOW_YT_DLP = '''#!/bin/bash
began=$EPOCHREALTIME
sleep {before}
"{program}" "$@"
code=$?
sleep {after}
echo "$began $EPOCHREALTIME" >>"{books}"
exit $code
'''


class Timing(support.EngineTest):
    @classmethod
    def setUpClass(cls):
        work = support.directory(cls.__name__)
        cls.books = os.path.join(work, 'yt-dlp-times')
        slow = os.path.join(work, 'slow-yt-dlp')
        with open(slow, 'w', encoding='utf-8') as script:
            script.write(SLOW_YT_DLP.format(before=BEFORE, after=AFTER, books=cls.books,
                                            program=os.path.join(support.VENV, 'bin', 'yt-dlp')))
        os.chmod(slow, 0o755)
        if os.path.exists(cls.books):
            os.unlink(cls.books)
        cls.s3 = Between(PART)
        cls.addClassCleanup(cls.s3.stop)
        cls.collector = pipeline.Collector(support.BUILD, work, 0)
        cls.addClassCleanup(cls.collector.stop)
        cls.options = ('--yt-dlp', slow,
                       '--env', f'AWS_ENDPOINT_URL_S3=http://127.0.0.1:{cls.s3.server_port}')
        cls.engine = support.start_engine(cls.__name__, *cls.options,
                                          xray=f'127.0.0.1:{cls.collector.port}')
        cls.addClassCleanup(cls.engine.stop)
        cls.s3.target = cls.engine.at['moto'].split('//')[1]
        cls.traces = [cls.deliver(cls, number) for number in range(DELIVERIES)]

    def deliver(self, number):
        """One after the other, so that all books are in the same order. The whole trace."""
        url = self.engine.at['video'] + f'?timing-{number}'
        reply = self.engine.post_webhook(url)
        trace_id = reply.headers['X-Amzn-Trace-Id'].split('Root=')[1].split(';')[0]

        def functions():
            return [node for node in self.collector.trace(trace_id).find(
                'StartFileUpload', 'AWS::Lambda::Function') if not node.get('in_progress')]

        pipeline.wait_until(functions, support.DOWNLOAD_TIMEOUT, 0.1)
        return self.collector.trace(trace_id)

    def yt_dlp_times(self):
        with open(self.books, encoding='utf-8') as books:
            return [tuple(float(word) for word in line.split()) for line in books]

    def assert_close(self, what, recorded, true):
        """The closest of all; [(start, end)] as the trace has them, and as they were."""
        self.assertEqual(len(recorded), len(true))
        self.assertGreaterEqual(len(recorded), DELIVERIES)
        for mine, its in zip(recorded, true):
            self.assertLessEqual(mine[0], its[0] + ROUNDING, 'it began before the peer was there')
            self.assertGreaterEqual(mine[1], its[1] - ROUNDING, 'it ended after the peer was gone')
        for name, side in (('start', 0), ('end', 1)):
            differences = sorted(abs(mine[side] - its[side])
                                 for mine, its in zip(recorded, true))
            shown = ' '.join(f'{1000 * difference:.1f}' for difference in differences)
            print(f'{what}, {name}: off by {shown} ms')
            self.assertLessEqual(differences[0], TOLERANCE)

    def nodes(self, find):
        return [(node['start_time'], node['end_time'])
                for trace in self.traces
                for node in sorted(find(trace), key=lambda node: node['start_time'])]

    def test_the_description_by_yt_dlp_takes_as_long_as_it_took(self):
        self.assert_close('yt-dlp metadata', self.nodes(lambda trace: trace.find('yt-dlp metadata')),
                          self.yt_dlp_times()[0::2])

    def test_the_download_by_yt_dlp_takes_as_long_as_it_took(self):
        self.assert_close('yt-dlp download', self.nodes(lambda trace: trace.find('yt-dlp download')),
                          self.yt_dlp_times()[1::2])

    def test_each_part_of_the_upload_takes_as_long_as_it_took(self):
        parts = self.nodes(lambda trace: trace.find('S3', operation='UploadPart'))
        self.assert_close('S3 UploadPart', parts,
                          [book[1:] for book in self.s3.books if book[0] == 'UploadPart'])
        for start, end in parts:
            self.assertGreaterEqual(end - start, PART)

    def test_the_function_takes_as_long_as_what_it_did(self):
        for trace in self.traces:
            [function] = trace.find('StartFileUpload')  # ours: Lambda's have an origin
            inside = [node for node in trace.nodes.values() if node['parent'] == function['id']]
            self.assertGreater(len(inside), 5)
            self.assertLessEqual(function['start_time'], min(node['start_time'] for node in inside))
            self.assertGreaterEqual(function['end_time'], max(node['end_time'] for node in inside))

    def test_the_traces_are_whole(self):
        for trace in self.traces:
            self.assertEqual(trace.unfinished(), [])
            self.assertEqual(expectations.structure_problems(trace), [])


if __name__ == '__main__':
    support.main()
