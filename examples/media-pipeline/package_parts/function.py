# SPDX-License-Identifier: Apache-2.0
"""The functions' program, static: with Debian's OpenSSL, and cJSON and libcurl made of its sources.

A static program starts in a few milliseconds and needs nothing of the machine that runs it.
"""
import shlex
import shutil

from common import HERE, SOURCE, need, once, recipe, run

DEVELOPMENT = ('libc6-dev', 'libssl-dev', 'libcjson-dev')
# Where Amazon Linux has the certificates of the authorities.
CA_BUNDLE = '/etc/pki/tls/certs/ca-bundle.crt'
CURL_OPTIONS = (
    '--quiet', '--prefix=/usr', '--disable-shared', '--enable-static', '--with-pic',
    '--disable-dependency-tracking', '--disable-manual', '--disable-ares', '--disable-dict',
    '--disable-file', '--disable-ftp', '--disable-gopher', '--disable-imap', '--disable-ldap',
    '--disable-mqtt', '--disable-pop3', '--disable-rtsp', '--disable-smb', '--disable-smtp',
    '--disable-telnet', '--disable-tftp', '--disable-unix-sockets', '--disable-ntlm',
    '--without-brotli', '--without-libidn2', '--without-libpsl', '--without-librtmp',
    '--without-libssh2', '--without-nghttp2', '--without-zlib', '--without-zstd',
    f'--with-ca-bundle={CA_BUNDLE}', '--without-ca-path',
)  # yapf: disable
MACHINE = '''[binaries]
c = {compiler}
ar = '{ar}'
strip = '{strip}'
pkg-config = 'pkg-config'
pkgconfig = 'pkg-config'

[properties]
sys_root = '{sysroot}'
pkg_config_libdir = ['{sysroot}/usr/lib/{triplet}/pkgconfig']
needs_exe_wrapper = {wrapper}

[host_machine]
system = 'linux'
cpu_family = '{cpu}'
cpu = '{cpu}'
endian = 'little'
'''


def make_sysroot(target, debian):
    """The headers and archives of the target; what is linked: name: (version, its licence)."""
    closure = debian.closure(*DEVELOPMENT)
    names = [name for _, name in closure]
    versions = {name: debian.source_version(name) for name in ('cjson', 'curl')}

    def build(folder):
        target.sysroot = folder / 'root'
        log = folder / 'build.log'
        debian.unpack(names, DEVELOPMENT, target.sysroot)
        for name, make in (('cjson', build_cjson), ('curl', build_curl)):
            source = debian.source(name, versions[name], folder)
            make(target, source, log)
            words = target.sysroot / 'usr/share/doc' / name
            words.mkdir()
            shutil.copy(source / 'debian/copyright', words)
            shutil.rmtree(source.parent)

    folder = once(target, 'sysroot', recipe(sorted(names), versions, HERE / 'function.py'), build,
                  f'Building what bootstrap is linked with: libcurl {versions["curl"]}, '
                  f'cJSON {versions["cjson"]}')
    target.sysroot = folder / 'root'
    debs = dict(map(debian.version_of, names))
    linked = {**versions, **{name: debs[name] for name in ('libc6', 'libssl3', 'libgcc-s1')}}
    return {name: (version, target.sysroot / 'usr/share/doc' / name / 'copyright')
            for name, version in linked.items()}


def build_cjson(target, source, log):
    library = target.sysroot / 'usr/lib' / target.triplet
    run(log, *target.compiler(), '-O2', '-fPIE', '-c', source / 'cJSON.c', '-o', source / 'cJSON.o')
    run(log, target.tool('ar'), 'rcsD', library / 'libcjson.a', source / 'cJSON.o')


def build_curl(target, source, log):
    need('make', 'make')
    objects = source.parent / 'objects'
    objects.mkdir()
    run(log, source / 'configure', *CURL_OPTIONS, f'--host={target.triplet}',
        f'--libdir=/usr/lib/{target.triplet}', '--with-openssl', cwd=objects,
        environment={'CC': shlex.join(target.compiler()), 'CFLAGS': '-O2 -fPIE',
                     'PKG_CONFIG_LIBDIR': f'{target.sysroot}/usr/lib/{target.triplet}/pkgconfig',
                     'PKG_CONFIG_SYSROOT_DIR': str(target.sysroot)})
    # Debian's patches are younger than what automake made, and change nothing of ours.
    made = ('ACLOCAL=:', 'AUTOCONF=:', 'AUTOMAKE=:', 'AUTOHEADER=:')
    run(log, 'make', '-s', f'-j{target.jobs}', '-C', 'lib', *made, cwd=objects)
    for part, goal in (('lib', 'install'), ('include', 'install'), ('.', 'install-pkgconfigDATA')):
        run(log, 'make', '-s', '-C', part, goal, f'DESTDIR={target.sysroot}', *made, cwd=objects)


def build_bootstrap(target):
    """Builds the program anew where its sources changed; its path."""
    for program, package in (('meson', 'meson'), ('ninja', 'ninja-build'), ('pkg-config', 'pkgconf')):
        need(program, package)
    log = target.work / 'bootstrap.log'
    log.unlink(missing_ok=True)
    machine = target.work / 'machine.ini'
    text = MACHINE.format(
        compiler=target.compiler(), ar=target.tool('ar'), strip=target.tool('strip'),
        sysroot=target.sysroot, triplet=target.triplet, cpu=target.cpu,
        wrapper='false' if target.is_native else 'true')
    build = target.work / 'build'
    options = ('--cross-file', machine, '--buildtype=release', '--wrap-mode=nofallback', '-Dprefer_static=true',
               '-Ddefault_library=static', '-Db_pie=true', '-Dcurl=enabled', '-Dexamples=enabled',
               '-Dtests=disabled', '-Dlocal=disabled', '-Dbenchmarks=disabled')
    if not machine.exists() or machine.read_text() != text or not (build / 'build.ninja').exists():
        machine.write_text(text)
        wipe = ('--wipe',) if (build / 'build.ninja').exists() else ()
        run(log, 'meson', 'setup', *wipe, build, SOURCE, *options)
    run(log, 'ninja', '-C', build, f'-j{target.jobs}', 'examples/media-pipeline/bootstrap')
    program = target.work / 'bootstrap'
    run(log, target.tool('strip'), '-o', program, build / 'examples/media-pipeline/bootstrap')
    return program
