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
  "$practicum" -C "$repository" destroy "$lab" --env all --yes
  "$practicum" -C "$repository" orphans --delete --yes
fi
"$practicum" --yes setup --remove
after=$(mktemp)
trap 'rm -f "$after"' EXIT
lxd_inventory >"$after"
if ! difference=$(comm -13 "$inventory" "$after") || [[ -n $difference ]]; then
  echo "this is on LXD and was not there before the demo:" >&2
  echo "$difference" >&2
  exit 1
fi
rm -rf "$place" /var/cache/practicum
echo "the demo is gone: LXD holds nothing that was not there before, $place and the image cache are removed"
