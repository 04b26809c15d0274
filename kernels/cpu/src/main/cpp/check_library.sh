#!/usr/bin/env bash
# Holds a library for Linux to what it may need and export: check_library.sh OBJDUMP LIBRARY
set -euo pipefail
symbols=$("$1" -T "$2")

# It must load on the servers that people have.
newer=$(awk '
  match($0, /(GLIBC|GLIBCXX)_[0-9.]+/) {
    split(substr($0, RSTART, RLENGTH), a, "_"); split(a[2], v, "."); n = v[1] * 10000 + v[2] * 100 + v[3]
    if ((a[1] == "GLIBC" && n > 22800) || (a[1] == "GLIBCXX" && n > 30425)) print $NF " of " a[1] "_" a[2]
  }' <<<"$symbols")
[ -z "$newer" ] || { echo "$2: symbols newer than GLIBC_2.28 / GLIBCXX_3.4.25: $newer" >&2; exit 1; }
foreign=$(awk '$0 !~ /\*UND\*/ && $2 ~ /g/ && $NF !~ /^gatun_/ { print $NF }' <<<"$symbols")
[ -z "$foreign" ] || { echo "$2: exports that are not of the interface: $foreign" >&2; exit 1; }
own=$(awk '$NF ~ /^gatun_/' <<<"$symbols" | wc -l)
[ "$own" -gt 0 ] || { echo "$2: exports nothing, or $1 cannot read it" >&2; exit 1; }
