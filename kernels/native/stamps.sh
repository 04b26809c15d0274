#!/usr/bin/env bash
# Keeps the stamps that rules.mk speaks of.
#   stamps.sh BUILD files FILE...          a stamp for each file, written when its content changes
#   stamps.sh BUILD command NAME WORDS     one that is written when the words change
set -euo pipefail
stamps=$1/stamps
mkdir -p "$stamps"

write() { # stamp content
  local old=
  if [ -f "$1" ]; then IFS= read -r old <"$1" || true; fi
  [ "$old" = "$2" ] || printf '%s\n' "$2" >"$1"
}

if [ "$2" = command ]; then
  write "$stamps/command-$3" "$4"
  exit
fi
shift 2
if command -v sha256sum >/dev/null; then sum=(sha256sum); else sum=(shasum -a 256); fi
"${sum[@]}" -- "$@" | while read -r content file; do
  write "$stamps/${file//\//+}" "$content"
done
