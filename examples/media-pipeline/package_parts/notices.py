# SPDX-License-Identifier: Apache-2.0
"""The file that names what is in a package: parts, versions, licences, and where they come from."""
import re
import shutil

# By the name of the Debian package that it comes from.
LICENCES = {
    'cjson': 'MIT',
    'curl': 'curl',
    'ffmpeg': 'LGPL-2.1-or-later',
    'libbz2-1.0': 'bzip2-1.0.6',
    'libc6': 'LGPL-2.1-or-later',
    'libcrypt1': 'LGPL-2.1-or-later',
    'libexpat1': 'MIT',
    'libffi8': 'MIT',
    'libgcc-s1': 'GPL-3.0-or-later WITH GCC-exception-3.1',
    'liblzma5': 'public domain',
    'libsqlite3-0': 'public domain',
    'libssl3': 'Apache-2.0',
    'libuuid1': 'BSD-3-Clause',
    'quickjs': 'MIT',
    'zlib1g': 'Zlib',
}
HEAD = '''# What is in here

Each part with its version and licence. Those from Debian have their sources there, with the
changes that Debian made: `apt-get source NAME=VERSION`. Their own words are in `{words}`.

| part | version | licence | from |
|---|---|---|---|
'''


def licence(name):
    if name.startswith(('python3', 'libpython3')):
        return 'PSF-2.0'
    return LICENCES.get(name, 'see its file')


def of_wheels(folder):
    """(name, version, licence) of Python packages."""
    for path in sorted(folder.glob('*.dist-info/METADATA')):
        text = path.read_text(encoding='utf-8').split('\n\n')[0]
        fields = dict(re.findall(r'^(Name|Version|License-Expression|License): (.*)$', text, re.M))
        yield fields['Name'], fields['Version'], fields.get(
            'License-Expression', fields.get('License', 'see its file'))


def write(file, words, parts, wheels=()):
    """Writes the table, and copies the licences: parts has name: (version, file of its words)."""
    rows = []
    folder = file.parent / words
    folder.mkdir(parents=True)
    for name, (version, path) in sorted(parts.items()):
        rows.append(f'| {name} | {version} | {licence(name)} | Debian |')
        shutil.copy(path, folder / name)
    rows += [f'| {name} | {version} | {terms} | PyPI |' for name, version, terms in wheels]
    file.write_text(HEAD.format(words=words) + '\n'.join(rows) + '\n', encoding='utf-8')
