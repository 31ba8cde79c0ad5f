# Sourced by the other scripts: what a fresh machine lacks, installed once.
# Defines `ensure_system`, `ensure_python`, `ensure_nnunet`, `ensure_tensorflow` and exports LLMBENCH_PYTHON, LLMBENCH_NNUNET_PYTHON
# and LLMBENCH_TENSORFLOW_PYTHON.

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/llmbench

say() { printf '%s\n' "$*" >&2; }

system_packages=(
  bubblewrap pkg-config libxlsxwriter-dev libpng-dev libcairo2-dev libcurl4-openssl-dev libssl-dev libseccomp-dev libsqlite3-dev zlib1g-dev
  python3-venv fonts-dejavu-core
)

# The browser that the pages are tested in. Where it cannot be had, its tests are skipped and say so; continuous integration
# requires them.
ensure_browser() {
  command -v chromium >/dev/null || command -v google-chrome >/dev/null || ensure_system chromium ||
    { [ "${LLMBENCH_REQUIRE_CHROMIUM:-}" != 1 ] || return 3; say "Chromium could not be installed: the browser tests are skipped."; }
}

# Debian packages; the versions are the distribution's.
ensure_system() {
  local missing=() package
  for package in "${system_packages[@]}" "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
      say "These Debian packages are missing and this user cannot install them: ${missing[*]}"
      say "Ask an administrator for: apt-get install ${missing[*]}"
      return 3
    }
    as_root=(sudo)
  fi
  say "Installing Debian packages: ${missing[*]}"
  "${as_root[@]}" apt-get update -qq >&2 &&
    DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
}

ensure_swift() {
  command -v swift >/dev/null && return 0
  say "Swift 6.2 or later is not on PATH: install it from https://www.swift.org/install and run this again."
  return 3
}

# The Python environment of generated code: one per user and requirements file.
ensure_python() {
  local hash directory
  hash=$(sha256sum "$project/requirements.txt" | cut -c1-16)
  directory=$cache/python/$hash
  if [ ! -e "$directory/complete" ]; then
    say "Installing the Python environment (PyTorch; about 6 GB, once per user) in $directory"
    rm -rf "$directory"
    mkdir -p "$directory"
    /usr/bin/python3 -m venv "$directory" &&
      "$directory/bin/pip" install --quiet --disable-pip-version-check -r "$project/requirements.txt" >&2 &&
      touch "$directory/complete" || { say "The Python environment could not be installed; see the lines above."; return 3; }
  fi
  export LLMBENCH_PYTHON=$directory/bin/python
}

# nnU-Net, in an environment of its own that sees the packages of the one above and is not seen by it: generated code must not be
# able to import it. One per user and pair of requirements files.
ensure_nnunet() {
  local hash directory base
  ensure_python || return
  hash=$(cat "$project/requirements.txt" "$project/requirements-nnunet.txt" | sha256sum | cut -c1-16)
  directory=$cache/nnunet/$hash
  if [ ! -e "$directory/complete" ]; then
    say "Installing nnU-Net (about 0.5 GB, once per user) in $directory"
    rm -rf "$directory"
    mkdir -p "$directory"
    base=$("$LLMBENCH_PYTHON" -c 'import sysconfig; print(sysconfig.get_path("purelib"))') &&
      /usr/bin/python3 -m venv "$directory" &&
      printf '%s\n' "$base" \
        >"$("$directory/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/llmbench-base.pth" &&
      "$directory/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$project/requirements-nnunet.txt" >&2 &&
      touch "$directory/complete" || { say "nnU-Net could not be installed; see the lines above."; return 3; }
  fi
  export LLMBENCH_NNUNET_PYTHON=$directory/bin/python
}

# The Python environment of the target tensorflow, for those who ask for that target. One per user and requirements file.
ensure_tensorflow() {
  local hash directory
  hash=$(sha256sum "$project/requirements-tensorflow.txt" | cut -c1-16)
  directory=$cache/tensorflow/$hash
  if [ ! -e "$directory/complete" ]; then
    say "Installing the TensorFlow environment (2.2 GB, once per user) in $directory"
    rm -rf "$directory"
    mkdir -p "$directory"
    /usr/bin/python3 -m venv "$directory" &&
      "$directory/bin/pip" install --quiet --disable-pip-version-check -r "$project/requirements-tensorflow.txt" >&2 &&
      touch "$directory/complete" || { say "The TensorFlow environment could not be installed; see the lines above."; return 3; }
  fi
  export LLMBENCH_TENSORFLOW_PYTHON=$directory/bin/python
}
