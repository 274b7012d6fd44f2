#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The trace groups' filters find what they should, by xraytrace-local's X-Ray."""
import pathlib
import sys
import time

import support

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'local'))

import collector  # noqa: E402

GOOD, SLOW, FAULT, EXPIRED, OTHERS = '1', '2', '3', '4', '5'


class TestGroups(collector.Case):
    @classmethod
    def setUpClass(cls):
        cls.terraform = support.Terraform()
        cls.addClassCleanup(cls.terraform.close)
        groups = cls.terraform.plan(workspace='production').keyed('aws_xray_group.group')
        cls.filters = {name: values['filter_expression'] for name, values in groups.items()}

    def setUp(self):
        super().setUp()
        function = {'origin': 'AWS::Lambda::Function'}
        self.traces = {}
        for kind, name, members in (
                (GOOD, 'MediaDownloader/prod', {'origin': 'AWS::ApiGateway::Stage'}),
                (SLOW, 'StartFileUpload', {**function, 'duration': 400.0}),
                (FAULT, 'FileCoordinator', {**function, 'fault': True}),
                (EXPIRED, 'MediaDownloader/prod', {'error': True}),
                (OTHERS, 'Elsewhere', {'fault': True})):
            trace = collector.trace_id(int(kind))
            start = time.time() - 500
            self.collector.put(collector.segment(trace, int(kind), name, start, **members))
            self.traces[trace] = kind

    def found_by(self, group):
        return sorted(self.traces[summary['Id']] for summary
                      in self.collector.summaries(FilterExpression=self.filters[group]))

    def test_all_are_those_of_the_pipeline(self):
        self.assertEqual(self.found_by('all'), [GOOD, SLOW, FAULT, EXPIRED])

    def test_faults_are_not_the_clients_errors(self):
        self.assertEqual(self.found_by('faults'), [FAULT])

    def test_a_failed_download_is_a_fault_though_its_webhook_was_answered(self):
        trace, start = collector.trace_id(6), time.time() - 500
        self.collector.put(collector.segment(trace, 6, 'MediaDownloader/prod', start,
                                             origin='AWS::ApiGateway::Stage'))
        self.collector.put(collector.segment(trace, 7, 'StartFileUpload', start, fault=True,
                                             origin='AWS::Lambda::Function', parent_id='%016x' % 6))
        self.traces[trace] = 'failed download'
        self.assertEqual(self.found_by('faults'), [FAULT, 'failed download'])

    def test_slow_ones_are_long_downloads(self):
        self.assertEqual(self.found_by('slow'), [SLOW])


if __name__ == '__main__':
    support.require_schema_provider()
    support.main()
