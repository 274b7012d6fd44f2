#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A layer includes only what lies below it, and nobody reaches inside the libraries."""
import re
import unittest

from common import SOURCE, name, without_comments

# Directory of src/: the directories that it may include, beside itself.
CORE = {
    'base': set(),
    'wire': {'base'},
    'model': {'base', 'wire'},
    'sampling': {'base', 'wire'},
    'emit': {'base', 'wire'},
    'otlp': {'base', 'wire'},
    'recorder': {'base', 'wire', 'model', 'sampling', 'emit'},
    'api': {'base', 'wire', 'model', 'sampling', 'emit', 'recorder'},
}
# Directory of tools/local/: the same. Included as "local/DIRECTORY/FILE".
LOCAL = {
    'base': set(),
    'sampling': {'base'},
    'trace': {'base'},
    'filter': {'base', 'trace'},
    'graph': {'base', 'trace', 'filter'},
    'store': {'base', 'trace'},
    'intake': {'base', 'trace', 'filter', 'store'},
    'http': {'base'},
    'page': {'base', 'http'},
    'api': {'base', 'sampling', 'trace', 'filter', 'graph', 'store', 'intake', 'http', 'page'},
    'cli': {'base', 'sampling', 'trace', 'filter', 'graph', 'store', 'intake', 'http', 'page',
            'api'},
}
# What they must not call, and where it is allowed all the same.
BANNED = {
    r'sprintf|vsprintf|strcpy|strcat|strtok|atoi|atol|atof|gets': set(),
    r'malloc|calloc|realloc|strdup|strndup': {'base/alloc.c'},
    r'getenv|secure_getenv': {'base/env.c'},
}
PURE = r'clock_gettime|gettimeofday|time|getenv|fopen|open|socket|send|write|printf|fprintf|getrandom'


def includes(text):
    """(line number, quote, path) of every #include."""
    for number, line in enumerate(without_comments(text).splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
        if match:
            yield number, match[1], match[2]


def wrong_includes(path, text):
    """What is wrong with the includes of one file; path is relative to the sources."""
    top, _, rest = path.partition('/')
    layer = rest.split('/')[0] if top == 'src' else None
    room = rest.split('/')[1] if rest.startswith('local/') else None
    for number, quote, included in includes(text):
        where = f'{path}:{number}: '
        first = included.split('/')[0]
        if included.startswith('../') or '/../' in included:
            yield where + f'"{included}" leaves its directory'
        elif room and first == 'local':
            if included.split('/')[1] not in LOCAL[room] | {room}:
                yield where + f'{room} must not include {included.split("/")[1]}'
        elif layer in CORE:
            if quote == '"' and '/' in included and first not in CORE[layer] | {layer}:
                yield where + f'{layer} must not include {first}'
            elif layer == 'base' and first == 'xraytrace':
                yield where + 'base knows nothing of X-Ray'
        elif layer in ('curl', 'testing') or top in ('tools', 'examples'):
            inside = set(CORE) - ({'otlp'} if top != 'examples' else set())
            own = SOURCE / path
            if (first in inside and '/' in included and quote == '"' and not any(
                    (parent / included).is_file() for parent in own.parents
                    if parent.is_relative_to(SOURCE / top) and parent != SOURCE / 'src')):
                yield where + 'only <xraytrace/…> may be included, and not ' + included


def sources():
    for top in ('src', 'tools', 'examples'):
        for path in sorted((SOURCE / top).rglob('*.[ch]')):
            yield name(path), path.read_text()


class Includes(unittest.TestCase):
    def test_no_layer_includes_a_higher_one(self):
        found = [line for path, text in sources() for line in wrong_includes(path, text)]
        self.assertEqual(found, [], '\n' + '\n'.join(found))

    def test_every_directory_is_a_known_layer(self):
        directories = {path.name for path in (SOURCE / 'src').iterdir() if path.is_dir()}
        self.assertLessEqual(directories, set(CORE) | {'curl', 'testing'})
        rooms = {path.name for path in (SOURCE / 'tools' / 'local').iterdir() if path.is_dir()}
        self.assertLessEqual(rooms, set(LOCAL))

    def test_there_is_something_to_check(self):
        layers = {path.split('/')[1] for path, _ in sources() if path.startswith('src/')}
        self.assertGreaterEqual(layers, {'base', 'wire', 'model', 'emit', 'recorder', 'api', 'curl'})

    def planted(self, path, text, wrong=True):
        self.assertEqual(bool(list(wrong_includes(path, text))), wrong, (path, text))

    def test_a_planted_upward_include_is_found(self):
        self.planted('src/wire/ids.c', '#include "model/segment.h"\n')
        self.planted('src/emit/udp.c', '# include "model/segment.h"\n')
        self.planted('src/sampling/rate.c', '#include "emit/emit.h"\n')
        self.planted('src/base/log.c', '#include <xraytrace/trace.h>\n')
        self.planted('src/api/segment.c', '#include "../model/segment.h"\n')
        self.planted('tools/local/trace/facts.c', '#include "local/store/store.h"\n')

    def test_a_planted_reach_inside_is_found(self):
        self.planted('src/curl/perform.c', '#include "recorder/recorder.h"\n')
        self.planted('tools/local/main.c', '#include "wire/ids.h"\n')
        self.planted('examples/hello.c', '#include "base/json.h"\n')

    def test_what_is_allowed_is_not_found(self):
        self.planted('src/model/segment.c', '#include "wire/ids.h"\n', wrong=False)
        self.planted('src/api/segment.c', '#include "recorder/current.h"\n', wrong=False)
        self.planted('src/wire/ids.c', '/* #include "model/segment.h" */\n', wrong=False)
        self.planted('examples/hello.c', '#include <xraytrace/xraytrace.h>\n', wrong=False)


class Calls(unittest.TestCase):
    def calls(self, pattern, text):
        text = without_comments(text, keep_strings=False)
        for number, line in enumerate(text.splitlines(), 1):
            if re.search(r'(?<![\w.>])(?:' + pattern + r')\s*\(', line):
                yield number

    def core(self):
        for path, text in sources():
            parts = path.split('/')
            if parts[0] == 'src' and parts[1] in CORE:
                yield path.partition('/')[2], text

    def test_banned_functions_are_not_called(self):
        found = [f'src/{path}:{number}: {pattern}' for pattern, allowed in BANNED.items()
                 for path, text in self.core() if path not in allowed
                 for number in self.calls(pattern, text)]
        self.assertEqual(found, [], '\n' + '\n'.join(found))

    def test_formats_and_model_neither_ask_the_time_nor_do_io(self):
        found = [f'src/{path}:{number}' for path, text in self.core()
                 if path.split('/')[0] in ('wire', 'model')
                 for number in self.calls(PURE, text)]
        self.assertEqual(found, [], '\n' + '\n'.join(found))

    def test_a_planted_call_is_found(self):
        self.assertEqual(list(self.calls('sprintf', 'a\n    sprintf(b, "x");\n')), [2])
        self.assertEqual(list(self.calls('time', 'hook->time(1); /* time(2) */ "time(3)"\n')), [])


if __name__ == '__main__':
    unittest.main()
