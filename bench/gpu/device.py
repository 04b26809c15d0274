"""The machine that a run is on: its device, driver, tools and libraries."""

import functools
import glob
import os
import pathlib
import re
import shutil
import subprocess
import sys

CLOCKS = "clocks.sm,clocks.mem,power.draw,temperature.gpu,clocks_event_reasons.active"
FACTS = "name,driver_version,memory.total,clocks.max.sm,clocks.max.mem,power.limit"


def output_of(*command, seconds=60):
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=seconds).stdout.strip()
    except (OSError, subprocess.TimeoutExpired) as e:
        return f"{command[0]}: {e}"


def query(what, *options):
    return output_of("nvidia-smi", "--query-gpu=" + what, "--format=" + ",".join(("csv", *options)))


def clocks():
    return query(CLOCKS, "noheader")


@functools.cache
def architecture():
    """What nvcc compiles for, as 90a."""
    found = query("compute_cap", "noheader").split("\n")[0].replace(".", "")
    return "90a" if found == "90" else found


@functools.cache
def driver():
    """The CUDA driver as the dynamic linker finds it, or None where the library is to look for it itself."""
    for ldconfig in ("ldconfig", "/sbin/ldconfig", "/usr/sbin/ldconfig"):
        for line in output_of(ldconfig, "-p").splitlines():
            name, _, path = line.strip().partition(" => ")
            if name.startswith("libcuda.so.1 ") and "x86-64" in name and os.path.exists(path):
                return path
    return None


def cublaslt():
    """NVIDIA's library of products that PyTorch brings, or None."""
    for folder in sys.path:
        for pattern in ("nvidia/cu13/lib", "nvidia/cublas/lib", "torch/lib"):
            for name in ("libcublasLt.so.13", "libcublasLt.so.12"):
                for path in glob.glob(os.path.join(folder or ".", pattern, name)):
                    return path
    return None


def facts():
    return {
        "device": query(FACTS),
        "driver": driver(),
        "nvcc": output_of("nvcc", "--version").split("\n")[-1],
        "torch": output_of(sys.executable, "-c", "import torch; print(torch.__version__, torch.version.cuda, torch.cuda.is_available())"),
        "cublaslt": cublaslt(),
        "cuobjdump": shutil.which("cuobjdump"),
    }


def code_facts(sass, usage):
    """What cuobjdump shows of each kernel: instructions of the tensor cores, of local memory, registers and stack."""
    found, kernel = {}, None
    for line in sass.splitlines():
        name = re.search(r"Function : (\S+)", line)
        if name:
            kernel = found.setdefault(name[1], {})
        elif kernel is not None:
            for word in re.findall(r"\b(HGMMA|IGMMA|HMMA|IMMA|LDL|STL|UTMALDG|UTMASTG)\b", line):
                kernel[word] = kernel.get(word, 0) + 1
    for name, text in re.findall(r"Function (\S+):\s*\n\s*(REG:.*)", usage):
        for key, value in re.findall(r"(REG|STACK|LOCAL):(\d+)", text):
            found.setdefault(name, {})[key] = int(value)
    return found


def code(images, target):
    """The facts of all images' code for an architecture."""
    found = {}
    for image in sorted(pathlib.Path(images).glob("*.fatbin")):
        found.update(code_facts(*(output_of("cuobjdump", option, "-arch", "sm_" + target, str(image)) for option in ("-sass", "-res-usage"))))
    return found
