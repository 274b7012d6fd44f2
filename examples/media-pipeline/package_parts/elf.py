# SPDX-License-Identifier: Apache-2.0
"""What programs and libraries need of the machine that runs them, as readelf tells it."""
import re
import subprocess


def is_elf(path):
    if path.is_symlink() or not path.is_file():
        return False
    with open(path, 'rb') as file:
        return file.read(4) == b'\x7fELF'


def files(tree):
    return [path for path in sorted(tree.rglob('*')) if is_elf(path)]


def _read(path, *options):
    return subprocess.run(['readelf', '-W', *options, str(path)], check=True, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          env={'LC_ALL': 'C', 'PATH': '/usr/bin:/bin'}).stdout


def needed(path):
    """Names of the libraries that it is linked with."""
    return re.findall(r'\(NEEDED\).*\[(.*)\]', _read(path, '-d'))


def loader(path):
    match = re.search(r'interpreter: (.*)\]', _read(path, '-l'))
    return match and match[1]


def glibc(path):
    """The newest glibc that it asks for, as (2, 34), or (0, 0)."""
    found = re.findall(r'Name: GLIBC_(\d+)\.(\d+)', _read(path, '-V'))
    return max(((int(major), int(minor)) for major, minor in found), default=(0, 0))


def problems(tree, mount):
    """What in a tree, which will be at a path, needs something that is not in the tree."""
    found = []
    names = {path.name for path in files(tree)}
    own_libc = any(name.startswith('libc.so') for name in names)
    for path in files(tree):
        # That the libc is a program too, which says its version, is of no use here.
        asks = None if path.name.startswith('libc.so') else loader(path)
        if asks and not (asks.startswith(mount + '/') and
                         (tree / asks[len(mount) + 1:]).is_file()):
            found.append(f'{path}: its loader {asks} is not in the package')
        found += [f'{path}: needs {name}, which is not in the package'
                  for name in needed(path) if name not in names]
        if not own_libc and glibc(path) > (2, 34):
            found.append(f'{path}: needs glibc {glibc(path)}, Amazon Linux 2023 has 2.34')
    return found
