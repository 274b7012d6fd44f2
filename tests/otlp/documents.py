# SPDX-License-Identifier: Apache-2.0
"""Random segment documents, and the converter as a process."""
import json
import os
import subprocess
from decimal import Decimal

CONVERT = os.environ['OTLP_CONVERT']


def run(*arguments, data=b''):
    if isinstance(data, str):
        data = data.encode()
    result = subprocess.run([CONVERT, *arguments], input=data, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, timeout=60)
    if result.returncode != 0 or result.stderr:
        raise AssertionError(f'{arguments}: {result.stdout[-300:]} {result.stderr[-300:]}')
    return result.stdout


def load(text):
    return json.loads(text, parse_float=Decimal)


def documents(data, *options, kind='protobuf'):
    """What a request becomes, each document as an object."""
    return [load(line) for line in run('read', kind, *options, data=data).decode().split('\n') if line]


def flat(document, parent=None, trace=None):
    """A document as one for each of its entities, as reading spans gives them."""
    entity = {key: value for key, value in document.items() if key != 'subsegments'}
    if parent:
        entity.update(type='subsegment', parent_id=parent, trace_id=trace)
    yield entity
    for child in document.get('subsegments', ()):
        yield from flat(child, entity['id'], entity['trace_id'])


class Random:
    """Documents of all that a round trip keeps."""

    def __init__(self, random):
        self.random = random

    def id(self):
        return '%016x' % self.random.randrange(1, 1 << 64)

    def some(self, members):
        return {key: value for key, value in members.items() if self.random.random() < 0.6}

    def text(self):
        letters = 'abcXYZ019 _-"\\/\n\té😀<>&\u2028'
        return ''.join(self.random.choice(letters) for _ in range(self.random.randrange(1, 12)))

    def word(self):
        return ''.join(self.random.choice('abcdefxyz019_') for _ in range(self.random.randrange(1, 9)))

    def times(self):
        start = 1700000000 * 10**9 + self.random.randrange(10**18)
        end = start + self.random.randrange(10**12)
        return {'start_time': Decimal(start) / 10**9, 'end_time': Decimal(end) / 10**9}

    def scalar(self):
        return self.random.choice([self.text(), self.random.random() < 0.5,
                                   self.random.randrange(-1 << 63, 1 << 63), Decimal('0.1'),
                                   Decimal('1.5E+300'), 0, ''])

    def json(self, depth=0):
        if depth > 3 or self.random.random() < 0.5:
            return self.random.choice([self.scalar(), None, 18446744073709551615])
        if self.random.random() < 0.5:
            return [self.json(depth + 1) for _ in range(self.random.randrange(4))]
        return {self.text(): self.json(depth + 1) for _ in range(self.random.randrange(4))}

    def url(self):
        return self.random.choice([
            'http://h/', 'https://example.com:8443/a/b?c=d&e=f#g', 'http://[::1]:8080/x', '/only/path',
            'http://h', 'http://h:80/x', 'http://ann:pw@h/', 'http://h?q', 'nonsense', 'http://:80/'])

    def http(self):
        request = self.some({
            'method': 'GET', 'url': self.url(), 'user_agent': self.text(),
            'client_ip': self.random.choice(['203.0.113.7', '::1']), 'x_forwarded_for': True,
            'traced': True})
        response = self.some({'status': self.random.choice([200, 302, 404, 429, 500, 503]),
                              'content_length': self.random.randrange(1 << 40)})
        if 'client_ip' not in request:
            request.pop('x_forwarded_for', None)
        block = {'request': request, 'response': response}
        return {key: value for key, value in block.items() if value}

    def exception(self, cause):
        stack = [self.some({'path': self.text(), 'line': self.random.randrange(1000)}) |
                 {'label': self.text()} for _ in range(self.random.randrange(4))]
        exception = {'id': self.id(), 'message': self.text(), **self.some({
            'type': self.word(), 'remote': True, 'truncated': 3, 'skipped': 2})}
        if stack:
            exception['stack'] = stack
        if cause:
            exception['cause'] = cause
        return exception

    def cause(self):
        exceptions, last = [], None
        for _ in range(self.random.randrange(1, 4)):
            exceptions.append(self.exception(last))
            last = self.random.choice([exceptions[-1]['id'], None])
        return {'exceptions': exceptions}

    def sql(self):
        place = self.random.choice([
            {'url': 'postgresql://db:5432/orders'}, {'url': 'odd'}, {'url': 'mysql://db/a/b?c'}, {},
            {'connection_string': 'Server=db;Database=x'}, {'connection_string': 'oracle://db/x'},
            {'url': 'sqlite://localhost/f.db', 'connection_string': 'f.db'}])
        return {**place, 'database_type': self.random.choice(['PostgreSQL', 'mysql', 'Cassandra']),
                **self.some({'user': 'ann', 'sanitized_query': self.text(), 'driver_version': '7',
                             'database_version': '15.4', 'preparation': 'statement'})}

    def common(self):
        members = {'http': self.http(), 'annotations': {self.word(): self.scalar() for _ in range(3)},
                   'metadata': {self.random.choice(['default', self.text()]):
                                {self.text(): self.json()} for _ in range(2)},
                   'user': self.word(), 'traced': True,
                   'precursor_ids': [self.id(), self.id()],
                   'links': [{'trace_id': '1-5759e988-%024x' % self.random.randrange(1 << 96),
                              'id': self.id(), 'attributes': {self.word(): self.scalar()}}]}
        members = {key: value for key, value in self.some(members).items() if value}
        members.update(self.random.choice([{}, {'fault': True}, {'error': True},
                                           {'error': True, 'throttle': True},
                                           {'fault': True, 'error': True}]))
        if self.random.random() < 0.4:
            members['cause'] = self.random.choice([self.cause(), self.id()])
        return members

    def subsegment(self, depth=0):
        members = {'id': self.id(), 'name': self.word(), **self.times(), **self.common()}
        kind = self.random.choice([None, 'aws', 'remote'])
        if kind:
            members['namespace'] = kind
        if kind == 'aws':
            members['aws'] = self.some({
                'account_id': '123456789012', 'region': 'eu-west-1', 'request_id': 'R',
                'queue_url': 'https://q', 'table_name': 't', 'retries': 2, 'table_names': ['a', 'b'],
                'bucket_name': 'b', 'parts': [1, {'n': 18446744073709551615}]}) | {'operation': 'Get'}
        if kind == 'remote' and self.random.random() < 0.5:
            members['sql'] = self.sql()
        if depth < 3 and self.random.random() < 0.5:
            members['subsegments'] = [self.subsegment(depth + 1) for _ in range(2)]
        return members

    def resource(self):
        sdk = self.random.choice(['X-Ray for C', 'X-Ray for Java', 'other'])
        aws = self.some({
            'account_id': '123456789012',
            'ec2': {'instance_id': 'i-1', 'availability_zone': 'eu-west-1a', 'ami_id': 'a',
                    'instance_size': 't3'},
            'ecs': {'container': 'c', 'container_arn': 'arn:c', 'task_arn': 'arn:t',
                    'cluster_arn': 'arn:k', 'task_family': 'f', 'launch_type': 'FARGATE'},
            'cloudwatch_logs': [{'log_group': 'g', 'arn': 'arn:g'}, {'log_group': 'h'}],
            'xray': {'sdk': sdk, 'sdk_version': '3.1', **self.some({
                'auto_instrumentation': True, 'sampling_rule_name': 'r'})}})
        compiler = aws.get('xray', {}).get('sdk') == 'X-Ray for C'
        members = self.some({
            'origin': self.random.choice(['AWS::EC2::Instance', 'AWS::ECS::Container', 'AWS::Lambda',
                                          'AWS::ECS::Fargate', 'mine']),
            'resource_arn': 'arn:x',
            'service': {'version': '2', **({'compiler': 'gcc', 'compiler_version': '12'} if compiler
                                           else {'runtime': 'CPython', 'runtime_version': '3'})}})
        if aws:
            members['aws'] = aws
        return members

    def segment(self):
        members = {'id': self.id(), 'trace_id': '1-5759e988-%024x' % self.random.randrange(1 << 96),
                   'name': self.word(), **self.times(), **self.common(), **self.resource()}
        if self.random.random() < 0.5:
            members['parent_id'] = self.id()
        if self.random.random() < 0.7:
            members['subsegments'] = [self.subsegment() for _ in range(self.random.randrange(1, 4))]
        return members


def dump(document):
    """JSON with decimals as they are."""
    if isinstance(document, dict):
        return '{' + ','.join(f'{json.dumps(key)}:{dump(value)}'
                              for key, value in document.items()) + '}'
    if isinstance(document, list):
        return '[' + ','.join(map(dump, document)) + ']'
    return str(document) if isinstance(document, Decimal) else json.dumps(document)
