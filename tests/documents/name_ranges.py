# SPDX-License-Identifier: Apache-2.0
"""Prints, as C, the characters that names may have: letters, numbers and separators of Unicode."""
import sys
import unicodedata

allowed = [c for c in range(0x80, 0x110000) if unicodedata.category(chr(c))[0] in 'LNZ']
ranges = []
for c in allowed:
    if ranges and ranges[-1][1] == c - 1:
        ranges[-1][1] = c
    else:
        ranges.append([c, c])
print('/* Made by', 'name_ranges.py, Unicode', unicodedata.unidata_version, '*/')
print('static const struct {\n    unsigned first, last;\n} name_ranges[] = {')
for first, last in ranges:
    print(f'    {{ 0x{first:X}, 0x{last:X} }},')
print('};')
sys.exit(0)
