# SPDX-License-Identifier: Apache-2.0
"""What the checks share: where the sources are, and how to read them."""
import os
import pathlib
import re
import shlex
import shutil
import subprocess

SOURCE = pathlib.Path(__file__).resolve().parents[2]
HEADERS = SOURCE / 'include' / 'xraytrace'
CURL_HEADERS = {'aws.h', 'curl.h'}  # those of libxraytrace-curl
TESTING_HEADERS = {'testing.h'}  # that of libxraytrace-testing
CORE_HEADERS = {path.name for path in HEADERS.glob('*.h')} - CURL_HEADERS - TESTING_HEADERS
LANGUAGES = {'c': ['c11', 'c17'], 'c++': ['c++11', 'c++17']}  # what the public headers compile as
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


def compilers(cc, cxx):
    """{language: {name: command}} of the given compilers, and of gcc and clang, as far as installed."""
    found = {}
    for language, commands in (('c', [cc, 'gcc', 'clang']), ('c++', [cxx, 'g++', 'clang++'])):
        found[language], seen = {}, set()
        for command in commands:
            words = shlex.split(command)
            # cc is another name for one of the others, and may be called through a cache.
            program = os.path.realpath(shutil.which(words[-1]) or shutil.which(words[0]) or '')
            program = words[-1] if program.endswith('/ccache') else program
            if shutil.which(words[0]) and program not in seen:
                found[language][pathlib.Path(program).name] = words
                seen.add(program)
    return found


def syntax_complaints(command, language, text):
    """What a compiler says of a text that includes the public headers; "" if it takes it silently."""
    result = subprocess.run(
        [*command, '-x', language, '-fsyntax-only', '-I', str(SOURCE / 'include'), '-'],
        input=text, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
    return result.stdout or ('' if result.returncode == 0 else 'it failed')
