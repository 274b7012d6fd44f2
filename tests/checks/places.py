#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What docs/corrections.md and docs/operations.md point to is there: files, tests, options.

A place is a path from the root, a test (suite::name of Criterion, file.py::name), what
stands in a file (path::word), or a command whose options exist.
"""
import re
import shlex
import unittest

from common import SOURCE, files, name
from pitfalls import tests_of

PAGES = ('docs/corrections.md', 'docs/operations.md')
TABLES = {'docs/corrections.md': 3}  # cells of a row, after its number
TREES = ('bench', 'build-aux', 'docs', 'examples', 'include', 'src', 'tests', 'tools')
PIPELINE = 'examples/media-pipeline'
# Where the options of a command are said.
COMMANDS = {
    './demo': ['demo', f'{PIPELINE}/local/options.c',
               *map(name, (SOURCE / PIPELINE / 'local').glob('*.py'))],
    './check': ['check'],
    'xraytrace-local': ['tools/local/cli/options.c'],
    'media-local': [f'{PIPELINE}/local/options.c'],
    f'{PIPELINE}/costs': [f'{PIPELINE}/costs'],
    f'{PIPELINE}/package': [f'{PIPELINE}/package'],
    'bench/pipeline-latency': ['bench/pipeline-latency'],
}


def spans(text):
    """The code within lines, and the lines of shell blocks."""
    for match in re.finditer(r'^```(\w*).*?\n(.*?)^```', text, re.M | re.S):
        if match[1] == 'sh':
            yield from match[2].replace('\\\n', ' ').splitlines()
    for match in re.finditer(r'`([^`\n]+)`', re.sub(r'^```.*?^```', '', text, flags=re.M | re.S)):
        yield match[1]


def command_of(span):
    """A command of ours and its words, wherever it was built; or None."""
    words = shlex.split(span.partition(' | ')[0], comments=True) if span.count("'") % 2 == 0 else []
    if not words:
        return None
    program = re.sub(r'^build/\S*/', '', words[0])
    return (program, words[1:]) if program in COMMANDS else None


def missing_options(program, words):
    """Options, and names of scenarios, that the command does not know."""
    sources = [SOURCE / path for path in COMMANDS[program]]
    text = '\n'.join(path.read_text() for path in sources if path.exists())
    found = []
    for word in words:
        option = re.match(r'--?([\w-]+)', word)
        if option and not re.search(rf'''(?<![\w-])(--|["']){re.escape(option[1])}(?![\w-])''', text) \
                and len(option[1]) > 1:
            found.append(word)
    for before, word in zip(words, words[1:]):
        if before == '--scenario':
            scenarios = '\n'.join(path.read_text()
                                  for path in (SOURCE / PIPELINE / 'local').glob('*.py'))
            if not re.search(rf"['\"]{re.escape(word)}['\"]", scenarios):
                found.append(word)
    return found


class Tests:
    """All tests by the names that pages use."""

    def __init__(self):
        self.names = set()
        for path in files('*.c', '*.py', under=['tests', 'examples', 'bench']):
            self.names |= tests_of(name(path), path.read_text())


def is_there(place, tests):
    """Whether a place exists; None for what is none."""
    path, _, word = place.partition('::')
    if word and re.fullmatch(r'[\w.]+', path):
        return place in tests.names
    if not re.fullmatch(r'[\w./-]+', path) or path.partition('/')[0] not in TREES or '/' not in path:
        return None
    whole = SOURCE / path.rstrip('/')
    if not whole.exists() or not word:
        return whole.exists()
    inside = [whole] if whole.is_file() else [file for file in whole.rglob('*') if file.is_file()]
    return any(re.search(rf'(?<!\w){re.escape(word)}(?!\w)', file.read_text(errors='replace'))
               for file in inside)


def rows(text):
    """The cells of each row that has a number."""
    for line in text.splitlines():
        if re.match(r'\| \d+ \|', line):
            yield [cell.strip() for cell in re.split(r'(?<!\\)\|', line)[1:-1]]


class Places(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tests = Tests()
        cls.texts = {page: (SOURCE / page).read_text() for page in PAGES}

    def test_every_place_is_there(self):
        for page, text in self.texts.items():
            places = [span for span in spans(text) if is_there(span, self.tests) is not None]
            self.assertGreater(len(places), 10, page)
            self.assertEqual([place for place in places if not is_there(place, self.tests)], [], page)

    def test_every_command_knows_its_options(self):
        for page, text in self.texts.items():
            commands = [found for found in map(command_of, spans(text)) if found]
            self.assertGreater(len(commands), 3, page)
            wrong = [(program, missing_options(program, words)) for program, words in commands
                     if missing_options(program, words)]
            self.assertEqual(wrong, [], page)

    def test_variables_of_terraform_are_there(self):
        known = re.findall(r'^variable "(\w+)"', (SOURCE / PIPELINE / 'terraform' / 'variables.tf').read_text(),
                           re.M)
        for page, text in self.texts.items():
            used = re.findall(r"-var '?(\w+)=|`([a-z_]+)=[^`]*`", text)
            self.assertEqual([one or other for one, other in used
                              if (one or other) not in [*known, 'fixed_rate', 'rate']], [], page)

    def test_every_correction_says_where(self):
        for page, cells in TABLES.items():
            found = list(rows(self.texts[page]))
            self.assertEqual([row[0] for row in found],
                             [str(number + 1) for number in range(len(found))])
            self.assertGreater(len(found), 40)
            self.assertEqual([row for row in found if len(row) != cells + 1 or not all(row)], [])
            nowhere = [row[0] for row in found if not re.search(r'`[^`]+`|\]\(', row[3])]
            self.assertEqual(nowhere, [])

    def test_queries_ask_for_what_log_lines_have(self):
        lines = '\n'.join(path.read_text() for path in (SOURCE / PIPELINE / 'runtime').glob('*.c'))
        queries = re.findall(r'^```insights\n(.*?)^```', self.texts['docs/operations.md'], re.M | re.S)
        self.assertGreater(len(queries), 2)
        asked = {word for query in queries
                 for word in re.findall(r'\b(\w+)(?= =|,|$)|\((\w+)\)|(?<=by )(\w+)',
                                        re.sub(r'"[^"]*"| as \w+|@\w+|sort .*', '', query), re.M)
                 for word in word if word and not word.isdigit()}
        self.assertLessEqual({'traceId', 'function', 'level', 'message', 'errorType'}, asked)
        self.assertEqual([word for word in asked if f'"{word}"' not in lines], [])

    def test_every_source_is_defined_and_used(self):
        for page, text in self.texts.items():
            defined = set(re.findall(r'^\[(\w+)\]: https://', text, re.M))
            used = set(re.findall(r'\]\[(\w+)\]|(?<=[(, ])\[(\w+)\](?![\[(:])', text))
            self.assertEqual({one or other for one, other in used}, defined, page)

    def test_what_is_not_there_is_found(self):
        for place in ('tests/checks/nowhere.py', 'tests/checks/places.py::no_such_' 'word',
                      'places.py::test_of_nothing', 'capture::of_nothing'):
            self.assertIs(is_there(place, self.tests), False, place)
        for place in ('tests/checks/places.py', 'tests/checks/places.py::is_there', 'tests/checks/',
                      'places.py::test_what_is_not_there_is_found', 'capture::keeps_what_is_slow'):
            self.assertIs(is_there(place, self.tests), True, place)
        for place in ('MediaDownloader/prod', 'on_demand', 'aws/spans'):
            self.assertIsNone(is_there(place, self.tests), place)
        self.assertEqual(missing_options('./demo', ['--once', '--twice']), ['--twice'])


if __name__ == '__main__':
    unittest.main()
