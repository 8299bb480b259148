#!/bin/bash
# The tests on real LXD, with them those of the web page in a real browser, and those on a real Kubernetes API server.
# LXD needs root; without it, as without the API server, tests are skipped with the reason, unless PRACTICUM_REQUIRE
# says lxd, web or kubernetes.
# Three files run side by side even on two cores, since LXD waits more than it works; what needs the host for itself runs
# after them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
scripts/api_server.sh
if ((EUID == 0)); then
  .venv/bin/practicum --yes setup --adopt
fi
.venv/bin/pytest tests/lxd tests/kubernetes tests/web -m 'not alone' -n 3 --dist loadfile --durations 25
.venv/bin/pytest tests/lxd tests/web -m alone --durations 10
