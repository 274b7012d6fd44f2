#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the tests of a run: tally.py FILE…

A file is Meson's testlog.json, or the output of a unittest script (*.txt) or
of a program that speaks TAP (*.tap).
A program that speaks TAP counts once for each of its tests, a unittest script
too, anything else once. What is skipped is not counted. Prints one line for
each failure, and last "PASSED FAILED".
"""
import json
import re
import sys

GOOD = {'OK', 'EXPECTEDFAIL'}
SKIPPED = {'SKIP'}


def tap(text):
    """(passed, failed names), or None when the text is not TAP."""
    if not re.search(r'^1\.\.\d+', text, re.M):
        return None
    passed, failed = 0, []
    for line in text.splitlines():
        match = re.match(r'(not )?ok\b\s*\d*\s*-?\s*(.*)', line)
        if not match or re.search(r'#\s*(skip|todo)', line, re.I):
            continue
        if match[1]:
            failed.append(match[2] or '?')
        else:
            passed += 1
    return passed, failed


def unit(text):
    """The same for Python's unittest."""
    match = re.search(r'^Ran (\d+) tests? in ', text, re.M)
    if not match:
        return None
    verdict = re.search(r'^(?:OK|FAILED)(?: \((.*)\))?$', text[match.end():], re.M)
    numbers = dict(re.findall(r'([a-z ]+)=(\d+)', verdict[1] or '') if verdict else [])
    numbers = {key.strip(): int(value) for key, value in numbers.items()}
    failed = re.findall(r'^(?:FAIL|ERROR): (\S+)', text, re.M)
    bad = sum(numbers.get(key, 0) for key in ('failures', 'errors', 'unexpected successes'))
    failed += ['?'] * (bad - len(failed))
    return max(0, int(match[1]) - len(failed) - numbers.get('skipped', 0)), failed


def program(name, result, text):
    """(passed, failed names) of one test program."""
    if result in SKIPPED:
        return 0, []
    counts = tap(text) or unit(text)
    good = result in GOOD
    if counts is None:
        return (1, []) if good else (0, [name])
    passed, failed = counts
    failed = [f'{name}: {test}' for test in failed]
    if not good and not failed:
        failed = [f'{name}: {result}']  # it ended badly outside its tests
    if good and not passed and not failed:
        return 0, [f'{name}: ran no test'] if not re.search(r'skip', text, re.I) else []
    return passed, failed


def main():
    passed, failed = 0, []
    for path in sys.argv[1:]:
        with open(path, encoding='utf-8', errors='replace') as file:
            if path.endswith(('.txt', '.tap')):
                text = file.read()
                ran = tap(text) if path.endswith('.tap') else unit(text)
                entries = [(path, 'OK' if ran and not ran[1] else 'FAIL', text)]
            else:
                logs = [json.loads(line) for line in file if line.strip()]
                entries = [(log['name'], log['result'],
                            (log.get('stdout') or '') + '\n' + (log.get('stderr') or ''))
                           for log in logs]
        for entry in entries:
            good, bad = program(*entry)
            passed += good
            failed += bad
    for name in failed:
        print(f'FAILED {name}')
    print(passed, len(failed))


if __name__ == '__main__':
    main()
