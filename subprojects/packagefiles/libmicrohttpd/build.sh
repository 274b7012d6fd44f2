#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# build.sh SOURCE BUILD: builds libmicrohttpd.a, and installs the headers below BUILD/prefix.
set -eu
source=$1 build=$2
mkdir -p "$build/objects"
cd "$build/objects"
[ -f Makefile ] || "$source/configure" --quiet --prefix="$build/prefix" --disable-shared --enable-static --with-pic \
    --disable-https --disable-doc --disable-examples --disable-tools --disable-curl --disable-dependency-tracking
make -s -j"$(nproc)" -C src/microhttpd install
make -s -C src/include install
cp "$build/prefix/lib/libmicrohttpd.a" "$build/"
echo '/* Made after the headers of libmicrohttpd were. */' >"$build/libmicrohttpd-is-built.h"
