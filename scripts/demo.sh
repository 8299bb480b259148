#!/bin/bash
# The demo: a fresh GitOps repository outside of the checkout, and the whole life of one lab in it, on this host's LXD.
# Run it again: it changes nothing and says so. `make demo-clean` removes all of it.
set -euo pipefail
# shellcheck source=scripts/demo_place.sh
source "$(dirname "${BASH_SOURCE[0]}")/demo_place.sh"

if ((EUID != 0)); then
  echo "The demo makes real machines on LXD, which needs root on this host. What is missing:" >&2
  "$practicum" doctor || true
  echo "With root: sudo make demo. Without: 'practicum validate' and 'practicum generate' work in any repository." >&2
  exit 77
fi

mkdir -p "$place"
if [[ ! -e $inventory ]]; then
  [[ -e $record ]] && touch "$place/setup-was-there"
  [[ -e /var/cache/practicum ]] && touch "$place/cache-was-there"
  lxd_inventory >"$inventory.new" && mv "$inventory.new" "$inventory"
fi
"$practicum" --yes setup
if [[ ! -e $repository/labs/${lab%/*} ]]; then
  "$practicum" init "$repository"
  cp -R "$checkout/labs/${lab%/*}" "$repository/labs/.incoming"
  rm -f "$repository/labs/.incoming/"*.seats.yaml
  mv "$repository/labs/.incoming" "$repository/labs/${lab%/*}"
fi
"$practicum" -C "$repository" validate "$lab"
"$practicum" -C "$repository" pipeline "$lab"

cat <<EOF

Every line above is one student's own copy of the lab: their machines, their network, their volume.
What to try next, from $checkout:
  P=".venv/bin/practicum -C $repository"
  \$P shell $lab s001 web -- cat /var/www/html/index.html      a student's page, rendered for them
  \$P smoke $lab --env prod --verbose                          every check and every wall, seat by seat
  \$P shell $lab prof web -- sh -c 'echo Hello > /var/www/html/hello.html'
  \$P checkpoint $lab -m "A page for all" && \$P promote $lab && \$P deliver $lab
                                                                your copy, as it is, reaches everybody; their work stays
  \$P web                                                       all of this in a browser
  \$P stop $lab --env prod                                     good night
Edit $repository/labs/$lab.lab.yaml, then run: \$P pipeline $lab
make demo-clean removes all of it.
EOF
