#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Our protobuf against protoc, which knows the messages from their description alone."""
import base64
import json
import os
import random
import re
import subprocess
import unittest
from pathlib import Path

from documents import Random, documents, dump, run

PROTOC = os.environ['PROTOC']
HERE = Path(__file__).parent
LISTS = {'resource_spans', 'scope_spans', 'spans', 'attributes', 'events', 'links', 'values'}
TOKEN = re.compile(r'\s*([{}]|[A-Za-z_][A-Za-z0-9_]*:?|"(?:[^"\\]|\\.)*"|-?[0-9.][^\s]*|-?(?:inf|nan))')


def protoc(mode, message, data):
    return subprocess.run([PROTOC, f'--{mode}={message}', f'--proto_path={HERE}', 'trace.proto'],
                          input=data, check=True, stdout=subprocess.PIPE, timeout=60).stdout


def text_of(token):
    """The bytes of a string in the text form."""
    plain = {'n': b'\n', 'r': b'\r', 't': b'\t', '"': b'"', "'": b"'", '\\': b'\\'}
    result, rest = b'', token[1:-1]
    while rest:
        escape = re.match(r'\\(?:([0-7]{1,3})|(.))', rest)
        if escape:
            result += bytes([int(escape[1], 8)]) if escape[1] else plain[escape[2]]
            rest = rest[escape.end():]
        else:
            result += rest[0].encode()
            rest = rest[1:]
    return result


def parse(tokens):
    """protoc's text form as objects, up to the end or a brace."""
    result = {}
    for token in tokens:
        if token == '}':
            break
        name = token.rstrip(':')
        if not token.endswith(':'):
            assert next(tokens) == '{'
            value = parse(tokens)
        else:
            value = next(tokens)
        if name in LISTS:
            result.setdefault(name, []).append(value)
        else:
            assert name not in result, name
            result[name] = value
    return result


def decoded(data, message='Request'):
    return parse(iter(TOKEN.findall(protoc('decode', message, data).decode())))


def camel(name):
    return re.sub('_(.)', lambda match: match[1].upper(), name)


def as_json(value, name=''):
    """The same in OTLP's JSON form, with what is left out at its default left out."""
    if isinstance(value, dict):
        return {camel(key): as_json(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [as_json(item, name) for item in value]
    if value.startswith('"'):
        text = text_of(value)
        return text.hex() if name.endswith('_id') else text.decode()
    if value in ('true', 'false'):
        return value == 'true'
    if name in ('start_time_unix_nano', 'end_time_unix_nano', 'time_unix_nano', 'int_value'):
        return value
    return float(value) if name == 'double_value' else int(value)


def without_empty(value):
    """protoc does not print lists and messages that have nothing in them."""
    if isinstance(value, dict):
        result = {key: without_empty(item) for key, item in value.items()}
        return {key: item for key, item in result.items() if item not in ([], {})}
    return [without_empty(item) for item in value] if isinstance(value, list) else value


class Writing(unittest.TestCase):
    maxDiff = None

    def test_what_protoc_reads_is_what_the_json_says(self):
        generator = Random(random.Random(7))
        for _ in range(60):
            text = dump(generator.segment())
            found = without_empty(as_json(decoded(run('write', 'protobuf', data=text))))
            expected = without_empty(json.loads(run('write', 'json', data=text)))
            self.assertEqual(found, expected)

    def test_every_kind_of_value_has_its_field(self):
        text = dump({'id': '53995c3f42cd8ad8', 'trace_id': '1-5759e988-bd862e3fe1be46a994272793',
                     'name': 's', 'start_time': 1, 'end_time': 2,
                     'annotations': {'s': 'x', 'b': True, 'i': -1, 'd': 0.5}})
        span = decoded(run('write', 'protobuf', data=text))[
            'resource_spans'][0]['scope_spans'][0]['spans'][0]
        values = {text_of(item['key']).decode(): item['value'] for item in span['attributes']}
        self.assertEqual(values['s'], {'string_value': '"x"'})
        self.assertEqual(values['b'], {'bool_value': 'true'})
        self.assertEqual(values['i'], {'int_value': '-1'})
        self.assertEqual(values['d'], {'double_value': '0.5'})
        self.assertEqual(len(values['aws.xray.annotations']['array_value']['values']), 4)


SPAN = r'''
resource_spans {
  scope_spans { spans {
    trace_id: "\127Y\351\210\275\206.?\341\276F\251\224\'\'\223" span_id: "\000\000\000\000\000\000\000\253"
    trace_state: "a=b" parent_span_id: "\000\000\000\000\000\000\000\001" name: "n" kind: 1
    start_time_unix_nano: 1700000000123456789 end_time_unix_nano: 1700000000123456790
    attributes { key: "text" value { string_value: "x" } }
    attributes { key: "truth" value { bool_value: true } }
    attributes { key: "integer" value { int_value: -9223372036854775808 } }
    attributes { key: "double" value { double_value: -0.25 } }
    attributes { key: "infinite" value { double_value: inf } }
    attributes { key: "list" value { array_value { values { int_value: 1 } values { string_value: "y" } } } }
    attributes { key: "map" value { kvlist_value { values { key: "k" value { bool_value: false } } } } }
    attributes { key: "bytes" value { bytes_value: "\000\377" } }
    attributes { key: "none" value { } }
    dropped_attributes_count: 3
    events { time_unix_nano: 5 name: "e" attributes { key: "a" value { int_value: 1 } } }
    links { trace_id: "0123456789abcdef" span_id: "12345678" attributes { key: "l" value { int_value: 2 } } flags: 1 }
    status { message: "bad" code: 2 } flags: 257
  } }
  resource { attributes { key: "service.name" value { string_value: "orders" } } }
  schema_url: "u"
}
'''


class Reading(unittest.TestCase):
    maxDiff = None

    def test_what_protoc_wrote_is_read(self):
        document, = documents(protoc('encode', 'Request', SPAN.encode()))
        self.assertEqual(document['trace_id'], '1-5759e988-bd862e3fe1be46a994272793')
        self.assertEqual((document['id'], document['parent_id']),
                         ('00000000000000ab', '0000000000000001'))
        self.assertEqual((str(document['start_time']), str(document['end_time'])),
                         ('1700000000.123456789', '1700000000.123456790'))
        self.assertTrue(document['fault'])
        self.assertEqual(document['cause']['exceptions'][0]['message'], 'bad')
        self.assertEqual(document['links'], [{
            'trace_id': '1-30313233-343536373839616263646566', 'id': '3132333435363738',
            'attributes': {'l': 2}}])
        metadata = document['metadata']['default']
        self.assertEqual(metadata.pop('otel.events'),
                         [{'name': 'e', 'time_unix_nano': 5, 'attributes': {'a': 1}}])
        self.assertEqual(str(metadata.pop('double')), '-0.25')
        self.assertEqual(metadata, {
            'text': 'x', 'truth': True, 'integer': -9223372036854775808, 'infinite': 'Infinity',
            'list': [1, 'y'], 'map': {'k': False}, 'bytes': base64.b64encode(b'\0\xff').decode(),
            'none': None})

    def test_unknown_fields_of_every_type_are_skipped(self):
        unknown = (b'\xf8\x06\x96\x01' b'\xf9\x06' + bytes(8) + b'\xfd\x06' + bytes(4) +
                   b'\xfa\x06\x03abc' b'\xfb\x06\x08\x01\xfb\x06\xfc\x06\xfc\x06')
        body = protoc('encode', 'Request', SPAN.encode())
        self.assertEqual(documents(unknown + body + unknown), documents(body))

    def test_every_cut_is_refused_or_read_but_never_followed(self):
        body = protoc('encode', 'Request', SPAN.encode())
        for length in range(0, len(body), 7):
            result = subprocess.run([os.environ['OTLP_CONVERT'], 'read', 'protobuf'],
                                    input=body[:length], stdout=subprocess.PIPE, timeout=60)
            self.assertEqual(result.returncode, 1 if length else 0, length)


if __name__ == '__main__':
    unittest.main()
