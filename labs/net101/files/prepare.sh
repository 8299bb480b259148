#!/bin/sh
# Prepares the professor's web server; students get the result by the checkpoint.
set -eu
cat > /etc/nftables.conf <<'RULES'
#!/usr/sbin/nft -f
flush ruleset
table inet lab {
  chain input {
    type filter hook input priority 0; policy accept;
  }
}
RULES
systemctl enable nftables
