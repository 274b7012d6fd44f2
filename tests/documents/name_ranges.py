# SPDX-License-Identifier: Apache-2.0
"""
Prints, as C, the characters that names may have: letters, numbers and separators of Unicode.
What is not assigned may be one of them in a later version: it is taken where both neighbours are.
"""
import unicodedata

ranges, unassigned = [], True
for c in range(0x80, 0x110000):
    category = unicodedata.category(chr(c))
    if category[0] in 'LNZ':
        if ranges and unassigned:
            ranges[-1][1] = c
        else:
            ranges.append([c, c])
        unassigned = True
    elif category != 'Cn':
        unassigned = False
print('/* Made by', 'name_ranges.py, Unicode', unicodedata.unidata_version, '*/')
print('static const struct {\n    unsigned first, last;\n} name_ranges[] = {')
for first, last in ranges:
    print(f'    {{ 0x{first:X}, 0x{last:X} }},')
print('};')
