#!/bin/sh
# Pins anew, with the newest of each that there is: the packages that hold a node, and AWS's SDK. Run it in this folder; it
# needs npm. The locks name no registry: npm asks the one that its user has set.
set -eu
clients="client-cloudwatch-logs client-dynamodb client-eventbridge client-lambda client-s3 client-secrets-manager client-sns
    client-sqs client-ssm client-sts credential-providers lib-dynamodb s3-request-presigner"

newest() { # of a package in a range, in the order of versions
    npm view "$1@$2" version --json | tr -d '[]", ' | grep . | sort -V | tail -1
}

{
    echo "# Packages of the npm registry that hold a node: name, version, integrity. Written by pin.sh."
    for arch in x64 arm64; do
        for major in 18 20 22 24; do
            version=$(newest "node-linux-$arch" "$major")
            echo "node-linux-$arch $version $(npm view "node-linux-$arch@$version" dist.integrity)"
        done
    done
} >packages.txt

lock() { # NODE RANGE: the SDK for node NODE and newer
    dir=$(mktemp -d)
    list=
    for client in $clients; do list="$list,\"@aws-sdk/$client\":\"$(newest "@aws-sdk/$client" "$2")\""; done
    echo "{\"name\":\"sdk\",\"version\":\"1.0.0\",\"private\":true,\"dependencies\":{${list#,}}}" >"$dir/package.json"
    (cd "$dir" && npm install --package-lock-only --ignore-scripts --no-audit --no-fund --omit-lockfile-registry-resolved)
    grep -v '"resolved":' "$dir/package-lock.json" >"sdk/node$1.json"
    rm -r "$dir"
}
lock 18 '>=3.900.0 <3.968.0' # the last that support node 18
lock 20 3
