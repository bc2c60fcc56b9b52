#!/usr/bin/env bash
# Measures the greeter beside the same greeter of other frameworks, all in one run, and writes bench/results/.
#
#   bench/run.sh [options]        bench/run.sh --help lists them; built before by: make bench
#
# Exit status: 0 measured; 1 a server, a reply or a request failed; 2 wrong usage or something is not built or installed.
set -euo pipefail
cd "$(dirname "$0")/.."
exec python3 -B bench/compare "$@"
