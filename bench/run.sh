#!/usr/bin/env bash
# Builds the benchmarks and runs one: bench/run.sh SUITE [options]; bench/run.sh --help lists them.
set -euo pipefail
cd "$(dirname "$0")/.."
java=$(./gatun dev jdk)/bin/java
mvn -q -B -Pbench -DskipTests -Dgatun.format=skip package -pl bench -am
exec "$java" --enable-native-access=ALL-UNNAMED -cp "bench/target/classes:$(cat bench/target/class-path.txt)" \
  dev.gatun.bench.Bench "$@"
