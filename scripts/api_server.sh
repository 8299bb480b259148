#!/bin/bash
# Builds what the tests of Kubernetes run against: a real API server for custom resources, from Go modules, into .venv.
# It takes minutes the first time and a moment after; etcd comes with install.sh. Without Go the tests are skipped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly MODULE=k8s.io/apiextensions-apiserver
readonly VERSION=v0.36.1
readonly built=.venv/bin/apiextensions-apiserver

if ! command -v go >/dev/null; then
  echo "api_server.sh: there is no Go, so tests of Kubernetes are skipped" >&2
  exit
fi
if [[ $(go version -m "$built" 2>/dev/null) == *$'\t'"$MODULE"$'\t'"$VERSION"* ]]; then
  exit
fi
echo "building $MODULE $VERSION" >&2
# No other Go is brought: one that is too old says so.
GOBIN=$PWD/.venv/bin GOTOOLCHAIN=local GOFLAGS=-trimpath go install -ldflags '-s -w' "$MODULE@$VERSION" ||
  echo "api_server.sh: it cannot be built here, so tests of Kubernetes are skipped" >&2
