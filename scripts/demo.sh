#!/usr/bin/env bash
# Starts a small cluster on this machine and shows what the framework does: a gateway and three nodes of the example service, separate
# processes that find each other through a shared directory. Every step prints the command to repeat it by hand.
#
#   scripts/demo.sh [BIN]     BIN: folder with greeter and micro (default build/release/bin)
#   ONCE=1 scripts/demo.sh    ends by itself, with exit status 0 only when every step was as said
set -u

root=$(cd "$(dirname "$0")/.." && pwd)
bin=${1:-$root/build/release/bin}
work=$(mktemp -d "${TMPDIR:-/tmp}/micro-demo.XXXXXX")
registry=$work/registry
failures=0
declare -A pid

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' off=$'\e[0m'; else bold= dim= red= green= off=; fi

step() { printf '\n%s== %s%s\n' "$bold" "$*" "$off"; }
say() { printf '   %s\n' "$*"; }
# A command to repeat by hand, from where this was called.
shows() { local text="$*"; printf '%s   $ %s%s\n' "$dim" "${text//"$PWD/"/}" "$off"; }
ok() { printf '   %sok%s  %s\n' "$green" "$off" "$*"; }
bad() { printf '   %sFAILED%s  %s\n' "$red" "$off" "$*"; failures=$((failures + 1)); }
check() { if [ "$1" = "$2" ]; then ok "$3"; else bad "$3: expected \"$1\", got \"$2\""; fi; }
indent() { sed 's/^/     /'; }

cleanup() {
  for name in "${!pid[@]}"; do kill "${pid[$name]}" 2>/dev/null; done
  wait 2>/dev/null
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

for program in greeter micro; do
  [ -x "$bin/$program" ] || { echo "demo: $bin/$program is missing; run make build first" >&2; exit 2; }
done
for program in curl h2load; do
  command -v "$program" >/dev/null || { echo "demo: $program is missing; scripts/deps.sh demo installs it" >&2; exit 2; }
done

# start NAME COMMAND...: runs it with a log of its own and waits until it listens; its port is then in $port.
start() {
  local name=$1; shift
  shows "$* &"
  : >"$work/$name.log"
  "$@" >>"$work/$name.log" 2>&1 &
  pid[$name]=$!
  for _ in $(seq 100); do
    port=$(sed -n 's/.*listening on .*:\([0-9]*\)$/\1/p' "$work/$name.log" | head -1)
    [ -n "$port" ] && grep -q 'registered' "$work/$name.log" && return 0
    kill -0 "${pid[$name]}" 2>/dev/null || break
    sleep 0.05
  done
  bad "$name did not start:"; indent <"$work/$name.log"
  exit 1
}

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
  local tries=$(($1 * 20)); shift
  for _ in $(seq $tries); do "$@" >/dev/null 2>&1 && return 0; sleep 0.05; done
  return 1
}

step "A cluster: one gateway, three nodes of the service \"greeter\""
say "They find each other through the directory $registry; no server is needed for that."
declare -A node_port
for n in 1 2 3; do
  start "greeter$n" "$bin/greeter" --address 127.0.0.1:0 --registry local --registry_address "$registry" --loops 1
  node_port[$n]=$port
done
start gateway "$bin/micro" gateway --address 127.0.0.1:0 --registry local --registry_address "$registry" --loops 1
gateway=http://127.0.0.1:$port
processes=(greeter1 greeter2 greeter3 gateway)
# heard <event> <times> <process>...: each of these has logged so many of them.
heard() {
  local event=$1 times=$2 name
  shift 2
  for name in "$@"; do [ "$(grep -c " $event\$" "$work/$name.log")" = "$times" ] || return 1; done
}
wait_for 5 heard join 4 "${processes[@]}" || true
say "What the first node saw:"
grep -E ' (join|leave)$' "$work/greeter1.log" | indent
check yes "$(heard join 4 "${processes[@]}" && echo yes)" "every process was told of the four nodes that joined"

step "HTTP through the gateway: JSON in, JSON out, the three nodes in turn"
shows "curl -i -d '{\"name\":\"John\"}' $gateway/api/greeter/Greeter.Hello"
for _ in 1 2 3 4 5 6; do
  curl -s -i -d '{"name":"John"}' "$gateway/api/greeter/Greeter.Hello" >"$work/answer"
  node=$(sed -n 's/^X-Micro-Node: \(.*\)\r$/\1/Ip' "$work/answer")
  printf '     %s   answered by %s\n' "$(tail -n 1 "$work/answer")" "$node"
  echo "$node" >>"$work/turns"
done
check 3 "$(sort -u "$work/turns" | wc -l)" "three nodes answered"
check "2 2 2" "$(sort "$work/turns" | uniq -c | awk '{print $1}' | paste -sd ' ')" "each had its turn"

step "One node, one port: HTTP/JSON and gRPC"
p=${node_port[1]}
shows "curl -d '{\"name\":\"John\"}' http://127.0.0.1:$p/greeter.Greeter/Hello"
reply=$(curl -s -d '{"name":"John"}' "http://127.0.0.1:$p/greeter.Greeter/Hello")
echo "$reply" | indent
check '{"message":"Hello John"}' "$reply" "HTTP/1.1 and JSON"
# A gRPC call is an HTTP/2 POST of a length-prefixed protobuf message; curl can do that much by itself.
printf '\0\0\0\0\6\12\4John' >"$work/request"
shows "printf '\\0\\0\\0\\0\\6\\12\\4John' | curl --http2-prior-knowledge -H 'content-type: application/grpc' -H 'te: trailers' --data-binary @- http://127.0.0.1:$p/greeter.Greeter/Hello | od -c"
curl -s --http2-prior-knowledge -D "$work/headers" -o "$work/reply" -H 'content-type: application/grpc' -H 'te: trailers' \
  --data-binary @"$work/request" "http://127.0.0.1:$p/greeter.Greeter/Hello"
check "Hello John" "$(tail -c +8 "$work/reply")" "gRPC, on the same port (the message of the reply: $(tail -c +8 "$work/reply"))"
check 0 "$(tr -d '\r' <"$work/headers" | sed -n 's/^grpc-status: //p')" "grpc-status 0 in the trailers"

step "The command line"
shows "$bin/micro services --registry_address $registry"
"$bin/micro" services --registry_address "$registry" | tee "$work/out" | indent
check 3 "$(grep '^greeter ' "$work/out" | grep -o '127.0.0.1:[0-9]*' | wc -l)" "greeter has three nodes"
shows "$bin/micro describe greeter --registry_address $registry"
"$bin/micro" describe greeter --registry_address "$registry" | tee "$work/out" | indent
check 4 "$(grep -c '^  Greeter\.' "$work/out")" "its four methods, one of each kind"
shows "$bin/micro call greeter Greeter.Hello '{\"name\":\"John\"}' --registry_address $registry"
reply=$("$bin/micro" call greeter Greeter.Hello '{"name":"John"}' --registry_address "$registry")
echo "$reply" | indent
check '{"message":"Hello John"}' "$reply" "called by name, without generated code"

step "A node leaves under load: SIGTERM, and nobody notices"
printf '{"name":"John"}' >"$work/body"
# A steady 5,000 requests per second: on a fast machine, too, the load then lasts longer than a node takes to leave.
shows "h2load --h1 -c 8 -n 20000 --rps 625 -d $work/body -H 'content-type: application/json' $gateway/api/greeter/Greeter.Hello"
h2load --h1 -c 8 -t 1 -n 20000 --rps 625 -d "$work/body" -H 'content-type: application/json' "$gateway/api/greeter/Greeter.Hello" >"$work/load" 2>&1 &
load=$!
sleep 0.4
shows "kill -TERM ${pid[greeter3]}     # greeter3"
kill -TERM "${pid[greeter3]}"
wait "${pid[greeter3]}"
status=$?
during=no; kill -0 "$load" 2>/dev/null && during=yes
unset 'pid[greeter3]'
check 0 "$status" "greeter3 ended with status 0"
check yes "$during" "while the load was running"
wait "$load"
grep -E '^(finished|requests:|status codes:)' "$work/load" | indent
check "20000 succeeded, 0 failed, 0 errored" "$(sed -n 's/^requests:.* done, \(.*\), 0 timeout$/\1/p' "$work/load")" "20,000 requests, not one failed"
check "20000 2xx" "$(sed -n 's/^status codes: \(20000 2xx\),.*/\1/p' "$work/load")" "every answer was a good one"

step "The survivors go on"
wait_for 5 heard leave 1 greeter1 greeter2 gateway || true
grep -E ' leave$' "$work/greeter1.log" | indent
check yes "$(heard leave 1 greeter1 greeter2 gateway && echo yes)" "every process was told that one has left"
shows "$bin/micro services --registry_address $registry"
"$bin/micro" services --registry_address "$registry" | tee "$work/out" | indent
check 2 "$(grep '^greeter ' "$work/out" | grep -o '127.0.0.1:[0-9]*' | wc -l)" "two nodes are left"
shows "curl -d '{\"name\":\"Ann\"}' $gateway/api/greeter/Greeter.Hello"
reply=$(curl -s -d '{"name":"Ann"}' "$gateway/api/greeter/Greeter.Hello")
echo "$reply" | indent
check '{"message":"Hello Ann"}' "$reply" "the gateway calls them"

echo
if [ "$failures" -gt 0 ]; then
  printf '%sdemo: %d steps were not as said%s\n' "$red" "$failures" "$off"
  exit 1
fi
printf '%sdemo: all as said%s\n' "$green" "$off"
if [ "${ONCE:-}" = 1 ] || [ ! -t 1 ]; then exit 0; fi

step "It stays up: try it"
say "browser    $gateway/services"
say "gateway    curl -d '{\"name\":\"you\"}' $gateway/api/greeter/Greeter.Hello"
say "a node     http://127.0.0.1:${node_port[1]} and http://127.0.0.1:${node_port[2]}: gRPC and HTTP/JSON"
say "grpcurl    grpcurl -plaintext 127.0.0.1:${node_port[1]} list"
say "by name    $bin/micro call greeter Greeter.Hello '{\"name\":\"you\"}' --registry_address $registry"
say "logs       $work/*.log"
say "Ctrl-C ends it."
wait
