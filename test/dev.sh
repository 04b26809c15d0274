#!/usr/bin/env bash
# What ./gatun dev does, with the JDK 25 in JAVA_HOME.
#   dev.sh jdk
# Prints the folder of the JDK that builds take.
#   dev.sh declarations
# Writes the enums of the C++ and CUDA headers by those of Java, and the fields and constants that Java takes from CUDA's sources.
#   dev.sh kernel NAME [level=NAME] [backend=cpu|cuda] [cases=N]
# Builds what changed of the kernels, for this machine's levels and the emulator, then runs the contract cases of those whose
# names begin so and times the largest one.
set -euo pipefail
cd "$(dirname "$0")/.."
usage() {
  sed -n '3,9s/^# *//p' test/dev.sh | sed 's,^dev\.sh,usage: ./gatun dev,' >&2
  exit 2
}
if [ "$*" = jdk ]; then
  echo "$JAVA_HOME"
  exit
fi
if [ "$*" = declarations ]; then
  # Of the sources that these are in alone, whatever else compiles; their modules are left out.
  folder=$(mktemp -d)
  trap 'rm -r "$folder"' EXIT
  mkdir "$folder/api" "$folder/cpu" "$folder/classes"
  for module in api cpu; do ln -s "$PWD/kernels/$module/src/main/java/dev" "$folder/$module/dev"; done
  "$JAVA_HOME/bin/javac" -proc:none -nowarn -d "$folder/classes" -sourcepath "$folder/api:$folder/cpu:test/src/test/java" \
    test/src/test/java/dev/gatun/test/packaging/{EnumHeaders,CudaDeclarations}.java
  for program in EnumHeaders CudaDeclarations; do
    "$JAVA_HOME/bin/java" -cp "$folder/classes" dev.gatun.test.packaging.$program
  done
  exit
fi
[ "${1:-}" = kernel ] && [ $# -ge 2 ] || usage
shift

# Java is compiled again only when some of it changed.
built=test/target/.dev
if [ ! -e "$built" ] || [ -n "$(find pom.xml bindings kernels java-api test -name target -prune -o \
  \( -name '*.java' -o -name pom.xml \) -newer "$built" -print -quit)" ]; then
  started=$(mktemp)
  mvn -q -B -DskipTests -Dgatun.format=skip package -pl test -am
  touch -r "$started" "$built"
  rm "$started"
fi
AARCH64_CXX=none kernels/cpu/src/main/cpp/build.sh kernels/cpu/target/native kernels/cpu/target/classes/META-INF/gatun
case " $* " in
  *" backend=cpu "*) ;;
  *) test/emulator/build.sh test/target/emulator ;;
esac
cd test
exec "$JAVA_HOME/bin/java" --enable-native-access=ALL-UNNAMED -XX:TieredStopAtLevel=1 -Dgatun.cache=target/dev-cache -Dgatun.test.kernel="$1" \
  -Dgatun.cpu.library="$(ls "$PWD/../kernels/cpu/target/classes/META-INF/gatun/linux-$(uname -m)"/libgatun_cpu.so)" \
  -cp "target/test-classes:$(cat target/class-path.txt)" dev.gatun.test.contract.programs.KernelLoop "$@"
