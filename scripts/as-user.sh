#!/usr/bin/env bash
# Runs the tests of the packages that make sandboxes as an ordinary user, although root calls: the test binaries are built
# here and run under a user and group that nobody has, with an empty home. Prints "as uid N: ok PACKAGE" lines.
cd "$(dirname "$0")/.."
. scripts/lib.sh
[ "$(id -u)" = 0 ] || die "as-user.sh is for root"
uid=61183
packages="./internal/sandbox/linuxsandbox ./internal/execenv ./internal/runtimes ./internal/overlay"

work=$(mktemp -d /tmp/lamina-as-user-XXXXXX)
trap 'rm -rf --one-file-system "$work"' EXIT
chmod 755 "$work"
mkdir "$work/home" "$work/tmp"
status=0
for p in $packages; do
  [ -n "$(ls "$p"/*_test.go 2>/dev/null)" ] || { echo "as uid $uid: $p has no tests"; continue; }
  name=${p#./}
  mkdir -p "$work/$name"
  go test -vet=off -c -o "$work/$name/test" "$p"
  [ ! -d "$p/testdata" ] || cp -r "$p/testdata" "$work/$name/"
done
# The nodes that setup got lie where this user may not look.
path=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
for dir in .tools/node/*/bin; do
  [ -x "$dir/node" ] || continue
  to=$work/node/$(basename "$(dirname "$dir")")
  mkdir -p "$to"
  cp -l "$dir/node" "$to/" 2>/dev/null || cp "$dir/node" "$to/"
  path=$path:$to
done
# Pythons of pyenv that lie in root's home run at that path alone: a mount namespace shows them there, and nothing else of it.
pythons=${PYENV_ROOT:-$HOME/.pyenv}/versions
as_user=(setpriv --reuid $uid --regid $uid --clear-groups env -i)
if [ -d "$pythons" ] && [[ $pythons == "$HOME"/* ]] && ! "${as_user[@]}" test -x "$pythons"; then
  if unshare -m true 2>/dev/null; then
    mkdir "$work/pythons"
    as_user=(unshare -m --propagation private bash -ec 'mount --bind "$1" "$2"; mount -t tmpfs -o mode=755,size=1m none "$3"
      mkdir -p "$1"; mount --move "$2" "$1"; shift 3; exec "$@"' as-user "$pythons" "$work/pythons" "$HOME" "${as_user[@]}")
    for dir in "$pythons"/3.*/bin; do path=$path:$dir; done
  else
    echo "as uid $uid: NOT RUN: the pythons in $pythons, which cannot be shown to it here"
  fi
fi
chown "$uid:$uid" "$work"/home "$work"/tmp
chown -R "$uid:$uid" "$work/internal"
for p in $packages; do
  name=${p#./}
  [ -x "$work/$name/test" ] || continue
  if (cd "$work/$name" && "${as_user[@]}" HOME="$work/home" TMPDIR="$work/tmp" \
    PATH="$path" LAMINA_TEST_RUN="${LAMINA_TEST_RUN:-}" \
    ./test -test.v -test.timeout 5m >"$work/$name/log" 2>&1); then
    grep '^sandboxtest:' "$work/$name/log" || true
    grep -iE '^ *--- SKIP|^    .*(skip|not )' "$work/$name/log" | sed -E 's/^ +[a-z_]+\.go:[0-9]+: (NOT RUN)/    \1/' |
      sort -u | head -20 || true
    echo "as uid $uid: ok $name ($(grep -c '^--- PASS' "$work/$name/log" || true) tests)"
  else
    status=1
    tail -60 "$work/$name/log"
    grep -A 5 -E '^ *--- FAIL' "$work/$name/log" || true
    echo "FAIL as uid $uid: $name"
  fi
done
exit $status
