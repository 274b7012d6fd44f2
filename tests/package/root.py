# SPDX-License-Identifier: Apache-2.0
"""What the tests of the packages share: an empty root directory that has nothing but them.

XRAYTRACE_PACKAGE is the folder with the zip files. Without root, who alone may change the root
directory, the tests that run them are skipped.
"""
import os
import pathlib
import shutil
import stat
import sys
import tempfile
import unittest
import zipfile

sys.dont_write_bytecode = True
SOURCE = pathlib.Path(__file__).resolve().parents[2]
PIPELINE = SOURCE / 'examples' / 'media-pipeline'
sys.path.insert(0, str(PIPELINE / 'package_parts'))

ARCHITECTURE = {'x86_64': 'x86_64', 'aarch64': 'arm64'}.get(os.uname().machine)
PACKAGE = pathlib.Path(os.environ.get('XRAYTRACE_PACKAGE', SOURCE / 'build/package'))
FUNCTION = PACKAGE / f'media-pipeline-{ARCHITECTURE}.zip'
LAYER = PACKAGE / f'media-layer-{ARCHITECTURE}.zip'
CA_BUNDLE = 'etc/pki/tls/certs/ca-bundle.crt'  # where Amazon Linux has it

# As Lambda sets them for a function with a layer.
VARIABLES = {
    'PATH': '/usr/local/bin:/usr/bin/:/bin:/opt/bin',
    'LD_LIBRARY_PATH': '/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib',
    'LAMBDA_TASK_ROOT': '/var/task',
    'LANG': 'en_US.UTF-8',
    'TZ': ':UTC',
    'TMPDIR': '/tmp',
    'YTDLP_PATH': '/opt/bin/yt-dlp',
    'FFMPEG_LOCATION': '/opt/bin',
    'JS_RUNTIME': 'quickjs:/opt/bin/qjs',
}  # yapf: disable


def unpack(path, folder):
    """As Lambda does: with the modes of the files."""
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            made = archive.extract(entry, folder)
            os.chmod(made, entry.external_attr >> 16 & 0o777)


def need_root():
    if os.geteuid() != 0:
        raise unittest.SkipTest('only root may change the root directory')


class Root:
    """The zip, the layer, /tmp, a CA bundle, and the two devices that Lambda has."""

    def __init__(self):
        need_root()
        self.path = pathlib.Path(tempfile.mkdtemp(prefix='root-'))
        unpack(FUNCTION, self.path / 'var/task')
        unpack(LAYER, self.path / 'opt')
        (self.path / 'tmp').mkdir(mode=0o1777)
        (self.path / 'dev').mkdir()
        for name, minor in (('null', 3), ('urandom', 9)):
            os.mknod(self.path / 'dev' / name, 0o666 | stat.S_IFCHR, os.makedev(1, minor))
        (self.path / CA_BUNDLE).parent.mkdir(parents=True)
        (self.path / CA_BUNDLE).write_text('')

    def enter(self):
        """For subprocess: to be called in the child."""
        os.chroot(self.path)
        os.chdir('/var/task')

    def starter(self):
        """A program that starts bootstrap in there, for media-local."""
        path = self.path.with_suffix('.sh')
        words = ' '.join(f"{name}='{value}'" for name, value in VARIABLES.items())
        path.write_text(f"#!/bin/sh\nexec env {words} '{shutil.which('chroot')}' '{self.path}' "
                        '/var/task/bootstrap\n')
        path.chmod(0o755)
        return path

    def remove(self):
        shutil.rmtree(self.path)
        self.path.with_suffix('.sh').unlink(missing_ok=True)
