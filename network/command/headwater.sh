#!/bin/sh
# `headwater` as a program of the system (`npm link`, `npx headwater`): runs server.ts with the Node.js that npm brought along.
root=$(dirname "$(readlink -f "$0")")/../..
node=$root/node_modules/.bin/node
[ -x "$node" ] || node=node
exec "$node" --disable-warning=ExperimentalWarning "$root/server.ts" "$@"
