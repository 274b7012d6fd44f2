# SPDX-License-Identifier: Apache-2.0
"""What the steps of package share: failures, programs that are run, steps done before."""
import hashlib
import os
import pathlib
import shutil
import subprocess
import time

SOURCE = pathlib.Path(__file__).resolve().parents[3]
HERE = pathlib.Path(__file__).resolve().parent

# What Lambda calls it: (Debian's name, what GNU calls it, what ffmpeg and Meson call it).
ARCHITECTURES = {
    'x86_64': ('amd64', 'x86_64-linux-gnu', 'x86_64'),
    'arm64': ('arm64', 'aarch64-linux-gnu', 'aarch64'),
}

PROGRESS_SECONDS = 20


class Failure(Exception):
    """Said to the user: the thing, the reason, the remedy."""


class Target:
    """An architecture, where it is built, and how."""

    def __init__(self, name, output, jobs):
        self.name = name
        self.debian, self.triplet, self.cpu = ARCHITECTURES[name]
        self.output = output
        self.work = output / name
        self.sysroot = self.work / 'sysroot'
        self.jobs = jobs
        self.work.mkdir(parents=True, exist_ok=True)
        self.is_native = os.uname().machine == self.cpu

    def tool(self, name):
        """A program of the compiler's, for this architecture."""
        path = shutil.which(f'{self.triplet}-{name}')
        if not path:
            package = 'gcc' if self.is_native else f'gcc-{self.triplet.replace("_", "-")}'
            raise Failure(f'there is no {self.triplet}-{name}: install {package}')
        return path

    def compiler(self):
        return [self.tool('gcc'), f'--sysroot={self.sysroot}']


def say(text):
    print(f'{time.strftime("%H:%M:%S")}  {text}', flush=True)


def need(program, package):
    if not shutil.which(program):
        raise Failure(f'there is no {program}: install the Debian package {package}')


def run(log, *words, cwd=None, environment=None):
    """Runs a program whose output goes to a log; the end of it is what a failure shows."""
    words = [str(word) for word in words]
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, 'ab') as file:
        file.write(('$ ' + ' '.join(words) + '\n').encode())
        file.flush()
        with subprocess.Popen(words, cwd=cwd, env={**os.environ, **(environment or {})},
                              stdin=subprocess.DEVNULL, stdout=file, stderr=file) as child:
            wait(child, log)
    if child.returncode:
        end = log.read_text(errors='replace').splitlines()[-25:]
        raise Failure(f'{pathlib.Path(words[0]).name} ended with {child.returncode}:\n  ' +
                      '\n  '.join(end) + f'\nall of it is in {log}')


def wait(child, log):
    """Waits for a program; says now and then that it is at work."""
    while True:
        try:
            child.wait(PROGRESS_SECONDS)
            return
        except subprocess.TimeoutExpired:
            lines = log.read_text(errors='replace').splitlines()
            compiled = sum(line.startswith('CC\t') for line in lines)
            say(f'  … {compiled} files compiled' if compiled else f'  … {lines[-1][:90]}')


def recipe(*parts):
    """A digest of what a step is made of: when it changes, the step is done again."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.read_bytes() if isinstance(part, pathlib.Path) else repr(part).encode()
        digest.update(hashlib.sha256(data).digest())
    return digest.hexdigest()[:16]


def once(target, name, key, step, what):
    """The folder of a step, which is done when it was not done for this key before."""
    folder = target.work / f'{name}-{key}'
    if (folder / '.done').exists():
        return folder
    for old in target.work.glob(f'{name}-*'):
        shutil.rmtree(old)
    say(what)
    began = time.monotonic()
    folder.mkdir()
    step(folder)
    (folder / '.done').touch()
    say(f'  {time.monotonic() - began:.0f} s')
    return folder
