#!/usr/bin/env bash
# Which branches of the Java around kernels the fast tests take, by JaCoCo: test/coverage/java.sh [TEST...]
# Needs Maven, python3, and what `mvn -DskipTests verify` makes. Writes docs/coverage-java.md.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.."
root=$(cd .. && pwd)
version=0.8.14
build=$PWD/target/coverage/java
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
[ -f target/class-path.txt ] || { echo "test/coverage/java.sh: the tests are not built: run mvn -DskipTests verify" >&2; exit 1; }
mkdir -p "$build"
for artifact in agent:$version:jar:runtime cli:$version:jar:nodeps; do
  mvn -q -B dependency:copy -Dartifact=org.jacoco:org.jacoco.$artifact -DoutputDirectory="$build" -Dmdep.stripVersion=true
done
# Tests that are named are counted beside those of the run before.
[ $# -gt 0 ] || rm -f "$build/jacoco.exec"

modules=(kernels/api kernels/formats kernels/reference kernels/cpu kernels/cuda)
classes=$(printf "$root/%s/target/classes:" "${modules[@]}")
# The JVMs that tests begin count too.
export JAVA_TOOL_OPTIONS="-javaagent:$build/org.jacoco.agent-runtime.jar=destfile=$build/jacoco.exec,append=true,includes=dev.gatun.kernels.*"
# run FOLDER MAIN-CLASSES TESTS...: a module's fast tests, in its folder.
run() {
  (cd "$root/$1" && "$java" -Xmx3g --enable-native-access=ALL-UNNAMED -Dgatun.test.seed=1 \
    -cp "$root/$1/target/test-classes:$root/$1/target/classes:$root/test/target/test-classes:$classes$(cat "$root/test/target/class-path.txt")" \
    dev.gatun.test.coverage.CoverageRun "${@:2}") || echo "some tests failed: their branches count all the same" >&2
}
if [ $# -gt 0 ]; then
  run test "$@"
else
  run kernels/reference "$root/kernels/reference/target/test-classes"
  run kernels/cuda "$root/kernels/cuda/target/test-classes"
  run java-api/core "$root/java-api/core/target/test-classes"
  run test "$root/test/target/test-classes"
fi
unset JAVA_TOOL_OPTIONS

"$java" -jar "$build/org.jacoco.cli-nodeps.jar" report "$build/jacoco.exec" \
  $(printf -- '--classfiles ../%s/target/classes ' "${modules[@]}") --xml "$build/jacoco.xml" >/dev/null
python3 coverage/java_report.py ../docs/coverage-java.md "$build/jacoco.xml" coverage/java_reasons.txt
