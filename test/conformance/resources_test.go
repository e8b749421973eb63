package conformance

// The steps of what belongs to a function or a layer version.

const (
	policy      = libs + "/1/policy"
	tagsOfF     = "/2017-03-31/tags/" + arn + "function:f"
	eventConfig = "/2019-09-25/functions/f/event-invoke-config"
	csc         = arn + "code-signing-config:csc-0123456789abcdef0"
	// made stands for the code signing configuration that was made last.
	made           = "MADE"
	signingConfigs = "/2020-04-22/code-signing-configs"

	urlOfF      = "/2021-10-31/functions/f/url"
	provisioned = "/2019-09-30/functions/f/provisioned-concurrency"

	runtimeConfig = "/2021-07-20/functions/f/runtime-management-config"
)

var publishers = object{"SigningProfileVersionArns": []string{"arn:aws:signer:us-east-1:000000000000:/signing-profiles/p/0123456789"}}

var cors = object{"AllowCredentials": true, "AllowHeaders": []string{"a"}, "AllowMethods": []string{"GET"}, "AllowOrigins": []string{"*"},
	"ExposeHeaders": []string{"b"}, "MaxAge": 1}

var layerGrant = object{"StatementId": "s", "Action": "lambda:GetLayerVersion", "Principal": "*"}
var functionGrant = object{"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "*"}

// ownSuccesses are run while the function f and version 1 of the layer libs are there.
var ownSuccesses = []step{
	{"AddLayerVersionPermission", "POST", policy, layerGrant, nil},
	{"GetLayerVersionPolicy", "GET", policy, nil, nil},
	{"RemoveLayerVersionPermission", "DELETE", policy + "/s", nil, nil},
	{"PublishVersion", "POST", fns + "/f/versions", object{"Description": "d"}, nil},
	{"ListVersionsByFunction", "GET", fns + "/f/versions", nil, nil},
	{"CreateAlias", "POST", fns + "/f/aliases", object{"Name": "live", "FunctionVersion": "1", "Description": "d"}, nil},
	{"GetAlias", "GET", fns + "/f/aliases/live", nil, nil},
	{"UpdateAlias", "PUT", fns + "/f/aliases/live", object{"Description": "e"}, nil},
	{"ListAliases", "GET", fns + "/f/aliases", nil, nil},
	{"DeleteAlias", "DELETE", fns + "/f/aliases/live", nil, nil},
	{"AddPermission", "POST", fns + "/f/policy", functionGrant, nil},
	{"GetPolicy", "GET", fns + "/f/policy", nil, nil},
	{"RemovePermission", "DELETE", fns + "/f/policy/s", nil, nil},
	{"TagResource", "POST", tagsOfF, object{"Tags": object{"a": "b"}}, nil},
	{"ListTags", "GET", tagsOfF, nil, nil},
	{"UntagResource", "DELETE", tagsOfF + "?tagKeys=a", nil, nil},
	{"PutFunctionConcurrency", "PUT", "/2017-10-31/functions/f/concurrency", object{"ReservedConcurrentExecutions": 1}, nil},
	{"GetFunctionConcurrency", "GET", "/2019-09-30/functions/f/concurrency", nil, nil},
	{"DeleteFunctionConcurrency", "DELETE", "/2017-10-31/functions/f/concurrency", nil, nil},
	{"GetAccountSettings", "GET", "/2016-08-19/account-settings", nil, nil},
	{"PutFunctionEventInvokeConfig", "PUT", eventConfig, object{"MaximumRetryAttempts": 1}, nil},
	{"UpdateFunctionEventInvokeConfig", "POST", eventConfig, object{"MaximumEventAgeInSeconds": 60}, nil},
	{"GetFunctionEventInvokeConfig", "GET", eventConfig, nil, nil},
	{"ListFunctionEventInvokeConfigs", "GET", eventConfig + "/list", nil, nil},
	{"DeleteFunctionEventInvokeConfig", "DELETE", eventConfig, nil, nil},
	{"PutFunctionRecursionConfig", "PUT", "/2024-08-31/functions/f/recursion-config", object{"RecursiveLoop": "Allow"}, nil},
	{"GetFunctionRecursionConfig", "GET", "/2024-08-31/functions/f/recursion-config", nil, nil},
	{"GetFunctionCodeSigningConfig", "GET", "/2020-06-30/functions/f/code-signing-config", nil, nil},
	{"CreateCodeSigningConfig", "POST", signingConfigs, object{"AllowedPublishers": publishers, "Description": "d", "CodeSigningPolicies": object{"UntrustedArtifactOnDeployment": "Warn"}, "Tags": object{"t": ""}}, nil},
	{"GetCodeSigningConfig", "GET", signingConfigs + "/" + made, nil, nil},
	{"TagResource", "POST", "/2017-03-31/tags/" + made, object{"Tags": object{"a": "b"}}, nil},
	{"ListTags", "GET", "/2017-03-31/tags/" + made, nil, nil},
	{"UntagResource", "DELETE", "/2017-03-31/tags/" + made + "?tagKeys=a", nil, nil},
	{"UpdateCodeSigningConfig", "PUT", signingConfigs + "/" + made, object{"Description": "e"}, nil},
	{"ListCodeSigningConfigs", "GET", signingConfigs, nil, nil},
	{"PutFunctionCodeSigningConfig", "PUT", "/2020-06-30/functions/f/code-signing-config", object{"CodeSigningConfigArn": made}, nil},
	{"GetFunctionCodeSigningConfig", "GET", "/2020-06-30/functions/f/code-signing-config", nil, nil},
	{"ListFunctionsByCodeSigningConfig", "GET", signingConfigs + "/" + made + "/functions", nil, nil},
	{"DeleteFunctionCodeSigningConfig", "DELETE", "/2020-06-30/functions/f/code-signing-config", nil, nil},
	{"DeleteCodeSigningConfig", "DELETE", signingConfigs + "/" + made, nil, nil},
	{"CreateFunctionUrlConfig", "POST", urlOfF, object{"AuthType": "NONE", "InvokeMode": "BUFFERED", "Cors": cors}, nil},
	{"GetFunctionUrlConfig", "GET", urlOfF, nil, nil},
	{"UpdateFunctionUrlConfig", "PUT", urlOfF, object{"AuthType": "AWS_IAM"}, nil},
	{"ListFunctionUrlConfigs", "GET", urlOfF + "s", nil, nil},
	{"DeleteFunctionUrlConfig", "DELETE", urlOfF, nil, nil},
	{"PutProvisionedConcurrencyConfig", "PUT", provisioned + "?Qualifier=1", object{"ProvisionedConcurrentExecutions": 1}, nil},
	{"GetProvisionedConcurrencyConfig", "GET", provisioned + "?Qualifier=1", nil, nil},
	{"ListProvisionedConcurrencyConfigs", "GET", provisioned + "?List=ALL", nil, nil},
	{"DeleteProvisionedConcurrencyConfig", "DELETE", provisioned + "?Qualifier=1", nil, nil},
	{"PutRuntimeManagementConfig", "PUT", runtimeConfig, object{"UpdateRuntimeOn": "Manual", "RuntimeVersionArn": "arn:aws:lambda:us-east-1::runtime:0123456789abcdef"}, nil},
	{"GetRuntimeManagementConfig", "GET", runtimeConfig, nil, nil},
}

// ownFailures are run while the function f and version 1 of the layer libs are there, and nothing of theirs.
var ownFailures = []step{
	{"AddLayerVersionPermission", "POST", libs + "/9/policy", layerGrant, nil},
	{"GetLayerVersionPolicy", "GET", policy, nil, nil},
	{"RemoveLayerVersionPermission", "DELETE", policy + "/s", nil, nil},
	{"PublishVersion", "POST", fns + "/f/versions", object{"CodeSha256": "x"}, nil},
	{"PublishVersion", "POST", fns + "/f/versions", object{"RevisionId": "x"}, nil},
	{"PublishVersion", "POST", fns + "/nope/versions", object{}, nil},
	{"ListVersionsByFunction", "GET", fns + "/nope/versions", nil, nil},
	{"CreateAlias", "POST", fns + "/f/aliases", object{"Name": "live", "FunctionVersion": "9"}, nil},
	{"CreateAlias", "POST", fns + "/f/aliases", object{"Name": "x", "FunctionVersion": "$LATEST", "RoutingConfig": object{"AdditionalVersionWeights": object{"1": 1}}}, nil},
	{"GetAlias", "GET", fns + "/f/aliases/nope", nil, nil},
	{"UpdateAlias", "PUT", fns + "/f/aliases/nope", object{}, nil},
	{"ListAliases", "GET", fns + "/nope/aliases", nil, nil},
	{"DeleteAlias", "DELETE", fns + "/f/aliases/1", nil, nil},
	{"AddPermission", "POST", fns + "/nope/policy", functionGrant, nil},
	{"AddPermission", "POST", fns + "/f/policy?Qualifier=$LATEST", functionGrant, nil},
	{"GetPolicy", "GET", fns + "/f/policy", nil, nil},
	{"RemovePermission", "DELETE", fns + "/f/policy/s", nil, nil},
	{"RemovePermission", "DELETE", fns + "/nope/policy/s", nil, nil},
	{"TagResource", "POST", tagsOfF, object{"Tags": object{}}, nil},
	{"ListTags", "GET", tagsOfF + "x", nil, nil},
	{"UntagResource", "DELETE", tagsOfF, nil, nil},
	{"PutFunctionConcurrency", "PUT", "/2017-10-31/functions/f/concurrency", object{"ReservedConcurrentExecutions": 901}, nil},
	{"GetFunctionConcurrency", "GET", "/2019-09-30/functions/nope/concurrency", nil, nil},
	{"DeleteFunctionConcurrency", "DELETE", "/2017-10-31/functions/nope/concurrency", nil, nil},
	{"PutFunctionEventInvokeConfig", "PUT", eventConfig, object{}, nil},
	{"UpdateFunctionEventInvokeConfig", "POST", eventConfig, object{"MaximumEventAgeInSeconds": 60}, nil},
	{"GetFunctionEventInvokeConfig", "GET", eventConfig, nil, nil},
	{"ListFunctionEventInvokeConfigs", "GET", "/2019-09-25/functions/nope/event-invoke-config/list", nil, nil},
	{"DeleteFunctionEventInvokeConfig", "DELETE", eventConfig, nil, nil},
	{"PutFunctionRecursionConfig", "PUT", "/2024-08-31/functions/nope/recursion-config", object{"RecursiveLoop": "Allow"}, nil},
	{"GetFunctionRecursionConfig", "GET", "/2024-08-31/functions/nope/recursion-config", nil, nil},
	{"GetFunctionCodeSigningConfig", "GET", "/2020-06-30/functions/nope/code-signing-config", nil, nil},
	{"DeleteFunctionCodeSigningConfig", "DELETE", "/2020-06-30/functions/nope/code-signing-config", nil, nil},
	{"PutFunctionCodeSigningConfig", "PUT", "/2020-06-30/functions/f/code-signing-config", object{"CodeSigningConfigArn": csc}, nil},
	{"GetCodeSigningConfig", "GET", "/2020-04-22/code-signing-configs/" + csc, nil, nil},
	{"TagResource", "POST", "/2017-03-31/tags/" + csc, object{"Tags": object{"a": "b"}}, nil},
	{"ListTags", "GET", "/2017-03-31/tags/" + csc, nil, nil},
	{"UntagResource", "DELETE", "/2017-03-31/tags/" + csc + "?tagKeys=a", nil, nil},
	{"ListFunctionsByCodeSigningConfig", "GET", "/2020-04-22/code-signing-configs/" + csc + "/functions", nil, nil},
	{"ListCodeSigningConfigs", "GET", signingConfigs + "?MaxItems=0", nil, nil},
	{"CreateCodeSigningConfig", "POST", signingConfigs, object{}, nil},
	{"UpdateCodeSigningConfig", "PUT", signingConfigs + "/" + csc, object{}, nil},
	{"DeleteCodeSigningConfig", "DELETE", signingConfigs + "/" + csc, nil, nil},
	{"CreateFunctionUrlConfig", "POST", urlOfF + "?Qualifier=1", object{"AuthType": "NONE"}, nil},
	{"CreateFunctionUrlConfig", "POST", urlOfF + "?Qualifier=nope", object{"AuthType": "NONE"}, nil},
	{"GetFunctionUrlConfig", "GET", urlOfF, nil, nil},
	{"UpdateFunctionUrlConfig", "PUT", urlOfF, object{"AuthType": "AWS_IAM"}, nil},
	{"ListFunctionUrlConfigs", "GET", "/2021-10-31/functions/nope/urls", nil, nil},
	{"DeleteFunctionUrlConfig", "DELETE", urlOfF, nil, nil},
	{"PutProvisionedConcurrencyConfig", "PUT", provisioned + "?Qualifier=9", object{"ProvisionedConcurrentExecutions": 1}, nil},
	{"PutProvisionedConcurrencyConfig", "PUT", provisioned + "?Qualifier=$LATEST", object{"ProvisionedConcurrentExecutions": 1}, nil},
	{"GetProvisionedConcurrencyConfig", "GET", provisioned + "?Qualifier=$LATEST", nil, nil},
	{"GetProvisionedConcurrencyConfig", "GET", provisioned + "?Qualifier=nope", nil, nil},
	{"ListProvisionedConcurrencyConfigs", "GET", provisioned + "?List=ALL&Marker=x", nil, nil},
	{"DeleteProvisionedConcurrencyConfig", "DELETE", provisioned + "?Qualifier=9", nil, nil},
	{"PutRuntimeManagementConfig", "PUT", runtimeConfig, object{"UpdateRuntimeOn": "Manual"}, nil},
	{"GetRuntimeManagementConfig", "GET", runtimeConfig + "?Qualifier=9", nil, nil},
}

// neverFails is an operation that has nothing to refuse.
var neverFails = []string{"GetAccountSettings"}
