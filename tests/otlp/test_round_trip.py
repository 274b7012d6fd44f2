#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Documents that became spans become the same documents again, but for what is listed here."""
import os
import random
import unittest
from decimal import Decimal
from pathlib import Path

from documents import Random, documents, dump, flat, load, run

GOLDEN = Path(os.environ['GOLDEN'])
COUNT = 200


def sorted_exceptions(entity):
    """Spans have the root cause last; documents may have it anywhere."""
    cause = entity.get('cause')
    if isinstance(cause, dict):
        entity = {**entity, 'cause': {**cause, 'exceptions': sorted(
            cause.get('exceptions', ()), key=lambda exception: exception['id'])}}
    return entity


class RoundTrip(unittest.TestCase):
    maxDiff = None

    def check(self, document, kind, *options):
        request = run('write', kind, *options, data=dump(document))
        found = {entity['id']: sorted_exceptions(entity) for entity in documents(request, kind=kind)}
        expected = {entity['id']: sorted_exceptions(entity) for entity in flat(document)}
        self.assertEqual(list(found), list(expected))
        for name, entity in expected.items():
            self.assertEqual(found[name], entity, dump(document))

    def test_of_random_documents_nothing_differs(self):
        generator = Random(random.Random(42))
        for number in range(COUNT):
            self.check(generator.segment(), ('json', 'protobuf')[number % 2])

    def test_of_random_subsegments_that_were_sent_alone_nothing_differs(self):
        generator = Random(random.Random(43))
        for number in range(COUNT // 4):
            document = generator.subsegment()
            document.update(trace_id='1-5759e988-%024x' % 5, parent_id=generator.id(),
                            type='subsegment')
            self.check(document, ('json', 'protobuf')[number % 2])

    def test_of_the_golden_documents_nothing_differs(self):
        files = sorted(GOLDEN.glob('*.json'))
        self.assertGreater(len(files), 30)
        for path in files:
            for line in path.read_text().splitlines():
                document = load(line)
                if document.get('in_progress') or path.name in ('annotations.json', 'names.json'):
                    continue  # among the losses
                with self.subTest(path=path.name):
                    self.check(document, 'protobuf')

    def test_all_documents_of_a_request_come_back_whatever_their_resource(self):
        generator = Random(random.Random(44))
        some = [generator.segment() for _ in range(20)]
        request = run('write', 'protobuf', data='\n'.join(map(dump, some)))
        found = {entity['id'] for entity in documents(request)}
        self.assertEqual(found, {entity['id'] for document in some for entity in flat(document)})


class Losses(unittest.TestCase):
    """All that a round trip changes, each as it is before and after; None is nothing."""

    maxDiff = None
    BASE = {'id': '53995c3f42cd8ad8', 'trace_id': '1-5759e988-bd862e3fe1be46a994272793', 'name': 's',
            'start_time': Decimal(1), 'end_time': Decimal(2)}

    def lose(self, before, after, subsegment=False):
        base = dict(self.BASE)
        if subsegment:
            base.update(type='subsegment', parent_id='00000000000000aa')
        found, = documents(run('write', 'protobuf', data=dump({**base, **before})))
        expected = {**base, **after}
        self.assertEqual(found, expected)

    def test_names_lose_what_x_ray_does_not_take(self):
        self.lose({'name': 'a(b)'}, {'name': 'ab', 'metadata': {'default': {
            'otel.span.name': 'a(b)', 'otel.resource.service.name': 'a(b)'}}})

    def test_namespaces_other_than_aws_and_remote_go(self):
        self.lose({'namespace': 'local'}, {}, subsegment=True)

    def test_integers_of_more_than_63_bits_become_doubles_among_annotations(self):
        self.lose({'annotations': {'n': 18446744073709551615}},
                  {'annotations': {'n': Decimal('1.8446744073709552e+19')}})

    def test_annotations_that_are_no_scalars_go(self):
        self.lose({'annotations': {'a': [1], 'b': None, 'c': 1}}, {'annotations': {'c': 1}})

    def test_an_annotation_that_would_say_what_becomes_of_the_span_goes(self):
        self.lose({'annotations': {'aws.span.kind': 'LOCAL_ROOT', 'c': 1}}, {'annotations': {'c': 1}})

    def test_of_a_cause_only_the_exceptions_stay(self):
        self.lose({'cause': {'working_directory': '/', 'paths': [], 'exceptions': [
            {'id': '00000000000000aa', 'message': 'm'}]}},
                  {'cause': {'exceptions': [{'id': '00000000000000aa', 'message': 'm'}]}})

    def test_a_single_table_name_in_a_list_is_no_list(self):
        self.lose({'namespace': 'aws', 'aws': {'table_names': ['t']}},
                  {'namespace': 'aws', 'aws': {'table_name': 't'}}, subsegment=True)

    def test_the_name_of_a_rule_has_one_name(self):
        self.lose({'aws': {'xray': {'rule_name': 'r'}}}, {'aws': {'xray': {'sampling_rule_name': 'r'}}})

    def test_a_compiler_of_another_sdk_is_a_runtime(self):
        self.lose({'service': {'compiler': 'gcc', 'compiler_version': '12'}},
                  {'service': {'runtime': 'gcc', 'runtime_version': '12'}})

    def test_a_version_of_elastic_beanstalk_is_one_of_the_service_too(self):
        block = {'environment_name': 'e', 'version_label': 'v', 'deployment_id': 3}
        origin = 'AWS::ElasticBeanstalk::Environment'
        self.lose({'origin': origin, 'aws': {'elastic_beanstalk': block}},
                  {'origin': origin, 'service': {'version': 'v'}, 'aws': {'elastic_beanstalk': block}})

    def test_unknown_members_go(self):
        self.lose({'surprise': 1, 'http': {'request': {'method': 'GET', 'odd': 1}}},
                  {'http': {'request': {'method': 'GET'}}})

    def test_what_is_in_progress_goes_and_what_has_ended_in_it_stays(self):
        child = {'id': '00000000000000cc', 'name': 'c', 'start_time': 1, 'end_time': 2}
        document = {**self.BASE, 'in_progress': True, 'subsegments': [child]}
        del document['end_time']
        found = documents(run('write', 'protobuf', data=dump(document)))
        self.assertEqual([entity['name'] for entity in found], ['c'])
        self.assertEqual(found[0]['parent_id'], document['id'])
        first, _ = documents(run('write', 'protobuf', 'progress', data=dump(document)))
        self.assertEqual((first['in_progress'], 'end_time' in first), (True, False))


if __name__ == '__main__':
    unittest.main()
