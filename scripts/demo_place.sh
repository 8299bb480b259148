# shellcheck shell=bash
# Where the demo lives, outside of the checkout. Sourced by demo.sh and demo_clean.sh.
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
place=${PRACTICUM_DEMO:-/var/lib/practicum-demo}
repository=$place/labs-repository
practicum=$checkout/.venv/bin/practicum
lab=net101/firewalls
inventory=$place/lxd-before.txt
record=/var/lib/practicum/host.json # what `practicum setup` did to this host
export record checkout place repository practicum lab inventory

# Prints what is on LXD, one object a line; nothing when no LXD answers.
lxd_inventory() {
  timeout 10 lxc query /1.0 >/dev/null 2>&1 || return 0
  {
    lxc query '/1.0/projects' | tr -d '[]," \t' | sed '/^$/d; /\/default$/d; s/^/project /'
    lxc list --all-projects -f csv -c en | sed 's/^/instance /'
    lxc network list -f csv | awk -F, '$3 == "YES" {print "network " $1}'
    lxc query '/1.0/network-acls' | tr -d '[]," \t' | sed '/^$/d; s/^/acl /'
    lxc query '/1.0/images' | tr -d '[]," \t' | sed '/^$/d; s/^/image /'
    lxc query '/1.0/storage-pools' | tr -d '[]," \t' | sed '/^$/d; s/^/pool /'
  } | sort
}
