#!/usr/bin/env bash
# Installs what the tests need: system packages that are missing, and the rest into .tools/.
cd "$(dirname "$0")/.."
. scripts/lib.sh
mkdir -p .tools

missing=()
need() { missing+=("$@"); }
have go || die "Go 1.26 or newer is needed to build lamina (package golang, or an archive of the Go project)"
have gcc || need gcc libc6-dev # the race detector
python_for_tools >/dev/null || need python3 python3-venv
[ -x /usr/bin/python3 ] && /usr/bin/python3 -c 'import pip' 2>/dev/null || need python3 python3-pip
have unzip || need unzip
postgres_bin >/dev/null || need postgresql
aws2 >/dev/null || need awscli
have newuidmap || need uidmap
have setpriv && have unshare || need util-linux
have ps || need procps
[ -x /usr/sbin/mkfs.ext4 ] || [ -x /sbin/mkfs.ext4 ] || need e2fsprogs
if [ ${#missing[@]} -gt 0 ]; then
  echo "installing system packages: ${missing[*]}"
  apt_install "${missing[@]}"
fi
install_tools
install_awslambdaric
install_nodes
install_journeys
