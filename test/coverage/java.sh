#!/usr/bin/env bash
# Which branches of the Java around kernels the fast tests take, by JaCoCo: test/coverage/java.sh
# Needs Maven, python3, and what `mvn -DskipTests verify` makes. Writes docs/coverage-java.md.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.."
version=0.8.14
build=$PWD/target/coverage/java
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
[ -f target/class-path.txt ] || { echo "test/coverage/java.sh: the tests are not built: run mvn -DskipTests verify" >&2; exit 1; }
mkdir -p "$build"
for artifact in agent:$version:jar:runtime cli:$version:jar:nodeps; do
  mvn -q -B dependency:copy -Dartifact=org.jacoco:org.jacoco.$artifact -DoutputDirectory="$build" -Dmdep.stripVersion=true
done
rm -f "$build/jacoco.exec"

modules=(kernels/api kernels/formats kernels/cpu kernels/cuda)
classes=$(printf '../%s/target/classes:' "${modules[@]}")
suites=dev.gatun.test.contract.suites
devices=dev.gatun.test.devices
# The JVMs that tests begin count too.
export JAVA_TOOL_OPTIONS="-javaagent:$build/org.jacoco.agent-runtime.jar=destfile=$build/jacoco.exec,append=true,includes=dev.gatun.kernels.*"
"$java" -Xmx3g --enable-native-access=ALL-UNNAMED -Dgatun.test.seed=1 \
  -cp "target/test-classes:$classes$(cat target/class-path.txt)" dev.gatun.test.coverage.CoverageRun \
  $suites.{BadArguments,BadAttentionBackward,BadBackwardArguments,BadExpertArguments,BadOptimArguments,BadQuantizedArguments}Test \
  $suites.{CudaAlignment,CudaBadIndices,CudaContract,CudaHopper,CudaQuantized,CudaQuantizedExperts,CudaSplitK,KernelContract,Pages,RandomCalls,TokenCodes}Test \
  dev.gatun.test.contract.forms.CudaPlainFormsTest dev.gatun.test.quantized.{GgmlBlocks,NativeBlocks,PackedLayout,WidenedFormat}Test \
  $devices.{CpuReplay,CublasLt,CudaReplay,CudaDevices,CudaExperts,CudaFaults,SharedMemory,Staging}Test \
  dev.gatun.test.cache.{KvCache,CudaKvCache}Test || echo "some tests failed: their branches count all the same" >&2
unset JAVA_TOOL_OPTIONS

"$java" -jar "$build/org.jacoco.cli-nodeps.jar" report "$build/jacoco.exec" \
  $(printf -- '--classfiles ../%s/target/classes ' "${modules[@]}") --xml "$build/jacoco.xml" >/dev/null
python3 coverage/java_report.py ../docs/coverage-java.md "$build/jacoco.xml" coverage/java_reasons.txt
