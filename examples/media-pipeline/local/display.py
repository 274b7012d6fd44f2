# SPDX-License-Identifier: Apache-2.0
"""What the demo prints: steps with the time since the start, notes, tables and bars."""

import os
import sys
import textwrap
import time

INDENT = 10
WIDTH = 100  # of prose, where the terminal is not narrower


class Display:
    """Steps with the time since the start; in a terminal the last line moves."""

    def __init__(self, out=None):
        self.out = out or sys.stdout
        self.began = time.monotonic()
        self.moves = self.out.isatty()
        self.shown = ''
        self.said = ('', 0.0)

    def step(self, text):
        self._clear()
        self.print(f'{time.monotonic() - self.began:6.1f} s  {text}')

    def note(self, text):
        self._clear()
        for line in text.splitlines():
            self.print(' ' * INDENT + line if line else '')

    def prose(self, text):
        """A note of sentences, broken where the line ends."""
        columns = os.get_terminal_size(self.out.fileno()).columns if self.moves else WIDTH
        self.note(textwrap.fill(text, max(40, min(columns, WIDTH) - INDENT),
                                break_long_words=False, break_on_hyphens=False))

    def waiting(self, text):
        """What goes on: all the time in a terminal, else when it is new and every ten seconds."""
        now = time.monotonic()
        if self.moves:
            wheel = '|/-\\'[int(now * 8) % 4]
            self._clear()
            self.shown = f'{now - self.began:6.1f} s  {wheel} {text}'
            self.print(self.shown, end='')
        elif text != self.said[0] or now - self.said[1] >= 10:
            self.said = (text, now)
            self.print(f'{now - self.began:6.1f} s  … {text}')

    def print(self, text, end='\n'):
        print(text, end=end, flush=True, file=self.out)

    def _clear(self):
        if self.shown:
            self.print('\r' + ' ' * len(self.shown) + '\r', end='')
            self.shown = ''


# ---- Text -------------------------------------------------------------------------------------


def table(rows):
    """Rows of cells as lines; the first column to the left, the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        lines.append('  '.join(cells).rstrip())
    return lines


def bar(value, most, width):
    """A bar of blocks; what is there at all is seen."""
    if value <= 0 or most <= 0:
        return ''
    return '█' * max(1, round(width * value / most))


def duration(seconds):
    """A time in the unit that people would use."""
    return f'{seconds:.2f} s' if seconds >= 1 else f'{seconds * 1000:.1f} ms'
