#!/usr/bin/env bash
# Turns a compiler's list of what an object was made from into make's rules by stamps: headers.sh LIST OBJECT
# Files of absolute paths are the compiler's or generated ones. A header that is gone makes the object again.
set -euo pipefail
tr -s ' \\\n' '\n\n\n' <"$1" | sed -e 1d -e '/^:*$/d' -e '/^\//d' -e ':again' -e 's,[^/.][^/]*/\.\./,,' -e 't again' \
  -e 's,^\./,,' -e 's,/,+,g' | sort -u | while IFS= read -r file; do
  printf '%s: $(BUILD)/stamps/%s\n$(BUILD)/stamps/%s:\n' "$2" "$file" "$file"
done
