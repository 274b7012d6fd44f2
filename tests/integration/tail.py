#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""5 % of what ends well and 100 % of what fails: the pipeline before xraytrace-local --tail."""
import support
from support import expectations, pipeline

# A trace is kept by the hash of its id, so that fixed ids make a fixed choice.
ROOT = '1-5759e988-%024x'
WELL, FAILING = 400, 12


class Tail(support.EngineTest):
    @classmethod
    def setUpClass(cls):
        work = support.directory(cls.__name__)
        cls.collector = pipeline.Collector(support.BUILD, work, 0, ('--tail=10', '--tail-rate', '0.05'))
        cls.addClassCleanup(cls.collector.stop)
        cls.engine = support.start_engine(cls.__name__, *cls.options,
                                          xray=f'127.0.0.1:{cls.collector.port}')
        cls.addClassCleanup(cls.engine.stop)

    def header(self, number):
        return {'X-Amzn-Trace-Id': f'Root={ROOT % number};Sampled=1'}

    def status(self):
        url = f'http://127.0.0.1:{self.collector.port}/api/status'
        return pipeline.request('GET', url).json()['tail']

    def test_five_percent_of_the_rest_and_every_failure_are_kept_whole(self):
        for number in range(WELL):
            self.assert_answer(self.engine.call('GET', '/files', token=self.engine.at['apiToken'],
                                                headers=self.header(number)), 200)
        failing = range(WELL, WELL + FAILING)
        for number in failing:
            self.assert_answer(self.invoke('StartFileUpload', b'{}', headers=self.header(number)),
                               200, 'errorType')
        self.assertTrue(pipeline.wait_until(lambda: self.status()['buffered'] == 0, 120), self.status())

        traces = {number: self.collector.trace(ROOT % number) for number in range(WELL + FAILING)}
        kept = [number for number, trace in traces.items() if trace.nodes]
        self.assertEqual([number for number in kept if number >= WELL], list(failing))
        well = [number for number in kept if number < WELL]
        self.assertTrue(0.03 * WELL <= len(well) <= 0.07 * WELL, len(well))
        for number in well:
            self.assertEqual(expectations.missing_in_call_trace(traces[number], 'ListFiles'), [])
        for number in failing:
            self.assertTrue(traces[number].find('StartFileUpload', 'AWS::Lambda::Function')[0]['fault'])


if __name__ == '__main__':
    support.main()
