#!/bin/sh
# Runs practicum with the words of PRACTICUM_ARGUMENTS, one a line. This text never changes: no data is written into it.
set -euf
if [ -n "${PRACTICUM_FILE:-}" ]; then
    mkdir -p "$(dirname "$PRACTICUM_FILE")"
    exec >"$PRACTICUM_FILE"
fi
IFS='
'
# Splitting is what is wanted here; -f keeps patterns from being expanded.
# shellcheck disable=SC2086
set -- $PRACTICUM_ARGUMENTS
unset IFS PRACTICUM_ARGUMENTS PRACTICUM_FILE
exec practicum "$@"
