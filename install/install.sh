#!/bin/sh
# Installs Headwater on a Debian machine, upgrades it, and takes it away again. Run it in a folder in which `npm ci` has been run.
set -eu

usage() {
  cat <<'TEXT'
usage: install/install.sh [install | uninstall] [--root <folder> [--link]] [--dry-run]

  install     the program to /usr/lib/headwater and /usr/bin/headwater, units, kernel settings, the user headwater; to /etc/headwater
              what is not there yet. Again, also from a newer version: the same, and what was configured stays. What runs goes on
              running as it was until it is restarted.
  uninstall   the same taken away, services stopped before. /etc/headwater and /var/lib/headwater stay: there are secrets and recordings.

  --root      below this folder and not below /, and nobody is told: for packages and tests
  --link      names for the files that are here in place of copies, on the same disk
  --dry-run   say what would be done

exit codes: 0 done, 1 failed, 2 typed wrongly or a configuration that the new version does not take
TEXT
}

verb=install
root=
is_dry=
copy=-R
while [ $# -gt 0 ]; do
  case $1 in
    install | uninstall) verb=$1 ;;
    --root)
      [ $# -ge 2 ] || { usage >&2; exit 2; }
      root=${2%/}
      shift
      ;;
    --link) copy=-Rl ;;
    --dry-run) is_dry=1 ;;
    --help) usage; exit ;;
    *) echo "install.sh: '$1' is not known" >&2; usage >&2; exit 2 ;;
  esac
  shift
done

source=$(readlink -f "$(dirname "$(readlink -f "$0")")/..")
program=$root/usr/lib/headwater
configuration=$root/etc/headwater
units=$root/usr/lib/systemd/system

# Runs a command, or says what it would be.
act() {
  if [ -n "$is_dry" ]; then echo "$@"; else "$@"; fi
}

fail() {
  echo "install.sh: $2" >&2
  exit "$1"
}

# What a running machine is told; a folder has nobody to tell.
tell() {
  [ -n "$root" ] || act "$@"
}

# What systemd is told, on a machine that it runs: an image that is being made has none yet.
tell_systemd() {
  [ ! -d /run/systemd/system ] || tell "$@"
}

# What is to be started with the new version has to please it.
check_configurations() {
  wants=$root/etc/systemd/system/multi-user.target.wants
  for unit in "$wants"/headwater-server@*.service "$wants"/headwater-usher.service; do
    [ -L "$unit" ] || continue
    name=$(basename "$unit" .service)
    name=${name#headwater-}
    file=$configuration/${name#server@}.yaml
    # shellcheck disable=SC1090,SC1091 # The file is the operator's.
    (
      set -a
      [ ! -r "$configuration/headwater.env" ] || . "$configuration/headwater.env"
      act "$source/network/command/headwater.sh" config check "$file" >&2
    ) || fail 2 "$file is not one for this version; nothing was changed"
  done
}

# Packages that the program needs at run time, of which package-lock.json knows: not those for development, nor those for another
# kind of machine, which are not here.
packages() {
  "$source/node_modules/.bin/node" -e '
    const { existsSync } = require("node:fs");
    const { packages } = require(process.cwd() + "/package-lock.json");
    const isOfTop = (path) => path.startsWith("node_modules/") && path.lastIndexOf("node_modules/") === 0;
    for (const [path, { dev }] of Object.entries(packages)) if (!dev && isOfTop(path) && existsSync(path)) console.log(path);
  '
}

copy_program() {
  staged=$program.new
  act rm -rf "$staged"
  act mkdir -p "$staged/node_modules/.bin"
  cd "$source"
  # shellcheck disable=SC2046 # Names of packages hold no spaces.
  act cp "$copy" --parents server.ts package.json package-lock.json README.md LICENSE NOTICE \
    edge install network origin transcoder usher $(packages) "$staged"
  # Node.js comes with its own parts, of which the program is one that is there twice.
  act rm -rf "$staged/node_modules/node/node_modules"
  act ln -s ../node/bin/node "$staged/node_modules/.bin/node"
  tell chown -R root:root "$staged"
  act chmod -R u=rwX,go=rX "$staged"
}

# In one step for whoever starts it meanwhile.
swap_program() {
  act rm -rf "$program.old"
  [ ! -d "$program" ] || act mv "$program" "$program.old"
  act mv "$program.new" "$program"
  act rm -rf "$program.old"
  act mkdir -p "$root/usr/bin"
  act ln -sfn ../lib/headwater/network/command/headwater.sh "$root/usr/bin/headwater"
}

copy_system_files() {
  act mkdir -p "$units/headwater-.service.d" "$root/usr/lib/sysctl.d" "$root/usr/lib/sysusers.d"
  act cp "$source/install/systemd/headwater-server@.service" "$source/install/systemd/headwater-usher.service" "$units/"
  act cp "$source/install/systemd/headwater-.service.d/10-common.conf" "$units/headwater-.service.d/"
  act cp "$source/install/sysctl.d/60-headwater.conf" "$root/usr/lib/sysctl.d/"
  act cp "$source/install/sysusers.d/headwater.conf" "$root/usr/lib/sysusers.d/"
}

# Only what is not there: the rest is the operator's.
copy_configuration() {
  act mkdir -p "$configuration/secrets"
  for name in server usher; do
    [ -e "$configuration/$name.yaml" ] || act cp "$source/install/etc/$name.yaml" "$configuration/$name.yaml"
  done
  [ -e "$configuration/secrets/cluster" ] || make_secret "$configuration/secrets/cluster"
  tell chgrp -R headwater "$configuration"
  act chmod 0750 "$configuration" "$configuration/secrets"
}

make_secret() {
  if [ -n "$is_dry" ]; then
    echo "make a secret: $1"
    return
  fi
  (umask 027 && od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >"$1" && echo >>"$1")
}

install_all() {
  [ -x "$source/node_modules/.bin/node" ] || fail 1 "there is no Node.js in $source/node_modules: run 'npm ci' first"
  "$source/node_modules/.bin/node" --version >/dev/null || fail 1 "Node.js does not run here: it takes 'apt-get install libatomic1'"
  check_configurations
  copy_program
  swap_program
  copy_system_files
  tell systemd-sysusers headwater.conf
  copy_configuration
  tell_systemd systemctl daemon-reload
  tell_systemd sysctl -q -p /usr/lib/sysctl.d/60-headwater.conf || echo "install.sh: this kernel does not take all of these settings" >&2
}

uninstall_all() {
  # Servers of a cluster are emptied by this, all at once.
  tell_systemd systemctl stop 'headwater-server@*' headwater-usher
  tell_systemd systemctl disable headwater-server@.service headwater-usher.service
  act rm -f "$root/usr/bin/headwater" "$units/headwater-server@.service" "$units/headwater-usher.service"
  act rm -f "$root/usr/lib/sysctl.d/60-headwater.conf" "$root/usr/lib/sysusers.d/headwater.conf"
  act rm -rf "$units/headwater-.service.d" "$program"
  tell_systemd systemctl daemon-reload
}

"${verb}_all"
