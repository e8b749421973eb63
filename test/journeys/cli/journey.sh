#!/usr/bin/env bash
# The journey with the AWS CLI, see ../journey.txt. It prints the same lines, but for the status, which the CLI does not show.
set -euo pipefail

lambda() { aws lambda "$@"; }
say() { printf '%s: %s\n' "$1" "$(printf '%s' "${*:2}" | tr '\t\n' '  ')"; }
# text QUERY ARGUMENT… prints members of the answer, separated by blanks.
text() { lambda "${@:2}" --output text --query "$1" | tr '\t\n' '  ' | sed 's/ *$//'; }
none() { lambda "$@" >/dev/null; }

# pages QUERY ARGUMENT… asks for pages of one item, and prints what is on each.
pages() {
  local page token='' all=''
  while :; do
    page=$(lambda "${@:2}" --max-items 1 --page-size 1 ${token:+--starting-token "$token"} --output json --query "[NextToken, join(' ', $1)]")
    all+=${all:+ | }$(item 1 <<<"$page")
    token=$(item 0 <<<"$page")
    [ -n "$token" ] || break
  done
  printf '%s' "$all"
}
# item N prints an item of a list of texts.
item() { python3 -c 'import json, sys; print(json.load(sys.stdin)[int(sys.argv[1])] or "")' "$1"; }

refused() {
  local said
  if said=$(lambda "${@:2}" 2>&1 >/dev/null); then
    say "$1" "not refused" && exit 1
  fi
  say "$1" "$(tr '\n' ' ' <<<"$said" | sed -E 's/^ *(aws: \[ERROR\]: )?An error occurred \((\w+)\) when calling the \w+ operation( \(reached max retries: [0-9]+\))?: /\2 /; s/ *$//')"
}

stale=00000000-0000-0000-0000-000000000000
layer=(--layer-name words --version-number 1)
f=(--function-name f)

# Layers

say publish "$(text '[LayerVersionArn, to_string(Version), LicenseInfo, CompatibleRuntimes[0], CompatibleRuntimes[1], CompatibleArchitectures[0]]' \
  publish-layer-version --layer-name words --description first --license-info MIT --zip-file fileb://layer.zip \
  --compatible-runtimes python3.12 python3.13 --compatible-architectures x86_64)"
words=arn:aws:lambda:us-east-1:000000000000:layer:words:1
say "publish again" "$(text Version publish-layer-version --layer-name words --zip-file fileb://layer.zip)"
none publish-layer-version --layer-name tools --zip-file fileb://one.zip
say "get by number" "$(text '[LayerArn, Version]' get-layer-version "${layer[@]}")"
read -r description size < <(text '[Description, Content.CodeSize]' get-layer-version-by-arn --arn "$words" && echo)
say "get by ARN" "$description" "$([ "$size" = "$(stat -c %s layer.zip)" ] && echo yes || echo no)"
say "list layers" "$(pages "Layers[].join(':', [LayerName, to_string(LatestMatchingVersion.Version)])" list-layers)"
say "list versions" "$(pages 'LayerVersions[].to_string(Version)' list-layer-versions --layer-name words)"
say "list versions of a runtime" "$(pages 'LayerVersions[].to_string(Version)' list-layer-versions --layer-name words --compatible-runtime python3.13)"

permission=(add-layer-version-permission "${layer[@]}" --statement-id all --action lambda:GetLayerVersion --principal '*')
revision=$(text RevisionId "${permission[@]}")
read -r policy same < <(text '[Policy, RevisionId]' get-layer-version-policy "${layer[@]}" && echo)
say share "$(sed -E 's/.*"Sid": ?"([^"]*)".*/\1/' <<<"$policy")"
say policy "$(sed -E 's/.*"Resource": ?"([^"]*)".*/\1/' <<<"$policy")" "$([ "$same" = "$revision" ] && echo yes || echo no)"
refused "share twice" "${permission[@]}"
refused "unshare, stale" remove-layer-version-permission "${layer[@]}" --statement-id all --revision-id $stale
none remove-layer-version-permission "${layer[@]}" --statement-id all
refused "policy, gone" get-layer-version-policy "${layer[@]}"
refused "no such version" get-layer-version --layer-name words --version-number 9
refused "no name" publish-layer-version --layer-name 'no name' --zip-file fileb://layer.zip

# Functions

create=(create-function --runtime "$RUNTIME" --handler app.handler --role arn:aws:iam::000000000000:role/any --timeout 60
  --zip-file fileb://one.zip --tags team=blue)
say create "$(text '[FunctionArn, State, StateReasonCode]' "${create[@]}" "${f[@]}" --layers $words)"
none wait function-exists "${f[@]}"
none wait function-active-v2 "${f[@]}"
say get "$(text '[Configuration.State, Configuration.LastUpdateStatus, Code.RepositoryType, Tags.team]' get-function "${f[@]}")"
refused "create twice" "${create[@]}" "${f[@]}" --layers $words
refused "no such layer" "${create[@]}" --function-name g --layers "${words%1}9"
refused "no such function" get-function --function-name nobody

# invoked PATTERN prints what stands in answer.json.
invoked() { sed -nE "s/.*\"$1\": *\"([^\"]*)\".*/\1/p" answer.json; }
invoke() { text "$1" invoke "${f[@]}" "${@:2}" answer.json; }
printf '{"name":"Ada"}' >ada.json
printf '{}' >empty.json
printf 'no JSON' >no.json
{ printf '"' && head -c 6291456 /dev/zero | tr '\0' x && printf '"'; } >large.json
ada=(--payload fileb://ada.json)
log=$(invoke '[to_string(StatusCode), ExecutedVersion, LogResult]' --log-type Tail "${ada[@]}")
say invoke "${log% *}" "$(invoked text)"
log=$(base64 -d <<<"${log##* }")
said=()
for word in START "greeting Ada" END REPORT; do [[ $log != *"$word"* ]] || said+=("$word"); done
say "log tail" "${said[@]}"
say "dry run" "$(invoke StatusCode --invocation-type DryRun)"
say "function error" "$(invoke '[StatusCode, FunctionError]' --payload fileb://empty.json)" "$(invoked errorType)" "$(invoked errorMessage)"
refused "no JSON" invoke "${f[@]}" --payload fileb://no.json answer.json
refused "too large" invoke "${f[@]}" --payload fileb://large.json answer.json

say "publish version" "$(text '[FunctionArn, Version, Description]' publish-version "${f[@]}" --description one)"
none wait published-version-active "${f[@]}" --qualifier 1
refused "update, stale" update-function-code "${f[@]}" --zip-file fileb://two.zip --revision-id $stale
none update-function-code "${f[@]}" --zip-file fileb://two.zip
none wait function-updated-v2 "${f[@]}"
none update-function-configuration "${f[@]}" --memory-size 256
none wait function-updated-v2 "${f[@]}"
say "publish version again" "$(text '[Version, MemorySize]' publish-version "${f[@]}")"
say "list versions of f" "$(pages 'Versions[].Version' list-versions-by-function "${f[@]}")"

say "create alias" "$(text '[AliasArn, FunctionVersion]' create-alias "${f[@]}" --name live --function-version 1)"
none create-alias "${f[@]}" --name next --function-version 2
say "list aliases" "$(pages 'Aliases[].Name' list-aliases "${f[@]}")"
none invoke "${f[@]}" --qualifier live "${ada[@]}" answer.json
say "invoke live" "$(invoked text)"
say weights "$(printf '2=%.1f' "$(text 'RoutingConfig.AdditionalVersionWeights."2"' update-alias "${f[@]}" --name live --routing-config 'AdditionalVersionWeights={2=1.0}')")"
say "invoke live again" "$(invoke ExecutedVersion --qualifier live "${ada[@]}")" "$(invoked text)"
refused "delete a version in use" delete-function "${f[@]}" --qualifier 2

arn=arn:aws:lambda:us-east-1:000000000000:function:f
none tag-resource --resource $arn --tags cost=low
none untag-resource --resource $arn --tag-keys team
say tags "$(text "join(' ', [Tags.cost && join('', ['cost=', Tags.cost]), keys(Tags)[1] || ''])" list-tags --resource $arn)"

none add-permission "${f[@]}" --statement-id s3 --action lambda:InvokeFunction --principal s3.amazonaws.com
say "policy of f" "$(text Policy get-policy "${f[@]}" | sed -E 's/.*"Service": ?"([^"]*)".*/\1/')"
none remove-permission "${f[@]}" --statement-id s3
refused "policy of f, gone" get-policy "${f[@]}"

say reserve "$(text ReservedConcurrentExecutions put-function-concurrency "${f[@]}" --reserved-concurrent-executions 0)"
refused throttled invoke "${f[@]}" answer.json
none delete-function-concurrency "${f[@]}"
say "nothing reserved" "$([ -z "$(lambda get-function-concurrency "${f[@]}" --output json)" ] && echo yes || echo no)"

none put-function-event-invoke-config "${f[@]}" --maximum-retry-attempts 1
none put-function-event-invoke-config "${f[@]}" --qualifier live --maximum-retry-attempts 2
say retries "$(pages "FunctionEventInvokeConfigs[].join('=', [FunctionArn, to_string(MaximumRetryAttempts)])" list-function-event-invoke-configs "${f[@]}" |
  sed "s/$arn://g")"

none create-function-url-config "${f[@]}" --auth-type AWS_IAM
none create-function-url-config "${f[@]}" --qualifier live --auth-type AWS_IAM
say URLs "$(pages 'FunctionUrlConfigs[].FunctionArn' list-function-url-configs "${f[@]}" | sed -E 's/[^ ]*://g')"
none update-alias "${f[@]}" --name live --routing-config 'AdditionalVersionWeights={}' # no weights beside what is provisioned
none put-provisioned-concurrency-config "${f[@]}" --qualifier live --provisioned-concurrent-executions 1
none put-provisioned-concurrency-config "${f[@]}" --qualifier next --provisioned-concurrent-executions 2
say provisioned "$(pages "ProvisionedConcurrencyConfigs[].join('=', [FunctionArn, to_string(RequestedProvisionedConcurrentExecutions)])" \
  list-provisioned-concurrency-configs "${f[@]}" | sed -E 's/[^ ]*://g')"
none create-code-signing-config --description strict \
  --allowed-publishers SigningProfileVersionArns=arn:aws:signer:us-east-1:000000000000:/signing-profiles/p/abcdefghij
say signing "$(pages 'CodeSigningConfigs[].Description' list-code-signing-configs)"

none "${create[@]}" --function-name g --layers $words
say "list functions" "$(pages 'Functions[].FunctionName' list-functions)"
say account "$(text '[AccountLimit.CodeSizeUnzipped, AccountUsage.FunctionCount]' get-account-settings)"

# The end

none delete-alias "${f[@]}" --name live
none delete-function "${f[@]}" --qualifier 1
none delete-function "${f[@]}"
refused "get f, gone" get-function-configuration "${f[@]}"
none delete-layer-version "${layer[@]}"
none delete-layer-version "${layer[@]}"
say "layers left" "$(pages 'LayerVersions[].to_string(Version)' list-layer-versions --layer-name words)"
f=(--function-name g)
none wait function-active-v2 "${f[@]}"
none invoke "${f[@]}" "${ada[@]}" answer.json
say "g still runs" "$(invoked text)"
