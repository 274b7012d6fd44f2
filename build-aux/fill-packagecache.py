#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fetches the sources of the wraps from Debian: fill-packagecache.py DIRECTORY [WRAP…]

Meson downloads them from where the wraps say. This is for machines that reach
nothing but a Debian mirror: the original archives of Debian's source packages
are the upstream releases, byte for byte, which their SHA-256 shows. Files that
are there already are left alone. Exit status: 0, or 1 when one was not found.
"""
import configparser
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parents[1]
KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'
SUITES = ('stable', 'testing', 'unstable')


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def missing(directory, names):
    """(wrap's name, file name, hash) of what is not in the directory."""
    for path in sorted((SOURCE / 'subprojects').glob('*.wrap')):
        wrap = configparser.ConfigParser(interpolation=None)
        wrap.read(path)
        file = wrap['wrap-file']
        cached = directory / file['source_filename']
        if names and path.stem not in names:
            continue
        if not cached.is_file() or sha256(cached) != file['source_hash']:
            yield path.stem, file['source_filename'], file['source_hash']


class Apt:
    """apt with lists of source packages of its own, from the mirror that the machine uses."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        (self.folder / 'lists' / 'partial').mkdir(parents=True)
        targets = self.run('apt-get', 'indextargets', '--format', '$(SITE) $(RELEASE) $(COMPONENT)',
                           own=False)
        sites = re.findall(r'^(\S+) \S+ main$', targets, re.M)
        mirrors = [site for site in dict.fromkeys(sites) if re.search(r'/debian/?$', site)]
        if not mirrors:
            raise OSError('no Debian mirror is configured')
        (self.folder / 'sources.list').write_text(''.join(
            f'deb-src [signed-by={KEYRING}] {mirrors[0]} {suite} main\n' for suite in SUITES))
        self.run('apt-get', '-q', 'update')

    def run(self, program, *words, own=True, cwd=None):
        options = ['-o', f'Dir::Etc::sourcelist={self.folder}/sources.list',
                   '-o', 'Dir::Etc::sourceparts=/dev/null', '-o', f'Dir::State::lists={self.folder}/lists',
                   '-o', f'Dir::Cache={self.folder}', '-o', 'APT::Sandbox::User=root',
                   # What is fetched is known by its hash, however old the list.
                   '-o', 'Acquire::Check-Valid-Until=false'] if own else []
        result = subprocess.run([program, *options, *words], text=True, cwd=cwd, timeout=600,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if result.returncode:
            raise OSError(f'{program} {words[0]} failed: {result.stderr.strip()}')
        return result.stdout

    def fetch(self, package, digest):
        """The path of the original archive with this SHA-256."""
        version = None
        for line in self.run('apt-cache', 'showsrc', package).splitlines():
            if line.startswith('Version: '):
                version = line.split()[1]
            elif digest in line:
                break
        else:
            raise OSError(f'Debian has no {package} whose original archive is {digest}')
        self.run('apt-get', '-q', 'source', '--download-only', '--tar-only', f'{package}={version}',
                 cwd=self.folder)
        for path in self.folder.glob(f'{package}_*.orig.tar.*'):
            if sha256(path) == digest:
                return path
        raise OSError(f'what was fetched of {package} {version} is not {digest}')


def main():
    directory = pathlib.Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    wanted = list(missing(directory, sys.argv[2:]))
    if not wanted:
        return 0
    try:
        with tempfile.TemporaryDirectory() as folder:
            apt = Apt(folder)
            for package, name, digest in wanted:
                print(f'fetching {name}', flush=True)
                part = directory / (name + '.part')
                shutil.copyfile(apt.fetch(package, digest), part)
                os.replace(part, directory / name)
    except (OSError, subprocess.SubprocessError) as error:
        print(f'{sys.argv[0]}: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
