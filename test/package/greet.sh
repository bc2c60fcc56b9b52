#!/bin/sh
# greet.sh BIN REGISTRY: starts the greeter of BIN and calls it with its client, as soon as it is found.
bin=$1 registry=$2
mkdir -p "$registry" && chmod 700 "$registry"
"$bin/greeter" --address 127.0.0.1:0 --registry_address "$registry" &
pid=$!
trap 'kill "$pid"; wait "$pid"' EXIT
status=1
for _ in $(seq 100); do
  kill -0 "$pid" || exit 1
  if said=$("$bin/greeter-client" --registry_address "$registry" 2>&1); then
    status=0
    break
  fi
  sleep 0.1
done
echo "$said"
exit "$status"
