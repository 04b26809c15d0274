# For the scripts that build native code: messages where a tool is missing, and make on all processors.
here_name=$(basename "$(dirname "${BASH_SOURCE[1]}")")/$(basename "${BASH_SOURCE[1]}")

need_compiler() { # compiler
  command -v "$1" >/dev/null || {
    echo "$here_name: no C++ compiler '$1': install one (Debian: apt-get install g++), or name it in CXX" >&2
    exit 1
  }
}

run_make() { # make's arguments
  command -v make >/dev/null || {
    echo "$here_name: there is no GNU make: install it (Debian: apt-get install make)" >&2
    exit 1
  }
  # A make around this one must not share its flags.
  MAKEFLAGS='' make --silent --no-print-directory -j"$(getconf _NPROCESSORS_ONLN)" "$@"
}
