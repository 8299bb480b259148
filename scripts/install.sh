#!/bin/bash
# Makes this checkout ready on Debian 12: the packages it needs (as root), and .venv with everything for work on it.
# Run it again at any time: what is there stays, and nothing to do takes a moment. It starts no service.
set -euo pipefail

readonly PYTHON=/usr/bin/python3
readonly PACKAGES=(
  btrfs-progs busybox-static conntrack dnsmasq-base etcd-server git lxd mmdebstrap nftables openssh-client openssl python3 python3-venv shellcheck util-linux zstd
)
# Programs that may come from elsewhere too, with their packages; installed only where there is none of that name.
readonly PROGRAMS=(chromium:chromium java:openjdk-17-jre-headless mvn:maven npm:npm)
readonly POLICY=/usr/sbin/policy-rc.d
readonly POLICY_MARK='# made by Practicum for the time of one installation'

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
readonly checkout
readonly stamp="$checkout/.venv/.installed"

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "install.sh: $1"
  exit "$2"
}

# Prints the packages that are not installed, one a line.
missing_packages() {
  local installed program
  for program in "${PROGRAMS[@]}"; do
    command -v "${program%%:*}" >/dev/null || printf '%s\n' "${program#*:}"
  done
  installed=$(dpkg-query --show --showformat '${db:Status-Status} ${Package}\n' "${PACKAGES[@]}" 2>/dev/null || true)
  comm -13 <(sed -n 's/^installed //p' <<<"$installed" | sort) <(printf '%s\n' "${PACKAGES[@]}" | sort)
}

# Packages bring services that start at once; here they must not, `practicum setup` starts what it needs.
forbid_services() {
  [[ -e $POLICY ]] && ! grep -qF "$POLICY_MARK" "$POLICY" && return
  printf '#!/bin/sh\n%s\nexit 101\n' "$POLICY_MARK" >"$POLICY"
  chmod 0755 "$POLICY"
  trap allow_services EXIT
}

allow_services() {
  if grep -qsF "$POLICY_MARK" "$POLICY"; then rm -f "$POLICY"; fi
}

install_packages() {
  say "installing packages: $*"
  export DEBIAN_FRONTEND=noninteractive
  forbid_services
  apt-get update -qq || say "install.sh: the package lists could not all be renewed, going on with those that are here"
  apt-get install --yes -qq --no-install-recommends "$@" >/dev/null
  allow_services
}

ensure_packages() {
  local -a missing
  mapfile -t missing < <(missing_packages)
  ((${#missing[@]})) || return 0
  if ((EUID == 0)); then
    install_packages "${missing[@]}"
  else
    say "not root, so these packages stay missing: ${missing[*]}"
    say "  sudo apt-get install --yes --no-install-recommends ${missing[*]}"
  fi
}

wanted_stamp() { sha256sum "$checkout/pyproject.toml" "$checkout/constraints.txt" | cut -d ' ' -f 1; }

venv_works() { "$checkout/.venv/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

make_venv() {
  "$PYTHON" -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    fail "$PYTHON must be 3.11 or later with the package python3-venv" 77
  say "making .venv"
  "$PYTHON" -m venv --clear "$checkout/.venv"
}

ensure_venv() {
  local wanted
  wanted=$(wanted_stamp)
  if venv_works; then
    [[ -e $stamp && $(<"$stamp") == "$wanted" ]] && return
  else
    make_venv
  fi
  say "installing Practicum into .venv"
  cd "$checkout"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
  printf '%s\n' "$wanted" >"$stamp"
}

# What the web page runs in browsers: third-party files, never committed. Without them everything else works.
ensure_browser_files() {
  local folder="$checkout/practicum/web" wanted
  wanted=$(sha256sum "$folder/package.json" | cut -d ' ' -f 1)
  [[ -e $folder/node_modules/.installed && $(<"$folder/node_modules/.installed") == "$wanted" ]] && return
  say "installing the web page's browser files"
  # No lock file: it would record the addresses of this machine's registry. The versions are exact.
  if (cd "$folder" && npm install --no-package-lock --no-audit --no-fund --ignore-scripts --silent); then
    printf '%s\n' "$wanted" >"$folder/node_modules/.installed"
  else
    say "install.sh: npm could not bring them, so 'practicum web' will not start"
  fi
}

# What the tests of jenkins/ run it with: Groovy and its CPS transformer, as in Jenkins, and CodeNarc. Never committed.
ensure_jenkins_tests() {
  local folder="$checkout/.venv/jenkins" poms="$checkout/tests/jenkins/poms" wanted pom
  wanted=$(cat "$poms"/*.xml | sha256sum | cut -d ' ' -f 1)
  [[ -e $folder/.installed && $(<"$folder/.installed") == "$wanted" ]] && return
  say "installing what the tests of jenkins/ need"
  rm -rf "$folder"
  for pom in "$poms"/*.xml; do
    mvn --quiet --batch-mode --file "$pom" dependency:copy-dependencies \
      -DoutputDirectory="$folder/$(basename "$pom" .xml)" >&2 || {
      say "install.sh: Maven could not bring it, so these tests will not run"
      return 0
    }
  done
  printf '%s\n' "$wanted" >"$folder/.installed"
}

# Another Python's settings must not reach ours.
unset PYTHONHOME PYTHONPATH
command -v apt-get >/dev/null || fail "this script is for Debian and its relatives" 69
allow_services # a killed run may have left its policy
ensure_packages
ensure_venv
ensure_browser_files
ensure_jenkins_tests
say "ready: $checkout/.venv/bin/practicum"
