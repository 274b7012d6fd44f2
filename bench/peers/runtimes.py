# SPDX-License-Identifier: Apache-2.0
"""The programs that are compared: builds ours, installs the others, all below build/."""
import filecmp
import os
import pathlib
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[1]
BUILD = SOURCE / 'build'
PEERS = BUILD / 'peers'


class Missing(Exception):
    """Why a program cannot be had here, in words for people."""


def command(*words, folder=SOURCE, log=None, **environment):
    """Runs one that has to succeed; what it prints goes to a log that is named when it fails."""
    log = log or PEERS / 'install.log'
    with open(log, 'a', encoding='utf-8') as out:
        result = subprocess.run(words, cwd=folder, env={**os.environ, **environment}, stdout=out,
                                stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    if result.returncode:
        last = [line for line in log.read_text(errors='replace').splitlines() if line.strip()]
        raise Missing(f'{" ".join(map(str, words[:3]))} failed: {last[-1] if last else "no output"}'
                      f' (all of it is in {log.relative_to(SOURCE)})')


def need(program, package):
    found = shutil.which(program)
    if not found:
        raise Missing(f'{program} is not in PATH (Debian: {package})')
    return found


def same(*pairs):
    return all(there.exists() and filecmp.cmp(here, there, shallow=False) for here, there in pairs)


def ours(folder=None):
    """The folder with our release build's benchmark programs."""
    if folder is None:
        folder = PEERS / 'release'
        need('meson', 'meson')
        if not (folder / 'build.ninja').exists():
            command('meson', 'setup', '--buildtype=release', '-Dtests=disabled', '-Dcurl=disabled',
                    '-Dlocal=disabled', '-Dexamples=disabled', folder, SOURCE)
        command('ninja', '-C', folder, 'bench/bench-record', 'bench/bench-sink')
    programs = folder.resolve() / 'bench'
    for name in ('bench-record', 'bench-sink'):
        if not (programs / name).exists():
            raise Missing(f'{programs / name} is not there: build with meson and ninja first')
    return programs


def go():
    need('go', 'golang-go')
    program = PEERS / 'go' / 'workloads'
    command('go', 'build', '-modcacherw', '-o', program, '.', folder=HERE / 'go',
            GOPATH=str(PEERS / 'go' / 'path'), GOMODCACHE=str(PEERS / 'go' / 'path' / 'mod'),
            GOCACHE=str(BUILD / 'cache' / 'go'))
    return [program]


def node():
    runtime = need('node', 'nodejs')
    folder = PEERS / 'node'
    files = [(HERE / 'node' / name, folder / name) for name in ('package.json', 'package-lock.json')]
    folder.mkdir(exist_ok=True)
    if not same(*files) or not (folder / 'node_modules').is_dir():
        need('npm', 'npm')
        for here, there in files:
            shutil.copy(here, there)
        command('npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', folder=folder,
                npm_config_cache=str(BUILD / 'cache' / 'npm'))
    shutil.copy(HERE / 'node' / 'workloads.js', folder)
    return [runtime, folder / 'workloads.js']


def python():
    # Debian's own Python, whatever else comes first in PATH.
    runtime = '/usr/bin/python3' if os.access('/usr/bin/python3', os.X_OK) else need('python3', 'python3')
    folder = PEERS / 'python'
    program = folder / 'bin' / 'python'
    requirements = HERE / 'python' / 'requirements.txt'
    if not same((requirements, folder / 'requirements.txt')) or not program.exists():
        shutil.rmtree(folder, ignore_errors=True)
        command(runtime, '-m', 'venv', folder)
        command(program, '-m', 'pip', 'install', '--disable-pip-version-check', '--no-input',
                '--require-hashes', '--prefer-binary', '-r', requirements,
                PIP_CACHE_DIR=str(BUILD / 'pip-cache'))
        shutil.copy(requirements, folder)
    return [program, HERE / 'python' / 'workloads.py']


# The name of each, how it is called in the table, and what installs it and says how to start it.
PEERS_KNOWN = {'go': ('X-Ray SDK for Go', go), 'node': ('X-Ray SDK for Node.js', node),
               'python': ('X-Ray SDK for Python', python)}
