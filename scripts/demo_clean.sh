#!/bin/bash
# Removes all that the demo made and proves that LXD is as it was before.
set -euo pipefail
# shellcheck source=scripts/demo_place.sh
source "$(dirname "${BASH_SOURCE[0]}")/demo_place.sh"

if [[ ! -e $place ]]; then
  echo "there is no demo on this host"
  exit 0
fi
if [[ -e $repository/labs/$lab.lab.yaml ]]; then
  "$practicum" -C "$repository" destroy "$lab" --env all --without-export --yes
  "$practicum" -C "$repository" orphans --delete --yes
fi
[[ -e $place/setup-was-there ]] || "$practicum" --yes setup --remove
after=$(mktemp)
trap 'rm -f "$after"' EXIT
lxd_inventory >"$after"
# An LXD that the demo started is stopped again, and then there is nothing to compare.
if [[ -s $after || -e $place/setup-was-there ]] && ! diff "$inventory" "$after" >&2; then
  echo "LXD is not as it was before the demo; lines with < are missing, lines with > are new" >&2
  exit 1
fi
[[ -e $place/cache-was-there ]] || rm -rf /var/cache/practicum
rm -rf "$place"
echo "the demo is gone: LXD is as it was before, and $place is removed"
