#!/usr/bin/env bash
# Unpacks the files that are kept compressed, those that are newer than what lies beside them; the build calls it first.
# "gzip -9nkf FILE" packs one again that was made anew; .gitignore names what it unpacks.
set -euo pipefail
cd "$(dirname "$0")"
find . -name '*.gz' | while read -r packed; do
  file=${packed%.gz}
  if [ ! -e "$file" ] || [ "$packed" -nt "$file" ]; then
    gunzip -c "$packed" >"$file.part"
    mv "$file.part" "$file"
  fi
done
