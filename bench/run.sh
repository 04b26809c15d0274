#!/usr/bin/env bash
# Builds the benchmarks and runs one: bench/run.sh SUITE [options]; bench/run.sh --help lists them.
set -euo pipefail
cd "$(dirname "$0")/.."
find_java() {
  for home in "${JAVA_HOME:-}" /usr/lib/jvm/*25* "$HOME"/.jdks/*25*; do
    if [ -x "$home/bin/java" ] && "$home/bin/java" -version 2>&1 | grep -q '"25'; then
      echo "$home/bin/java"
      return
    fi
  done
  echo "bench/run.sh: no JDK 25 in JAVA_HOME, /usr/lib/jvm or ~/.jdks" >&2
  exit 1
}
java=$(find_java)
mvn -q -B -Pbench -DskipTests -Dgatun.format=skip package -pl bench -am
exec "$java" --enable-native-access=ALL-UNNAMED -cp "bench/target/classes:$(cat bench/target/class-path.txt)" \
  dev.gatun.bench.Bench "$@"
