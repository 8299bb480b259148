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

# Run the tests with these markers. Up to four that fail are tried once more with nothing beside them: that tells a machine
# which two busy cores starved from a fault. Those that pass then are named, for a race in them wants mending all the same.
run() {
  local cache=.pytest_cache/real status=0
  local tests=(tests/lxd tests/kubernetes tests/web -o "cache_dir=$cache" -m "$1")
  .venv/bin/pytest "${tests[@]}" --cache-clear "${@:2}" || status=$?
  if ((status == 1 && $(grep -c true "$cache/v/cache/lastfailed") < 5)); then
    echo "What failed, once more and alone:"
    status=0
    .venv/bin/pytest "${tests[@]}" -vv --last-failed --last-failed-no-failures none || status=$?
  fi
  return "$status"
}

failed=0
run 'not alone' -n 3 --dist loadfile --durations 25 || failed=1
run alone --durations 10 || failed=1
exit "$failed"
