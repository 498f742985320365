#!/bin/sh
# `headwater` as a program of the system (`npm link`, `npx headwater`): runs server.ts with the Node.js that npm brought along.
root=$(dirname "$(readlink -f "$0")")/../..
node=$root/node_modules/.bin/node
[ -x "$node" ] || node=node
# Thousands of requests that wait for the next part are alive whenever V8 looks at what is new. With its usual 16 MiB it looks, in a server
# that is full of them, twelve times a second, for ten milliseconds each; the size can be set only here.
exec "$node" --disable-warning=ExperimentalWarning --max-semi-space-size=64 "$root/server.ts" "$@"
