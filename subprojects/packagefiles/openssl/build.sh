#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# build.sh SOURCE BUILD: builds libssl.a and libcrypto.a, and installs the headers below BUILD/prefix.
set -eu
source=$1 build=$2
mkdir -p "$build/objects"
cd "$build/objects"
# Certificates are looked for where Debian, and most others, have them.
[ -f Makefile ] || "$source/Configure" --prefix="$build/prefix" --libdir=lib \
    --openssldir=/etc/ssl no-shared no-tests no-apps no-docs no-module no-legacy no-ssl3 no-dtls -fPIC
make -s -j"$(nproc)" build_libs
make -s install_dev
cp libssl.a libcrypto.a "$build/"
echo '/* Made after the headers of OpenSSL were. */' >"$build/openssl-is-built.h"
