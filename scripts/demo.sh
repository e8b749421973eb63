#!/usr/bin/env bash
# The main job on real input: packages become a layer, the layer is attached to a function, the function runs.
#
#   make demo           asks before it installs a system package
#   make demo YES=1     asks nothing
#   make demo KEEP=1    leaves the server running, and says how to use it
#
# Everything that it makes is below .tools/, and gone when it ends, but for the AWS CLI that it had to install there.
cd "$(dirname "$0")/.."
. scripts/lib.sh

bold='' dim='' plain=''
if [ -t 1 ]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; fi

now() { local t=${EPOCHREALTIME/[.,]/}; echo $((t / 1000)); }
times=()
# step TITLE begins a step; the time of the one before is kept for the table at the end.
step_title='' step_start=0
step() {
  [ -z "$step_title" ] || times+=("$(printf '%7d ms  %s' $(($(now) - step_start)) "$step_title")")
  step_title=$1 step_start=$(now)
  [ -z "$1" ] || printf '\n%s%s%s\n' "$bold" "$1" "$plain"
}
# shown COMMAND… prints a command as one would type it, and runs it. Its output may be redirected, the line is not.
exec 3>&1
shown() {
  printf '%s$ %s%s\n' "$dim" "$(quoted "$@")" "$plain" >&3
  "$@" 3>&-
}
quoted() {
  local a out=()
  for a in "$@"; do
    case $a in
      *[!A-Za-z0-9_.,:/=@%+-]* | '') out+=("'$a'") ;;
      *) out+=("$a") ;;
    esac
  done
  printf '%s' "${out[*]}"
}

work='' server='' service=''
clean() {
  local status=$?
  trap '' INT TERM
  if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; fi
  if [ -n "$service" ]; then kill "$service" 2>/dev/null || true; fi
  [ -z "$server" ] || wait "$server" 2>/dev/null || true
  [ -z "$service" ] || wait "$service" 2>/dev/null || true
  if [ "$status" != 0 ] && [ "$status" -lt 128 ] && [ -n "$work" ] && [ -s "$work/server.log" ]; then
    printf '\nthe end of the log of the server:\n' >&2
    tail -20 "$work/server.log" >&2
  fi
  [ -z "$work" ] || rm -rf "$work"
  exit $status
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# newest_python prints runtime and interpreter of the newest Python that lamina finds here and that has pip.
newest_python() {
  local runtime version interpreter
  while read -r runtime version interpreter; do
    "$interpreter" -m pip --version >/dev/null 2>&1 && { echo "$runtime $interpreter"; return; }
  done < <(bin/lamina runtime list --data "$work/data" | awk '$1 ~ /^python3\./ { print $1, $2, $NF }' | sort -t. -k2,2nr)
  return 1
}

# usable_aws FILE says whether this AWS CLI knows AWS_ENDPOINT_URL: from 1.29 and 2.13 on.
usable_aws() {
  local v
  v=$("$1" --version 2>/dev/null | sed -nE 's|^aws-cli/([0-9]+)\.([0-9]+).*|\1 \2|p')
  set -- $v
  [ $# = 2 ] && { [ "$1" = 1 ] && [ "$2" -ge 29 ] || [ "$1" = 2 ] && [ "$2" -ge 13 ]; }
}

mkdir -p .tools/bin .tools/demo
step "What this needs"
missing=()
have go || die "Go 1.26 or newer is needed to build lamina"
echo "  Go                 $(go version | cut -d' ' -f3)"
if [ -x /usr/bin/python3 ] && /usr/bin/python3 -c 'import sys, pip; sys.exit(sys.version_info < (3, 9))' 2>/dev/null ||
  { have python3 && python3 -c 'import sys, pip; sys.exit(sys.version_info < (3, 9))' 2>/dev/null; }; then
  echo "  Python with pip    here"
else
  echo "  Python with pip    missing"
  missing+=(python3 python3-pip)
fi
aws=$(command -v aws || true)
if [ -n "$aws" ] && usable_aws "$aws"; then
  echo "  AWS CLI            $("$aws" --version | cut -d' ' -f1)"
else
  aws=
  echo "  AWS CLI            will be installed into .tools/"
  python_for_tools >/dev/null || missing+=(python3 python3-venv)
fi
if [ ${#missing[@]} -gt 0 ]; then
  mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
  echo "  system packages    ${missing[*]}"
  if [ "${YES:-}" != 1 ] && [ -t 0 ]; then
    read -r -p "Install these with apt-get? [y/N] " answer
    case $answer in y* | Y*) ;; *) die "nothing was installed" ;; esac
  fi
  apt_install "${missing[@]}"
fi
if [ -z "$aws" ]; then
  install_tools
  aws=$PWD/.tools/venv/bin/aws
fi
PATH=$(dirname "$aws"):$PATH

step "Build lamina"
shown make --no-print-directory build
go build -o .tools/bin/shortener-service ./examples/url-shortener/service

work=$(mktemp -d "$PWD/.tools/demo/XXXXXX")

step "Start a link shortening service on this host, and the server"
setsid .tools/bin/shortener-service >"$work/service.addr" 2>/dev/null </dev/null &
service=$!
until [ -s "$work/service.addr" ]; do kill -0 $service 2>/dev/null || die "the service does not start"; sleep 0.02; done
address=$(cat "$work/service.addr")
echo "the service listens on $address"
printf '%s$ %s%s\n' "$dim" "bin/lamina serve --listen 127.0.0.1:0 --data ${work#"$PWD"/}/data --reach $address &" "$plain"
setsid bin/lamina serve --listen 127.0.0.1:0 --data "$work/data" --reach "$address" --ready-file "$work/url" \
  >"$work/server.out" 2>"$work/server.log" </dev/null &
server=$!
until [ -s "$work/url" ]; do kill -0 $server 2>/dev/null || die "the server does not start; bin/lamina doctor says what this machine lacks"; sleep 0.02; done
url=$(cat "$work/url")
echo "lamina is ready at $url"

export AWS_ENDPOINT_URL=$url AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1 AWS_REGION=us-east-1
export AWS_PAGER= AWS_MAX_ATTEMPTS=1 AWS_CONFIG_FILE=$work/aws-config AWS_SHARED_CREDENTIALS_FILE=$work/aws-credentials
printf '%s$ export AWS_ENDPOINT_URL=%s AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1%s\n' "$dim" "$url" "$plain"

step "Complete the newest Python of this host with the AWS SDK"
read -r runtime python < <(newest_python) || die "lamina finds no Python with pip here; bin/lamina doctor says more"
shown bin/lamina runtime add "$runtime" --data "${work#"$PWD"/}/data"

step "Build the layer with $python"
mkdir -p "$work/layer" "$work/function"
cp examples/url-shortener/requirements.txt "$work/"
cp examples/url-shortener/function/app.py "$work/function/"
project=$PWD
cd "$work"
export PIP_ROOT_USER_ACTION=ignore
shown "$python" -m pip install --quiet --no-compile --require-hashes --requirement requirements.txt --target layer/python
# Byte code that is valid whatever the times of the files are: imports are twice as fast with it.
shown "$python" -m compileall -q -s layer -p /opt --invalidation-mode unchecked-hash layer/python
(cd layer && shown "$python" -m zipfile -c ../layer.zip python)
(cd function && shown "$python" -m zipfile -c ../function.zip app.py)
ls -l layer.zip function.zip | awk '{ printf "%9d bytes  %s\n", $5, $NF }'

step "Publish it"
shown aws lambda publish-layer-version --layer-name url-shortener --zip-file fileb://layer.zip --compatible-runtimes "$runtime" \
  --query '{LayerVersionArn: LayerVersionArn, CodeSize: Content.CodeSize, CodeSha256: Content.CodeSha256}'

step "Create the function"
shown aws lambda create-function --function-name shorten --runtime "$runtime" --handler app.handler \
  --role arn:aws:iam::000000000000:role/any --timeout 30 --memory-size 256 --zip-file fileb://function.zip \
  --environment "Variables={SHORTENER=http://$address}" --query '{FunctionArn: FunctionArn, State: State}'
shown aws lambda wait function-active-v2 --function-name shorten

step "Attach the layer"
shown aws lambda update-function-configuration --function-name shorten \
  --layers arn:aws:lambda:us-east-1:000000000000:layer:url-shortener:1 --query '{Layers: Layers, LastUpdateStatus: LastUpdateStatus}'
shown aws lambda wait function-updated-v2 --function-name shorten

printf '{"url": "https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html"}' >event.json
for n in 1 2; do
  [ $n = 1 ] && step "Invoke it: a cold start" || step "Invoke it again: a warm one"
  shown aws lambda invoke --function-name shorten --payload fileb://event.json --log-type Tail --query LogResult --output text answer.json >log.txt
  base64 -d <log.txt | sed 's/^/  | /'
done

step "The answer"
cat event.json; echo
"$python" - answer.json <<'P'
import http.client, json, sys, urllib.parse

with open(sys.argv[1]) as f:
    answer = json.load(f)
if "short_url" not in answer:
    sys.exit(f"the function failed: {answer}")
print("short link:", answer["short_url"])
short = urllib.parse.urlsplit(answer["short_url"])
connection = http.client.HTTPConnection(short.netloc, timeout=5)
connection.request("GET", short.path)
found = connection.getresponse()
print("it leads to:", found.headers["Location"], f"({found.status})")
assert found.headers["Location"] == answer["url"]
print("QR code, of which the answer has a PNG too (%d bytes in base64):\n" % len(answer["qr_png"]), flush=True)
sys.stdout.buffer.write(answer["qr_text"].encode())
P

cd "$project"
step ""
printf '\n%sTimes%s\n' "$bold" "$plain"
printf '%s\n' "${times[@]}"

if [ "${KEEP:-}" = 1 ]; then
  cat <<K

The server goes on. In this terminal or another one:

  export AWS_ENDPOINT_URL=$url AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1
  $aws lambda list-layers
  bin/lamina invoke shorten --payload '{"url": "https://example.com/"}'
  bin/lamina function logs shorten

To end it and remove what it keeps:

  kill $server $service; rm -rf $work
K
  server='' service='' work=''
fi
