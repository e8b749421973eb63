#!/bin/sh
# Pins AWS's SDK anew for every python that is found: the newest release that supports it, with the hashes of its files.
# Run it in this folder with the interpreters on PATH, or named in PYTHONS. python3.14 gets what python3.13 gets.
set -eu
for python in ${PYTHONS:-python3.8 python3.9 python3.10 python3.11 python3.12 python3.13}; do
    name=$("$python" -c 'import sys; print("python3.%d" % sys.version_info[1])')
    dir=$(mktemp -d)
    "$python" -m pip download --quiet --only-binary=:all: --dest "$dir" boto3
    {
        echo "# AWS's SDK for $name. Written by pin.sh; only these files are installed."
        for wheel in "$dir"/*.whl; do
            file=${wheel##*/}
            sum=$(sha256sum "$wheel")
            package=$(echo "${file%%-*}" | tr _ -)
            version=$(echo "$file" | cut -d- -f2)
            echo "$package==$version --hash=sha256:${sum%% *}"
        done
    } >"$name.txt"
    rm -r "$dir"
done
if [ -f python3.13.txt ]; then
    sed 's/python3\.13/python3.14/' python3.13.txt >python3.14.txt
fi
