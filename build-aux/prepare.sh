# SPDX-License-Identifier: Apache-2.0
# What ./demo and ./check share: the Debian packages they need, the virtual
# environment with moto and yt-dlp, and a build folder that takes every file
# and every cache. To be sourced by bash, with $source set to the source tree.
# shellcheck shell=bash disable=SC2034,SC2086,SC2154

build=$source/build
venv=$build/venv

# In each line the first package is installed when none of the line is there.
build_packages='
gcc
libc6-dev
meson
ninja-build
pkgconf|pkg-config
libcjson-dev
libcurl4-openssl-dev|libcurl4-gnutls-dev
libssl-dev
libmicrohttpd-dev
libsqlite3-dev
zlib1g-dev
'
python_packages='
python3
python3-venv
ca-certificates
ffmpeg
'
test_packages='
libcriterion-dev
clang
libclang-rt-14-dev
llvm
clang-format
g++
make
protobuf-compiler
valgrind
'

# The tests of xraytrace-local run the command line tool against it.
local_packages='
awscli
'

# What the packages for Lambda are made with.
package_packages='
dpkg-dev
make
openssl
patchelf
python3-venv
'

# The tests of the web page; nodejs runs those that need no browser.
page_packages='
chromium
fonts-dejavu-core
nodejs
python3
python3-venv
ca-certificates
'

say() {
    if [ -t 1 ]; then
        printf '\033[1m==> %s\033[0m\n' "$*"
    else
        printf '==> %s\n' "$*"
    fi
}

stop() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    exit "${2:-2}"
}

# Nothing is written outside the build folder, whatever a program's habits are.
use_build_folder() {
    mkdir -p "$build/tmp" "$build/cache" || exit 2
    export TMPDIR=$build/tmp XDG_CACHE_HOME=$build/cache
    export PIP_CACHE_DIR=$build/pip-cache PYTHONPYCACHEPREFIX=$build/cache/python
    export PYTHONUNBUFFERED=1
}

installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Prints the packages of the given list of which no alternative is installed.
missing_packages() {
    local line name found
    for line in $1; do
        found=
        for name in ${line//|/ }; do
            if installed "$name"; then
                found=1
                break
            fi
        done
        [ -n "$found" ] || printf '%s ' "${line%%|*}"
    done
}

apt_get() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive TMPDIR=/tmp apt-get -q -y -o Dpkg::Use-Pty=0 "$@" </dev/null
}

# need_packages "$list": installs what is missing, or says what to install.
need_packages() {
    local missing as_root=() line
    if ! command -v dpkg-query >/dev/null; then
        say "This is not Debian: nothing is installed. Needed are, by their Debian names:"
        printf '  %s\n' $1
        return 0
    fi
    missing=$(missing_packages "$1")
    missing=${missing% }
    [ -n "$missing" ] || return 0
    line="apt-get install --no-install-recommends $missing"
    if [ "$(id -u)" != 0 ]; then
        as_root=(sudo)
        [ -t 0 ] || as_root=(sudo -n)
        if ! command -v sudo >/dev/null || ! "${as_root[@]}" true; then
            stop "packages are missing, and installing them needs root. As root, run:

    $line
"
        fi
    fi
    say "Installing the Debian packages $missing"
    # A fresh machine has no package lists, an old one has lists that are out of date.
    if ! apt-cache show $missing >/dev/null 2>&1 ||
        ! apt_get install --no-install-recommends --no-remove $missing; then
        say "Fetching the package lists"
        apt_get update || stop "apt-get update failed: see above. Then, as root: $line"
        apt_get install --no-install-recommends --no-remove $missing ||
            stop "apt-get could not install the packages: see above. As root, try: $line"
    fi
}

# need_venv [SUFFIX]: the Python packages of requirements.txt, or of requirements-SUFFIX.txt, each one
# pinned with its hashes, in build/venv or build/venv-SUFFIX.
need_venv() {
    local suffix=${1:+-$1} python=python3 count requirements venv=$venv
    requirements=$source/build-aux/requirements$suffix.txt
    venv=$venv$suffix
    # Debian's own Python, whatever else comes first in PATH.
    [ -x /usr/bin/python3 ] && python=/usr/bin/python3
    if cmp -s "$requirements" "$venv/requirements.txt" && "$venv/bin/python" -c '' 2>/dev/null; then
        return 0
    fi
    count=$(grep -c '==' "$requirements")
    say "Installing $count Python packages into ${venv#"$source"/}"
    rm -rf "$venv"
    "$python" -m venv "$venv" || stop "python3 -m venv failed: see above"
    if ! "$venv/bin/python" -m pip install --disable-pip-version-check --no-input --progress-bar off \
        --require-hashes --prefer-binary -r "$requirements" >"$build/venv.log" 2>&1; then
        tail -n 20 "$build/venv.log" >&2
        stop "pip could not install ${requirements#"$source"/}; all of its output is in ${build#"$source"/}/venv.log"
    fi
    cp "$requirements" "$venv/requirements.txt"
}

# configure DIRECTORY MESON_OPTION…: sets a build directory up, or brings it up to date.
configure() {
    local directory=$1
    shift
    if [ -f "$directory/build.ninja" ]; then
        meson configure "$directory" "$@" >/dev/null && return 0
        rm -rf "$directory"
    fi
    meson setup "$directory" "$source" "$@"
}
