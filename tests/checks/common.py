# SPDX-License-Identifier: Apache-2.0
"""What the checks share: where the sources are, and how to read them."""
import pathlib
import re

SOURCE = pathlib.Path(__file__).resolve().parents[2]
HEADERS = SOURCE / 'include' / 'xraytrace'
CURL_HEADERS = {'aws.h', 'curl.h'}  # those of libxraytrace-curl
CODE = ('src', 'include', 'tools', 'examples', 'tests', 'bench', 'fuzz', 'pkgconfig')


def files(*patterns, under=CODE):
    """All files below the directories of ours that match one of the patterns."""
    return sorted(path for directory in under for pattern in patterns
                  for path in (SOURCE / directory).rglob(pattern)
                  if '__pycache__' not in path.parts)


def name(path):
    return str(path.relative_to(SOURCE))


def without_comments(text, keep_strings=True):
    """C text with its comments blanked out, line numbers kept; strings too if asked for."""
    def blank(match):
        token = match[0]
        if token[0] == '/':
            return ' ' + '\n' * token.count('\n')
        return token if keep_strings else token[0] + token[0]

    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'',
                  blank, text, flags=re.S)


def public_functions(headers):
    """Names of all functions that the headers export."""
    found = set()
    for header in headers:
        text = without_comments(header.read_text())
        found |= set(re.findall(r'\bXRAY_API\b[^;{}()]*?\b(xray_\w+)\s*\(', text))
    return found
