#!/bin/bash
# The tests on real LXD. They need root; without it they are skipped with the reason, unless PRACTICUM_REQUIRE says lxd.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if ((EUID == 0)); then
  .venv/bin/practicum --yes setup --adopt
fi
.venv/bin/pytest tests/lxd
