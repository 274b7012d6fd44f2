#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""embed.py OUTPUT.c FILE…: the files, compressed, as an array of struct asset.

The same files give the same output, byte for byte."""
import hashlib
import sys
import zlib
from pathlib import Path

TYPES = {
    '.css': 'text/css; charset=utf-8',
    '.html': 'text/html; charset=utf-8',
    '.js': 'text/javascript; charset=utf-8',
    '.json': 'application/json',
    '.png': 'image/png',
    '.svg': 'image/svg+xml',
}


def compress(data):
    """A gzip without a time or a name in it."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return deflate.compress(data) + deflate.flush()


def array(name, data):
    lines = (','.join(map(str, data[at:at + 32])) for at in range(0, len(data), 32))
    return f'static const unsigned char {name}[] = {{\n' + ',\n'.join(lines) + '\n};\n'


def main():
    output, paths = Path(sys.argv[1]), sorted(map(Path, sys.argv[2:]), key=lambda path: path.name)
    text = '/* Made by embed.py. */\n#include "local/page/assets.h"\n'
    rows = ''
    for number, path in enumerate(paths):
        data = path.read_bytes()
        tag = hashlib.sha256(data).hexdigest()[:32]
        text += array(f'asset{number}', compress(data))
        rows += (f'    {{ "{path.name}", "{TYPES[path.suffix]}", "\\"{tag}\\"", asset{number}, '
                 f'sizeof asset{number} }},\n')
    text += f'const struct asset assets[] = {{\n{rows}}};\n'
    text += 'const size_t asset_count = sizeof assets / sizeof *assets;\n'
    output.write_text(text)


if __name__ == '__main__':
    main()
