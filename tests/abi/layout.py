#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The public structs, enums and constants are laid out as the tables beside this say.

layout.py [--cc COMMAND] [--cxx COMMAND] [--without-curl] [--update [--incompatible]]

layout-64.txt is for libxraytrace, layout-curl-64.txt for libxraytrace-curl.
They are made by a program that is compiled from the headers. --update writes
them anew for what was added: at the end of a struct, or as a new name. What
would break programs that are compiled already it refuses, unless it is told
--incompatible, for a release with a new soname.
"""
import argparse
import collections
import difflib
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / 'checks'))
from common import CORE_HEADERS, CURL_HEADERS, HEADERS, SOURCE, compilers, without_comments  # noqa: E402

TABLES = {HERE / 'layout-64.txt': sorted(CORE_HEADERS),
          HERE / 'layout-curl-64.txt': sorted(CURL_HEADERS)}
# Plain values, which have no size member and therefore keep their size for good.
VALUES = {
    'xray_trace_id': 16,
    'xray_trace_header': 256,
    'xray_value': 16,
    'xray_frame': 24,
    'xray_sampling_decision': 64,
    'xray_sampling_attribute': 16,
    'xray_aws_resource': 16,
    'xray_curl_transfer': 448,
}
# What a member may be beside a pointer: types of the same size with every compiler.
MEMBER_TYPES = r'(u?int(8|16|32|64)_t|size_t|char|double|xray_segment_id)'
Member = collections.namedtuple('Member', 'name type')


# ---- What the headers say ---------------------------------------------------

def declarations(body):
    """The declarations within braces, each without its semicolon, on one line."""
    depth, start = 0, 0
    for at, character in enumerate(body):
        depth += {'{': 1, '}': -1}.get(character, 0)
        if character == ';' and depth == 0:
            yield ' '.join(body[start:at].split())
            start = at + 1


def members(body):
    """The members of a struct, those of a union within it as outer.inner."""
    for text in declarations(body):
        union = re.fullmatch(r'union \{(.*)\} (\w+)', text)
        if union:
            yield from (Member(f'{union[2]}.{member.name}', member.type)
                        for member in members(union[1]))
            continue
        # A function pointer, an array, or anything else: the name, and the rest as its type.
        match = re.search(r'(?<=\(\*)(\w+)(?=\)\()', text) or re.search(r'(\w+)(?=(\[[^]]*\])*$)', text)
        yield Member(match[1], re.sub(r' (?=\[)| $', '', text[:match.start()] + text[match.end():]))


def structs(text):
    return {name: list(members(body))
            for name, body in re.findall(r'typedef struct (\w+) \{(.*?)\n\} \1;', text, re.S)}


def enums(text):
    return {name: re.findall(r'(\w+)(?: = [^,]*)?,', body)
            for name, body in re.findall(r'typedef enum (\w+) \{(.*?)\n\} \1;', text, re.S)}


def constants(text):
    """Macros that are numbers, and no version."""
    return [name for name in re.findall(r'^#define (XRAY_\w+)[ \t]+\(?\d\w*', text, re.M)
            if not name.startswith('XRAY_VERSION')]


def text_of(headers):
    return '\n'.join(without_comments((HEADERS / header).read_text()) for header in headers)


def program(headers):
    """A program that prints the table."""
    text = text_of(headers)
    lines = ['#include <stddef.h>', '#include <stdio.h>']
    lines += [f'#include <xraytrace/{header}>' for header in headers]
    lines += ['int main(void)', '{', '#define SIZE(type) (int)sizeof(type)']
    say = '    printf("{}\\n", {});'.format
    for name, found in sorted(structs(text).items()):
        lines.append(say(f'struct {name} %d', f'SIZE({name})'))
        for member in found:
            lines.append(say(f'    %d %d {member.name}: {member.type}',
                             f'(int)offsetof({name}, {member.name}), '
                             f'SIZE((({name} *)0)->{member.name})'))
    for name, found in sorted(enums(text).items()):
        lines.append(say(f'enum {name} %d', f'SIZE({name})'))
        lines += [say(f'    {value} %d', f'(int){value}') for value in found]
    lines += [say(f'constant {name} %lu', f'(unsigned long){name}') for name in sorted(constants(text))]
    return '\n'.join([*lines, '    return 0;', '}', ''])


# ---- What the compiler makes of it --------------------------------------------

def printed(compiler, language, headers):
    with tempfile.TemporaryDirectory() as directory:
        built = f'{directory}/layout'
        subprocess.run([*compiler, '-x', language, '-std=c11' if language == 'c' else '-std=c++11',
                        '-I', str(SOURCE / 'include'), '-o', built, '-'],
                       input=program(headers), text=True, check=True, timeout=120)
        return subprocess.run([built], check=True, text=True, stdout=subprocess.PIPE).stdout


def sections(table):
    """{first line, without its size: [the lines below]} of a table."""
    found = {}
    for line in table.splitlines():
        if line.startswith('    '):
            found[key].append(line.strip())
        else:
            kind, name, number = line.split()
            key = f'{kind} {name}' + (f' {number}' if kind == 'constant' else '')
            found[key] = []
    return found


def broken(old, new):
    """What of a new table breaks programs that were compiled with the old one."""
    old, new = sections(old), sections(new)
    for key, lines in old.items():
        if key not in new:
            yield f'{key} is gone'
        elif new[key][:len(lines)] != lines:
            yield f'{key} changed before its end'
        elif key.startswith('struct ') and key.split()[1] in VALUES and new[key] != lines:
            yield f'{key} is a plain value and cannot grow'


def difference(old, new):
    return '\n'.join(difflib.unified_diff(old.splitlines(), new.splitlines(), 'table', 'headers',
                                          lineterm='', n=1))


class Layout(unittest.TestCase):
    def test_all_structs_enums_and_constants_are_as_in_the_tables(self):
        for table, headers in tables.items():
            for language, commands in found.items():
                for compiler, command in commands.items():
                    with self.subTest(table=table.name, compiler=compiler, language=language):
                        wrong = difference(table.read_text(), printed(command, language, headers))
                        self.assertEqual(wrong, '', 'run tests/abi/layout.py --update if it is meant')

    def test_every_struct_begins_with_its_size_or_is_a_plain_value(self):
        for name, fields in structs(text).items():
            with self.subTest(name):
                if name in VALUES:
                    self.assertNotEqual(fields[0].name, 'size')
                else:
                    self.assertEqual(fields[0], Member('size', 'size_t'))

    def test_a_plain_value_has_its_size_for_good(self):
        sizes = dict(re.findall(r'^struct (\w+) (\d+)$',
                                ''.join(table.read_text() for table in TABLES), re.M))
        self.assertEqual({name: int(sizes.get(name, 0)) for name in VALUES}, VALUES)

    def test_the_page_says_of_each_struct_how_it_grows(self):
        page = (SOURCE / 'docs' / 'abi.md').read_text()
        self.assertEqual(dict(re.findall(r'`(xray_\w+)`\s\((\d+)(?: bytes)?\)', page)),
                         {name: str(size) for name, size in VALUES.items()})
        self.assertEqual(sorted(set(structs(text)) - set(re.findall(r'`(xray_\w+)`', page))), [])

    def test_members_have_types_of_a_fixed_size(self):
        """Above all no enums and no bools: what is an int32_t to one compiler is a char to another."""
        wrong = [f'{name}.{member.name}: {member.type}' for name, fields in structs(text).items()
                 for member in fields
                 if not re.fullmatch(MEMBER_TYPES + r'(\[[^]]*\])*', member.type) and '*' not in member.type
                 and member.type.split('[')[0] not in {*structs(text), 'struct curl_slist'}]
        self.assertEqual(wrong, [])

    def test_every_struct_of_the_headers_is_seen(self):
        self.assertEqual(sorted(structs(text)),
                         sorted(re.findall(r'typedef struct (\w+)\s*\{', text)))
        self.assertEqual(sorted(enums(text)), sorted(re.findall(r'typedef enum (\w+)\s*\{', text)))


class Planted(unittest.TestCase):
    TEXT = ('typedef struct xray_s {\n    size_t size;\n    int32_t (*f)(void *, int);\n    char a[4];\n'
            '    union {\n        double d;\n    } as;\n    const char *const *list;\n} xray_s;\n'
            'typedef enum xray_e {\n    XRAY_A = 1,\n    XRAY_B,\n} xray_e;\n'
            '#define XRAY_N (1u << 3)\n#define XRAY_T "text"\n#define XRAY_F(x) x\n')
    OLD = 'struct xray_a 16\n    0 8 size: size_t\n    8 8 b: int64_t\nconstant XRAY_N 8\n'

    def test_what_a_header_can_hold_is_read(self):
        self.assertEqual(structs(self.TEXT)['xray_s'], [
            ('size', 'size_t'), ('f', 'int32_t (*)(void *, int)'), ('a', 'char[4]'),
            ('as.d', 'double'), ('list', 'const char *const *')])
        self.assertEqual(enums(self.TEXT), {'xray_e': ['XRAY_A', 'XRAY_B']})
        self.assertEqual(constants(self.TEXT), ['XRAY_N'])

    def breaks(self, new, wanted=True):
        self.assertEqual(bool(list(broken(self.OLD, new))), wanted, new)

    def test_what_is_added_at_an_end_breaks_nothing(self):
        self.breaks(self.OLD, False)
        self.breaks(self.OLD.replace('constant', '    16 8 c: int64_t\nconstant'), False)
        self.breaks(self.OLD + 'constant XRAY_M 9\n', False)

    def test_any_other_change_breaks_programs(self):
        self.breaks(self.OLD.replace('8 8 b', '8 4 a: int32_t\n    16 8 b'))
        self.breaks(self.OLD.replace('int64_t', 'uint64_t'))
        self.breaks(self.OLD.replace('XRAY_N 8', 'XRAY_N 4'))
        self.breaks(self.OLD.replace('    8 8 b: int64_t\n', ''))
        self.breaks('')

    def test_a_value_that_grows_breaks_programs(self):
        old = 'struct xray_frame 16\n    0 8 path: const char *\n'
        self.assertEqual(len(list(broken(old, old + '    8 8 more: const char *\n'))), 1)


def update(incompatible):
    """Writes the tables; 0, or what is in the way."""
    if len(tables) < len(TABLES):
        return 'the tables have the structs of libxraytrace-curl too: leave out --without-curl'
    command = next(iter(found['c'].values()))
    new = {table: printed(command, 'c', headers) for table, headers in tables.items()}
    wrong = [line for table in tables if table.exists() for line in broken(table.read_text(), new[table])]
    if wrong and not incompatible:
        return '\n'.join([*wrong, 'Programs that are compiled already would break: add at the end '
                          'of a struct, or read docs/abi.md.'])
    for table, content in new.items():
        table.write_text(content)
    return 0


if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('--cc', default='cc')
    parser.add_argument('--cxx', default='c++')
    parser.add_argument('--without-curl', action='store_true')
    parser.add_argument('--update', action='store_true')
    parser.add_argument('--incompatible', action='store_true')
    arguments, rest = parser.parse_known_args()
    tables = {table: headers for table, headers in TABLES.items()
              if not (arguments.without_curl and set(headers) & CURL_HEADERS)}
    text = text_of(header for headers in tables.values() for header in headers)
    found = compilers(arguments.cc, arguments.cxx)
    if arguments.update:
        sys.exit(update(arguments.incompatible))
    if sys.maxsize < 2**32:
        print('skipped: the tables are for machines with 64 bits')
        sys.exit(77)
    unittest.main(argv=sys.argv[:1] + rest)
