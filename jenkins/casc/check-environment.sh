#!/bin/sh
# Says which variables that the configuration names are not set: Jenkins itself would take them for empty text.
# For the service's ExecStartPre. Exit code 78, as for any wrong configuration.
set -eu
place=$(dirname "$0")
wrong=0
names=$(grep -ohE 'PRACTICUM_[A-Z_]+' "$place/jenkins.yaml" "$place/jobs.groovy" | sort -u)
for name in $names; do
    value=$(printenv "$name" || true)
    case $value in
    '') echo "$name is not set" ;;
    *[!A-Za-z0-9._~:/@%+=-]*) echo "$name has characters that a configuration must not be made of" ;;
    *) continue ;;
    esac
    wrong=$((wrong + 1))
done >&2
[ "$wrong" -eq 0 ] || exit 78
