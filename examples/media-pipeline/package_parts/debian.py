# SPDX-License-Identifier: Apache-2.0
"""Packages and sources of the Debian release that this machine runs, for any architecture.

apt gets lists of its own below the build folder: the machine's packages stay as they are. What
is fetched is what Debian's archive key has signed; security updates come with it.
"""
import os
import pathlib
import re
import subprocess
import time

from common import Failure, need, run, say

KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'
LISTS_SECONDS = 24 * 3600
CONFIGURATION = '''APT::Architecture "{architecture}";
#clear APT::Architectures;
APT::Architectures {{ "{architecture}"; }};
APT::Install-Recommends "false";
APT::Sandbox::User "";
Acquire::Languages "none";
Dir::Etc::sourcelist "{folder}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State "{folder}";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}";
'''


class Debian:
    def __init__(self, target, refresh=False):
        self.target = target
        self.folder = target.work / 'apt'
        self.log = target.work / 'apt.log'
        for program, package in (('apt-get', 'apt'), ('dpkg-deb', 'dpkg'), ('dpkg-source', 'dpkg-dev')):
            need(program, package)
        for name in ('lists/partial', 'archives/partial', 'none/partial'):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / 'status').touch()
        (self.folder / 'apt.conf').write_text(
            CONFIGURATION.format(architecture=target.debian, folder=self.folder))
        # After the machine's own settings, of a proxy for example.
        self.environment = {'APT_CONFIG': str(self.folder / 'apt.conf'), 'LC_ALL': 'C.UTF-8'}
        self._update(refresh)

    def _update(self, refresh):
        fetched = self.folder / 'fetched'
        sources = self._sources()
        listed = self.folder / 'sources.list'
        if (not refresh and fetched.exists() and listed.exists() and listed.read_text() == sources and
                time.time() - fetched.stat().st_mtime < LISTS_SECONDS):
            return
        say(f'Fetching the lists of Debian packages for {self.target.debian}')
        listed.write_text(sources)
        run(self.log, 'apt-get', '-q', 'update', '--error-on=any', environment=self.environment)
        fetched.touch()

    @staticmethod
    def _sources():
        """The machine's own sources, for programs and for sources, and stable for newer sources."""
        done = subprocess.run(['apt-get', 'indextargets', '--format',
                               '$(SITE) $(RELEASE) $(COMPONENT)'], stdout=subprocess.PIPE,
                              text=True, check=False)
        found = re.findall(r'^(\S*/debian(?:-security)?/? \S+ main)$', done.stdout, re.M)
        lines = [f'{kind} [signed-by={KEYRING}] {place}'
                 for place in dict.fromkeys(found) for kind in ('deb', 'deb-src')]
        mirrors = [place.split()[0] for place in found if re.search(r'/debian/? ', place)]
        if not mirrors:
            raise Failure('no Debian mirror is configured here: build on Debian 12 or newer, with '
                          'a line of it in /etc/apt/sources.list')
        lines.append(f'deb-src [signed-by={KEYRING}] {mirrors[0]} stable main')
        return '\n'.join(dict.fromkeys(lines)) + '\n'

    def _ask(self, *words):
        done = subprocess.run(words, env={**os.environ, **self.environment}, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if done.returncode:
            raise Failure(f'{" ".join(words)}: {done.stderr.strip()}')
        return done.stdout

    def field(self, package, name):
        """A field of the newest version of a package."""
        text = self._ask('apt-cache', 'show', '--no-all-versions', package)
        match = re.search(rf'^{name}: (.*)$', text, re.M)
        if not match:
            raise Failure(f'Debian\'s {package} has no {name}')
        return match[1]

    def python(self):
        """Which Python the release has, as in 3.11."""
        return re.search(r'python(3\.\d+) ', self.field('python3', 'Depends') + ' ')[1]

    def closure(self, *packages):
        """File name and URL of these packages and of all that they depend on."""
        # Where nothing has been downloaded yet: the rest would not be printed.
        text = self._ask('apt-get', '-o', f'Dir::Cache::archives={self.folder}/none', 'install',
                         '--print-uris', '-qq', '-y', *packages)
        return re.findall(r"^'(\S+)' (\S+\.deb) ", text, re.M)

    def unpack(self, names, packages, folder):
        """Downloads packages and what they depend on; unpacks those of the names."""
        run(self.log, 'apt-get', '-q', '-y', '--download-only', 'install', *packages,
            environment=self.environment)
        for name in sorted(names):
            run(self.log, 'dpkg-deb', '-x', self.folder / 'archives' / name, folder)

    def source_version(self, package, at_least='0'):
        """The first version of a source that is new enough, of the machine's release first."""
        text = self._ask('apt-cache', 'showsrc', '--only-source', package)
        versions = re.findall(r'^Version: (\S+)$', text, re.M)
        # As listed they have no order that tells the release.
        own = self._own_version(package)
        for version in ([own] if own else []) + sorted(versions):
            if subprocess.run(['dpkg', '--compare-versions', version, 'ge', at_least],
                              check=False).returncode == 0:
                return version
        raise Failure(f'Debian has no source of {package} of {at_least} or newer: it has '
                      f'{", ".join(versions) or "none"}')

    def _own_version(self, package):
        """The version that the machine's release has built."""
        text = self._ask('apt-cache', 'showpkg', package)
        match = re.search(r'^Versions: \n(\S+)', text, re.M)
        return match and re.sub(r'\+b\d+$', '', match[1])

    def source(self, package, version, folder):
        """Downloads a source, checks it, applies Debian's patches; where it is."""
        folder = folder / f'source-{package}'
        folder.mkdir()
        run(self.log, 'apt-get', '-q', 'source', '--only-source', f'{package}={version}',
            cwd=folder, environment=self.environment)
        found = [path for path in folder.iterdir() if path.is_dir()]
        if len(found) != 1:
            raise Failure(f'apt-get source {package}={version} left {len(found)} folders in {folder}')
        return found[0]

    @staticmethod
    def version_of(deb):
        """(name, version) of a package by its file's name."""
        name, version = pathlib.Path(deb).name.split('_')[:2]
        return name, version.replace('%3a', ':')

    def owners(self, names, tree):
        """(name, version) of those packages that have a library or a program of the tree."""
        there = {path.name for path in tree.rglob('*') if path.is_file()}
        for name in names:
            listed = self._ask('dpkg-deb', '--contents', str(self.folder / 'archives' / name))
            paths = (line.split(' -> ')[0].split(' ', 5)[-1] for line in listed.splitlines())
            if any('/lib' in path and path.rsplit('/', 1)[-1] in there for path in paths):
                yield self.version_of(name)
