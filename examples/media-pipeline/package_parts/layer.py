# SPDX-License-Identifier: Apache-2.0
"""The layer of StartFileUpload: yt-dlp with a Python of its own, ffmpeg, and QuickJS.

ffmpeg, ffprobe and qjs are static. Python is Debian's, with its loader and its libraries beside
it: nothing of the machine that runs it is used, whatever its libc.
"""
import os
import re
import shutil
import sys

import elf
from common import HERE, SOURCE, Failure, need, once, recipe, run

PYTHON_HOME = 'lib/yt-dlp'
# yt-dlp takes no QuickJS older than this.
QUICKJS_AT_LEAST = '2023.12.09'

# Phones get files that were remuxed, never encoded anew. Only files: what is fetched goes
# through yt-dlp, which knows what may be fetched. Decoders tell the sizes of pictures and frames.
FFMPEG_PARTS = {
    'demuxer': 'aac ac3 concat eac3 ffmetadata flac flv h264 hevc image2 matroska mov mp3 mpegps '
               'mpegts ogg wav webvtt srt',
    'muxer': 'adts flac ffmetadata ipod matroska matroska_audio mov mp3 mp4 mpegts null ogg opus '
             'webm webvtt srt',
    'parser': 'aac ac3 av1 flac h264 hevc mpeg4video mpegaudio opus vorbis vp8 vp9',
    'decoder': 'aac ac3 av1 eac3 flac h264 hevc mp3 mpeg4 opus vorbis vp8 vp9 webvtt',
    'bsf': 'aac_adtstoasc av1_frame_merge extract_extradata h264_mp4toannexb hevc_mp4toannexb '
           'null setts vp9_superframe vp9_superframe_split',
    'protocol': 'file pipe',
}  # yapf: disable
FFMPEG_OPTIONS = (
    '--disable-everything', '--disable-autodetect', '--disable-network', '--disable-doc',
    '--disable-debug', '--disable-x86asm', '--disable-ffplay', '--disable-avdevice',
    '--disable-swscale', '--disable-postproc', '--enable-small', '--enable-static',
    '--disable-shared', '--enable-pic', '--extra-cflags=-fPIE', '--extra-ldflags=-static-pie',
    '--pkg-config=false',
)  # yapf: disable

# What a downloader has no use for.
NOT_OF_PYTHON = re.compile(
    r'(test|tests|idlelib|lib2to3|tkinter|turtledemo|ensurepip|distutils|pydoc_data|unittest|venv|'
    r'curses|dbm|config-.*|__pycache__|turtle\.py|pydoc\.py|doctest\.py|antigravity\.py)$')
NOT_OF_DYNLOAD = re.compile(r'(_curses|_curses_panel|_dbm|_gdbm|_tkinter|_test\w*|_xxtestfuzz|nis|'
                            r'_ctypes_test|ossaudiodev|readline|xx\w+)\.')

YTDLP = f'''#!/opt/{PYTHON_HOME}/bin/python3 -IS
# SPDX-License-Identifier: Apache-2.0
# yt-dlp with the Python, the libraries and the packages beside it, and with nothing else.
import os
import sys

sys.path.insert(0, '/opt/{PYTHON_HOME}/packages')
os.environ.setdefault('SSL_CERT_FILE', '{{bundle}}')
from yt_dlp import main  # noqa: E402

main()
'''


def ffmpeg(target, debian):
    version = debian.source_version('ffmpeg')

    def build(folder):
        need('make', 'make')
        log = folder / 'build.log'
        source = debian.source('ffmpeg', version, folder)
        parts = [f'--enable-{kind}={name}' for kind, names in FFMPEG_PARTS.items()
                 for name in names.split()]
        run(log, source / 'configure', *FFMPEG_OPTIONS, *parts, '--enable-cross-compile',
            '--target-os=linux', f'--arch={target.cpu}', f'--cc={target.compiler()[0]}',
            f'--ar={target.tool("ar")}', f'--nm={target.tool("nm")}',
            f'--ranlib={target.tool("ranlib")}', f'--strip={target.tool("strip")}',
            f'--sysroot={target.sysroot}', cwd=folder)
        run(log, 'make', f'-j{target.jobs}', 'ffmpeg', 'ffprobe', cwd=folder)
        shutil.copy(source / 'debian/copyright', folder / 'copyright')
        shutil.rmtree(folder / 'source-ffmpeg')

    key = recipe(version, target.sysroot.parent.name, FFMPEG_PARTS, FFMPEG_OPTIONS)
    return version, once(target, 'ffmpeg', key, build,
                         f'Building ffmpeg {version}, which takes minutes')


def quickjs(target, debian):
    version = debian.source_version('quickjs', QUICKJS_AT_LEAST)

    def build(folder):
        source = debian.source('quickjs', version, folder)
        # With a prefix, always: without one its Makefile takes no compiler that has options.
        options = [f'CROSS_PREFIX={target.triplet}-', 'HOST_CC=gcc', 'CONFIG_LTO=', 'LDEXPORT=',
                   f'CC={" ".join(target.compiler())} -fPIE', 'LDFLAGS=-static-pie -s']
        run(folder / 'build.log', 'make', f'-j{target.jobs}', 'qjs', *options, cwd=source)
        shutil.copy(source / 'qjs', folder)
        shutil.copy(source / 'LICENSE', folder / 'copyright')

    key = recipe(version, target.sysroot.parent.name)
    return version, once(target, 'quickjs', key, build, f'Building QuickJS {version}')


def python(target, debian):
    """Debian's Python and what it is linked with: (its version, where it is, its packages)."""
    version = debian.python()
    wanted = (f'python{version}-minimal', f'libpython{version}-stdlib', 'libgcc-s1')
    names = [name for _, name in debian.closure(*wanted)]

    def build(folder):
        debian.unpack(names, wanted, folder / 'root')

    folder = once(target, 'python', recipe(sorted(names)), build, f'Fetching Python {version}')
    return version, folder / 'root', names


def packages(target, version):
    """The packages of requirements-layer.txt."""
    requirements = SOURCE / 'build-aux/requirements-layer.txt'

    def build(folder):
        log = folder / 'pip.log'
        run(log, '/usr/bin/python3' if os.path.exists('/usr/bin/python3') else sys.executable,
            '-m', 'venv', folder / 'venv')
        run(log, folder / 'venv/bin/python', '-m', 'pip', 'install', '--disable-pip-version-check',
            '--no-input', '--progress-bar', 'off', '--require-hashes', '--no-deps', '--no-compile',
            '--only-binary=:all:', '--implementation', 'cp', '--python-version', version,
            '--platform', f'manylinux2014_{target.cpu}', '--platform', f'manylinux_2_17_{target.cpu}',
            '--target', folder / 'packages', '-r', requirements)
        shutil.rmtree(folder / 'venv')

    folder = once(target, 'packages', recipe(requirements, version), build,
                  'Fetching yt-dlp and what it needs')
    return folder / 'packages'


def assemble(target, tree, root, version, wheels, programs, bundle):
    """Lays the layer out below a folder."""
    home = tree / PYTHON_HOME
    modules = home / 'lib' / f'python{version}'
    (tree / 'bin').mkdir(parents=True)
    (home / 'bin').mkdir(parents=True)
    for program in programs:
        shutil.copy(program, tree / 'bin')
        run(target.work / 'layer.log', target.tool('strip'), tree / 'bin' / program.name)
    script = tree / 'bin/yt-dlp'
    script.write_text(YTDLP.replace('{bundle}', bundle))
    script.chmod(0o755)

    def unwanted(folder, names):
        rule = NOT_OF_DYNLOAD if folder.endswith('lib-dynload') else NOT_OF_PYTHON
        return [name for name in names if rule.match(name)]

    shutil.copytree(root / f'usr/lib/python{version}', modules, ignore=unwanted)
    shutil.copytree(wheels, home / 'packages',
                    ignore=shutil.ignore_patterns('bin', 'SelfTest', '__pycache__', 'share'))
    interpreter = home / 'bin/python3'
    shutil.copy(root / f'usr/bin/python{version}', interpreter)
    libraries(target, root, home)
    loader = elf.loader(interpreter)
    # An rpath, and not a runpath: Lambda's LD_LIBRARY_PATH has libraries of another libc. Not
    # from $ORIGIN, which takes /proc to find.
    place = f'/opt/{PYTHON_HOME}/lib'
    run(target.work / 'layer.log', 'patchelf', '--force-rpath', '--set-rpath', place,
        '--set-interpreter', f'{place}/{os.path.basename(loader)}', interpreter)
    compile_modules(target, home, version)


def libraries(target, root, home):
    """Copies the loader and all libraries that anything of Python's is linked with."""
    places = [root / place / target.triplet for place in ('lib', 'usr/lib')]
    places += [root / 'lib64', root / 'lib']

    def find(name):
        for place in places:
            if (place / name).exists():
                return place / name
        raise Failure(f'{name} is in none of the packages that Python depends on')

    wanted = {os.path.basename(elf.loader(home / 'bin/python3')), 'libgcc_s.so.1'}
    for path in elf.files(home):
        wanted.update(elf.needed(path))
    done = set()
    while wanted - done:
        name = sorted(wanted - done)[0]
        shutil.copy(find(name), home / 'lib' / name)
        done.add(name)
        wanted.update(elf.needed(home / 'lib' / name))


def compile_modules(target, home, version):
    """Compiles all modules, for good: nothing looks at the times of files any more."""
    python_program = shutil.which(f'python{version}', path='/usr/bin') or shutil.which(
        f'python{version}')
    if not python_program:
        raise Failure(f'there is no python{version}: install the Debian package python{version}')
    for folder in (home / 'lib' / f'python{version}', home / 'packages'):
        run(target.work / 'layer.log', python_program, '-IS', '-m', 'compileall', '-q', '-f',
            '--invalidation-mode', 'unchecked-hash', '-s', folder.parents[2] if
            folder.name.startswith('python') else folder.parents[1], folder)
