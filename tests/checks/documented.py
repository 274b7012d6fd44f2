#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Everything public says what it does: a comment above it, or above its group.

A group is lines without a blank line between them. A struct or an enum may say
it at its members instead, and a macro that only makes such a struct is
described by it.
"""
import re
import unittest

from common import HEADERS

# Plumbing that has to be visible, and is part of something documented.
PLUMBING = {
    'xray_endp': 'what XRAY_AUTO_END calls',
    'xray_same': 'a case of XRAY_VALUE',
}


def names_declared(line):
    """Names that a line declares: functions, types, macros with arguments."""
    macro = re.match(r'#define (\w+)\(', line)
    if macro:
        # A trailing underscore marks a part of another macro.
        return [] if macro[1].endswith('_') else [macro[1]]
    if line.startswith(('#', ' ', '\t', '}')):
        return []
    function = re.match(r'(?:XRAY_\w+ |static |extern |const |inline |unsigned |struct )*'
                        r'[\w ]*?\*?\b(xray_\w+)\s*\(', line)
    if function:
        return [function[1]]
    type_ = re.match(r'typedef (?:struct|enum|union) (\w+)', line)
    return [type_[1]] if type_ else []


def says_it_inside(lines):
    """Whether a comment comes before the closing brace."""
    for line in lines:
        if line.startswith('}'):
            return False
        if '/*' in line:
            return True
    return False


def undocumented(text):
    """(line number, name) of what has no comment."""
    structs = set(re.findall(r'^typedef struct (\w+)', text, re.M))
    documented = comment = cplusplus = False
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        if comment or line.lstrip().startswith('/*'):
            comment = '*/' not in line
            if not line.startswith(' ') or line.startswith(' *'):
                documented = not re.match(r'/\* (-{3}|SPDX)', line)
            continue
        if not line.strip():
            documented = False
        # What C++ sees instead is described at its counterpart in C.
        if re.match(r'#else|#ifdef __cplusplus', line):
            cplusplus = True
        elif line.startswith('#endif'):
            cplusplus = False
        if documented or cplusplus:
            continue
        for name in names_declared(line):
            if name in PLUMBING or line.startswith('#define') and name in structs:
                continue
            if line.startswith('typedef') and line.endswith('{') and says_it_inside(lines[number:]):
                continue
            yield number, name


class Documented(unittest.TestCase):
    def test_everything_public_says_what_it_does(self):
        found = [f'{path.name}:{number}: {name}' for path in sorted(HEADERS.glob('*.h'))
                 for number, name in undocumented(path.read_text())]
        self.assertEqual(found, [], '\n' + '\n'.join(found))

    def test_all_functions_are_seen(self):
        text = (HEADERS / 'segment.h').read_text()
        seen = {name for line in text.splitlines() for name in names_declared(line)}
        self.assertGreaterEqual(seen, {'xray_begin_segment', 'xray_end', 'xray_segment',
                                       'xray_segment_params', 'XRAY_SUBSEGMENT'})

    def planted(self, text, *wanted):
        self.assertEqual([name for _, name in undocumented(text)], list(wanted))

    def test_a_planted_silence_is_found(self):
        self.planted('/* Does it. */\nXRAY_API void xray_a(void);\n\nXRAY_API int xray_b(int c);\n',
                     'xray_b')
        self.planted('#define XRAY_TWICE(x) ((x) * 2)\n', 'XRAY_TWICE')
        self.planted('typedef struct xray_s {\n    int a;\n} xray_s;\n', 'xray_s')
        self.planted('/* ---- Part ------ */\n\nXRAY_CHECKED XRAY_API int xray_c(void);\n', 'xray_c')

    def test_a_comment_speaks_for_its_group(self):
        self.planted('/* Both. */\nXRAY_API void xray_a(void);\nXRAY_API void xray_b(void);\n')
        self.planted('typedef struct xray_s {\n    int a; /* seconds */\n} xray_s;\n')


if __name__ == '__main__':
    unittest.main()
