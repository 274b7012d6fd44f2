#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes aws-schema.json: the arguments of the AWS provider's resources that terraform/ uses.

They are read from the npm package @cdktf/provider-aws, whose classes are generated from the
provider's own schema:

    npm pack @cdktf/provider-aws@21.22.1 && tar xzf cdktf-provider-aws-*.tgz
    tests/terraform/extract_schema.py package
"""
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
CONFIGURATION = HERE.parents[1] / 'examples' / 'media-pipeline' / 'terraform'
OUTPUT = HERE / 'aws-schema.json'

ENTRY = re.compile(r'^ {12}(\w+): \{\n {16}value: (.*),\n {16}isBlock: (true|false),\n'
                   r' {16}type: "(\w+)",\n {16}storageClassType: "(\w+)",\n', re.MULTILINE)
GETTER = re.compile(r"^ {4}get (\w+)\(\) \{\n {8}return (?:cdktf\.Fn\.to(?:list|set)\()?"
                    r"(?:cdktf\.token\.asNumber\()?this\.get(\w+?)Attribute\('(\w+)'\)", re.MULTILINE)
SIMPLE = {'string': 'string', 'number': 'number', 'boolean': 'bool', 'any': 'dynamic'}
GOT = {'String': 'string', 'Number': 'number', 'Boolean': 'bool', 'List': ['list', 'string'],
       'StringMap': ['map', 'string'], 'BooleanMap': ['map', 'bool'], 'NumberList': ['list', 'number']}


def used_types():
    text = '\n'.join(path.read_text() for path in CONFIGURATION.glob('*.tf'))
    return sorted(set(re.findall(r'^resource "(aws_\w+)"', text, re.MULTILINE)))


def camel(name):
    return re.sub(r'_(\w)', lambda match: match.group(1).upper(), name)


def attribute_type(kind, storage):
    if storage in SIMPLE:
        return SIMPLE[storage]
    element = re.match(r'string|number|boolean', storage)
    return [kind, SIMPLE[element.group(0)]] if element else [kind, 'dynamic']


def members(declarations, interface):
    """{name: (is required, is a list)} of an interface."""
    body = re.search(rf'^export interface {interface}(?: extends [\w.]+)? \{{(.*?)^\}}', declarations,
                     re.MULTILINE | re.DOTALL).group(1)
    return {name: (not mark, '[]' in kind)
            for name, mark, kind in re.findall(r'readonly (\w+)(\??): (.*);', body)}


class Module:
    """The two files of one resource."""

    def __init__(self, directory):
        self.code = ''.join(path.read_text() for path in sorted(directory.glob('*.js')))
        self.declarations = ''.join(path.read_text() for path in sorted(directory.glob('*.d.ts')))

    def function(self, name):
        return re.search(rf'^function {name}\(struct\) \{{(.*?)^\}}', self.code.replace(
            'export function', 'function'), re.MULTILINE | re.DOTALL).group(1).replace(
                '\n    ', '\n        ')

    def block(self, entries, interface):
        known = members(self.declarations, interface)
        attributes, blocks = {}, {}
        for name, value, is_block, kind, storage in ENTRY.findall(entries):
            required, is_list = known.get(camel(name), (False, False))
            nested = re.search(r'(\w+)ToHclTerraform', value)
            if is_block == 'true' and nested and not value.startswith('cdktf.string'):
                function = nested.group(1)
                blocks[name] = {
                    'nesting': 'single' if kind == 'struct' else kind,
                    'min': 1 if required else 0,
                    'max': 0 if is_list or kind == 'struct' else 1,
                    'block': self.nested(function),
                }
            else:
                attributes[name] = [attribute_type(kind, storage),
                                    'required' if required else 'optional']
        return {'attributes': attributes, 'blocks': blocks}

    def nested(self, function):
        text = self.function(f'{function}ToHclTerraform')
        # Inside a function there is one level less of indentation than inside a method.
        return self.block(text, function[0].upper() + function[1:])

    def whole(self):
        entries = self.code.split('synthesizeHclAttributes() {')[-1]
        interface = re.search(r'export interface (\w+Config) (?:extends|\{)', self.declarations).group(1)
        block = self.block(entries, interface)
        for _, kind, name in GETTER.findall(re.split(r'extends cdktf\.Terraform(?:Resource|Provider) ', self.code)[-1]):
            if name not in block['attributes'] and name not in block['blocks']:
                block['attributes'][name] = [GOT.get(kind, 'dynamic'), 'computed']
        return block


def directory_of(library, name):
    for directory in (name[4:].replace('_', '-'), 'data-' + name):
        if (library / directory).is_dir():
            return library / directory
    raise SystemExit(f'extract_schema: {library} has no {name}')


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    package = pathlib.Path(sys.argv[1])
    library = package / 'lib'
    provider = Module(library / 'provider')
    version = re.search(r'hashicorp/aws/([0-9.]+)/', provider.declarations).group(1)
    lines = [f'"{name}": {json.dumps(Module(directory_of(library, name)).whole(), sort_keys=True)}'
             for name in used_types()]
    OUTPUT.write_text('{\n"version": "%s",\n"provider": %s,\n"resources": {\n%s\n}\n}\n' % (
        version, json.dumps(provider.whole(), sort_keys=True), ',\n'.join(lines)))


if __name__ == '__main__':
    main()
