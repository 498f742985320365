#!/usr/bin/env bash
# Installs the programs that the tests run against, where they are missing (Debian and its kin; asks sudo if need be).
set -euo pipefail

missing=()
for program in ffmpeg chromium-headless-shell redis-server nginx openssl prometheus systemd shellcheck docker-compose; do
  command -v "$program" >/dev/null || missing+=("$program")
done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "installing for the tests: ${missing[*]}"
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -q
"${as_root[@]}" apt-get install -y -q --no-install-recommends "${missing[@]}"
