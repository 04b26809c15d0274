"""The command lines of the programs of Java, and the images of kernels that they load."""

import pathlib
import subprocess
import time

import device


class Programmes:
    """Of a pack, on the device that is here or on the emulator."""

    def __init__(self, pack, emulator):
        self.pack, self.emulator = pathlib.Path(pack).resolve(), emulator
        self.images = self.pack / ("emulator/images" if emulator else "images")
        # As an H100, so that what is made for it alone runs too.
        self.environment = {"GATUN_EMULATOR_DEVICES": "90"} if emulator else {}
        self.driver = self.pack / "emulator/libgatun_emulated_cuda.so" if emulator else device.driver()

    def java(self, main, *arguments, cublaslt="off", heap=None, flags=()):
        """A command line; cublaslt: the file of that library, without which our own kernels do all products."""
        options = ["--enable-native-access=ALL-UNNAMED", "-XX:+ErrorFileToStdout", "-Dgatun.test.cuda=device"]
        options += [f"-Dgatun.cache={self.pack / 'cache'}", f"-Dgatun.cuda.images={self.images}", f"-Dgatun.cuda.cublaslt={cublaslt}"]
        if self.driver:
            options.append(f"-Dgatun.cuda.driver={self.driver}")
        if heap and not self.emulator:
            options.append("-Xmx" + heap)
        options += flags
        path = ":".join(str(p) for p in [self.pack / "classes", *sorted((self.pack / "lib").glob("*.jar"))])
        return [str(self.pack / "jre" / "bin" / "java"), *options, "-cp", path, main, *(str(a) for a in arguments)]

    def prepare(self, log, seconds):
        """Compiles the kernels and the probes where the pack has no images for this device; what was done.

        Raises OSError or subprocess.SubprocessError where that fails."""
        if self.emulator:
            return "emulated"
        target = device.architecture()
        packed = (self.pack / "images" / "targets.txt").read_text().split() if (self.pack / "images" / "targets.txt").exists() else []
        # Code of 8.0 runs on 8.x, and later ones compile its PTX.
        if target in packed or (packed and target != "90a"):
            return "images of the pack: " + " ".join(packed)
        start = time.monotonic()
        self.images = self.pack / "built"
        sources = self.pack / "cuda-src"
        self._run(["bash", sources / "build.sh", self.pack / "build", self.images, target], log, seconds)
        if not list(self.images.glob("*.fatbin")):
            raise OSError("the pack has no images for this device, and there is no nvcc to make them")
        for source in sorted((self.pack / "probes").glob("*.cu")):
            if source.stem.endswith("_sm90a") and target != "90a":
                continue
            code = f"arch=compute_{target},code=sm_{target}"
            output = self.images / (source.stem + ".fatbin")
            self._run(["nvcc", "-std=c++17", "-O3", "-I", sources / "include", "-gencode", code, "-fatbin", "-o", output, source], log, seconds)
        return f"compiled for sm_{target} in {time.monotonic() - start:.0f} s"

    @staticmethod
    def _run(command, log, seconds):
        run = subprocess.run([str(c) for c in command], capture_output=True, timeout=max(1, seconds))
        log.add(pathlib.Path(str(command[0])).name, run.stdout + run.stderr)
        run.check_returncode()
