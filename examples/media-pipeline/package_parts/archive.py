# SPDX-License-Identifier: Apache-2.0
"""Zip files that are the same when what is in them is the same, and Lambda's limits for them."""
import zipfile

from common import Failure, say

TIME = (1980, 1, 1, 0, 0, 0)
MEGABYTE = 1 << 20
ZIP_LIMIT = 50 * MEGABYTE  # of one that is uploaded as it is
UNPACKED_LIMIT = 250 * MEGABYTE  # of a function and its layers


def write(tree, path):
    """Zips all files of a tree, in the order of their names, without times and owners."""
    part = path.with_suffix('.part')
    with zipfile.ZipFile(part, 'w', zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for file in sorted(tree.rglob('*')):
            if not file.is_file():
                continue
            entry = zipfile.ZipInfo(str(file.relative_to(tree)), TIME)
            entry.create_system = 3  # Unix: modes count
            entry.external_attr = (0o100755 if file.stat().st_mode & 0o100 else 0o100644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, file.read_bytes())
    part.replace(path)


def unpacked_size(path):
    with zipfile.ZipFile(path) as archive:
        return sum(entry.file_size for entry in archive.infolist())


def check(paths):
    """Says how large the archives are, and fails where Lambda would."""
    total = 0
    for path in paths:
        size, unpacked = path.stat().st_size, unpacked_size(path)
        total += unpacked
        say(f'{path}: {size / MEGABYTE:.1f} MB of {ZIP_LIMIT // MEGABYTE}, '
            f'unpacked {unpacked / MEGABYTE:.1f} MB')
        if size > ZIP_LIMIT:
            raise Failure(f'{path} has {size} bytes: Lambda takes {ZIP_LIMIT} as a direct upload; '
                          'upload it to a bucket, or make it smaller')
    if total > UNPACKED_LIMIT:
        raise Failure(f'unpacked there are {total} bytes: Lambda takes {UNPACKED_LIMIT} of a '
                      'function and all its layers; make the layer smaller')
    say(f'unpacked together: {total / MEGABYTE:.1f} MB of {UNPACKED_LIMIT // MEGABYTE}')
