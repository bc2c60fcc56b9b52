#!/usr/bin/env bash
# Where one server spends its time in one scenario: its hottest functions by perf's CPU clock, pinned as in run.sh.
#
#   bench/profile.sh SERVER CxM [SECONDS] [lines]
#   bench/profile.sh micro 1x100              bench/profile.sh 'grpc++ cq' 100x1 5 40
set -euo pipefail
cd "$(dirname "$0")/.."
[[ $# -ge 2 ]] || { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2; }
exec python3 -B bench/compare --profile --servers "$1" --scenarios "$2" --seconds "${3:-3}" --lines "${4:-30}"
