#!/bin/sh
# Prints the version that include/xraytrace/version.h defines.
# SPDX-License-Identifier: Apache-2.0
header=$(dirname "$0")/../include/xraytrace/version.h
awk '/define XRAY_VERSION_(MAJOR|MINOR|PATCH)/ { printf "%s%s", dot, $3; dot = "." }' "$header"
