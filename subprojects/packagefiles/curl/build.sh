#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# build.sh SOURCE BUILD OPENSSL: builds libcurl.a, and installs the headers below BUILD/prefix.
set -eu
source=$1 build=$2 openssl=${3:-}
mkdir -p "$build/objects"
cd "$build/objects"
[ -f Makefile ] || "$source/configure" --quiet --prefix="$build/prefix" --disable-shared --enable-static --with-pic \
    --with-openssl${openssl:+="$openssl"} --disable-dependency-tracking --disable-manual --disable-docs \
    --disable-ares --disable-dict --disable-file --disable-ftp --disable-gopher --disable-imap --disable-ldap \
    --disable-mqtt --disable-pop3 --disable-rtsp --disable-smb --disable-smtp --disable-telnet --disable-tftp \
    --disable-unix-sockets --without-brotli --without-libidn2 --without-libpsl --without-librtmp \
    --without-libssh2 --without-nghttp2 --without-zlib --without-zstd
make -s -j"$(nproc)" -C lib
make -s -C lib install
make -s -C include install
cp "$build/prefix/lib/libcurl.a" "$build/"
echo '/* Made after the headers of libcurl were. */' >"$build/curl-is-built.h"
