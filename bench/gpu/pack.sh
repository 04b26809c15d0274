#!/usr/bin/env bash
# Makes bench/target/gpu.tar.xz, what bench/gpu/run.sh needs where there is a GPU and no JDK: a run-time
# image of the JVM, the jars, the tests' classes, the kernels' images and sources, and the emulator.
set -euo pipefail
cd "$(dirname "$0")/../.."
jdk=$(./gatun dev jdk)
[ -x "$jdk/bin/jlink" ] || { echo "bench/gpu/pack.sh: $jdk has no jlink" >&2 && exit 1; }
mvn -q -B -Pbench -DskipTests -Dgatun.format=skip -Dgatun.cuda.targets=default package -pl bench,test -am
pack=bench/target/gpu
rm -rf "$pack" "$pack.tar.xz"
mkdir -p "$pack/lib" "$pack/classes"
"$jdk/bin/jlink" --add-modules java.base,java.logging,java.xml,java.sql,jdk.unsupported --strip-debug \
  --no-header-files --no-man-pages --compress zip-0 --output "$pack/jre"
tr ':' '\n' <bench/target/class-path.txt |
  grep -E '/(gatun[^/]*|jackson-(core|databind|annotations)-[^/]*)\.jar$' | xargs -I{} cp {} "$pack/lib/"
for module in bindings kernels/api kernels/formats kernels/reference kernels/cpu kernels/cuda java-api/core java-api/onnx java-api/text-hf bench; do
  cp -r "$module/target/classes/." "$pack/classes/"
done
# Each backend names its provider in a file of this name.
providers=META-INF/services/dev.gatun.kernels.api.device.DeviceProvider
cat kernels/*/target/classes/"$providers" >"$pack/classes/$providers"
cp -r test/target/test-classes/. "$pack/classes/"
rm -rf "$pack/classes/META-INF/gatun/cuda" "$pack/classes/module-info.class" "$pack"/lib/gatun*.jar
# The assertions of the tests.
for name in junit-jupiter-api-5 junit-platform-commons-1 opentest4j-1; do
  find "${HOME}/.m2/repository" -name "$name*.jar" | sort -V | tail -n 1 | xargs -I{} cp {} "$pack/lib/"
done
cp -r cuda-src "$pack/cuda-src"
mkdir -p "$pack/kernels" && cp -r kernels/native "$pack/kernels/native"
cp -r test/emulator/probes "$pack/probes"
# What nvcc makes here need not be made there. Without one only the sources travel.
mkdir -p "$pack/images"
images=kernels/cuda/target/classes/META-INF/gatun/cuda
nvcc=${NVCC:-nvcc}
if ls "$images"/*.fatbin >/dev/null 2>&1 && command -v "$nvcc" >/dev/null; then
  cp "$images"/kernels.list "$images"/*.fatbin "$pack/images/"
  probe() { # source code...
    "$nvcc" -std=c++17 -O3 -I cuda-src/include "${@:2}" -fatbin -o "$pack/images/$1.fatbin" "test/emulator/probes/$1.cu"
  }
  hopper=(-gencode arch=compute_90a,code=sm_90a)
  probe primitives "${hopper[@]}" -gencode arch=compute_80,code=sm_80 -gencode arch=compute_80,code=compute_80
  probe hopper_sm90a "${hopper[@]}"
  echo "80 90a compute_80" >"$pack/images/targets.txt"
else
  echo "bench/gpu/pack.sh: this build has no images of kernels, so the machine with the GPU needs nvcc"
fi
mkdir -p "$pack/emulator"
cp -r test/target/emulator/libgatun_emulated_cuda.so test/target/emulator/images "$pack/emulator/"
tar -cf - -C "$pack" . | xz -T0 -6 >"$pack.tar.xz"
python3 bench/gpu/pack.py stamp "$pack.tar.xz" "$pack"
bytes=$(stat -c %s "$pack.tar.xz")
echo "$pack.tar.xz: $((bytes / 1000000)) MB"
[ "$bytes" -lt 55000000 ] || { echo "bench/gpu/pack.sh: that is more than 55 MB" >&2; exit 1; }
