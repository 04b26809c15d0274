#!/usr/bin/env bash
# Builds the benchmarks and runs one: bench/run.sh SUITE [options]; bench/run.sh --help lists them.
set -euo pipefail
cd "$(dirname "$0")/.."
# Where ./gatun looks for it too.
find_java() {
  local on_path
  on_path=$(readlink -f "$(command -v javac)" 2>/dev/null) || on_path=
  for home in "${JAVA_HOME:-}" "${on_path%/bin/javac}" /usr/lib/jvm/* /opt/* /opt/*/* \
    "${SDKMAN_DIR:-$HOME/.sdkman}"/candidates/java/* "$HOME"/.jdks/*; do
    if [ -x "$home/bin/java" ] && grep -Eqs '^JAVA_VERSION="25([.+"]|$)' "$home/release"; then
      echo "$home/bin/java"
      return
    fi
  done
  echo "bench/run.sh: no JDK 25 in JAVA_HOME, PATH, /usr/lib/jvm, /opt, SDKMAN or ~/.jdks" >&2
  exit 1
}
java=$(find_java)
mvn -q -B -Pbench -DskipTests -Dgatun.format=skip package -pl bench -am
exec "$java" --enable-native-access=ALL-UNNAMED -cp "bench/target/classes:$(cat bench/target/class-path.txt)" \
  dev.gatun.bench.Bench "$@"
