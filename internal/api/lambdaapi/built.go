package lambdaapi

// built are the operations that lamina has. The others of Routes answer that they are not built.
var built = map[string]serveFunc{
	"PublishLayerVersion":  handle((*API).publishLayerVersion),
	"GetLayerVersion":      handle((*API).getLayerVersion),
	"GetLayerVersionByArn": handle((*API).getLayerVersionByARN),
	"ListLayerVersions":    handle((*API).listLayerVersions),
	"ListLayers":           handle((*API).listLayers),
	"DeleteLayerVersion":   handle((*API).deleteLayerVersion),

	"CreateFunction":              handle((*API).createFunction),
	"GetFunction":                 handle((*API).getFunction),
	"GetFunctionConfiguration":    handle((*API).getFunctionConfiguration),
	"ListFunctions":               handle((*API).listFunctions),
	"UpdateFunctionCode":          handle((*API).updateFunctionCode),
	"UpdateFunctionConfiguration": handle((*API).updateFunctionConfiguration),
	"DeleteFunction":              handle((*API).deleteFunction),

	"AddLayerVersionPermission":    handle((*API).addLayerVersionPermission),
	"GetLayerVersionPolicy":        handle((*API).getLayerVersionPolicy),
	"RemoveLayerVersionPermission": handle((*API).removeLayerVersionPermission),
	"AddPermission":                handle((*API).addPermission),
	"GetPolicy":                    handle((*API).getPolicy),
	"RemovePermission":             handle((*API).removePermission),

	"TagResource":               handle((*API).tagResource),
	"UntagResource":             handle((*API).untagResource),
	"ListTags":                  handle((*API).listTags),
	"PutFunctionConcurrency":    handle((*API).putFunctionConcurrency),
	"GetFunctionConcurrency":    handle((*API).getFunctionConcurrency),
	"DeleteFunctionConcurrency": handle((*API).deleteFunctionConcurrency),
	"GetAccountSettings":        handle((*API).getAccountSettings),

	"GetFunctionCodeSigningConfig":     handle((*API).getFunctionCodeSigningConfig),
	"DeleteFunctionCodeSigningConfig":  handle((*API).deleteFunctionCodeSigningConfig),
	"PutFunctionCodeSigningConfig":     handle((*API).putFunctionCodeSigningConfig),
	"GetCodeSigningConfig":             handle((*API).getCodeSigningConfig),
	"ListCodeSigningConfigs":           handle((*API).listCodeSigningConfigs),
	"ListFunctionsByCodeSigningConfig": handle((*API).listFunctionsByCodeSigningConfig),
	"CreateCodeSigningConfig":          handle((*API).createCodeSigningConfig),
	"UpdateCodeSigningConfig":          handle((*API).updateCodeSigningConfig),
	"DeleteCodeSigningConfig":          handle((*API).deleteCodeSigningConfig),
	"GetFunctionRecursionConfig":       handle((*API).getFunctionRecursionConfig),
	"PutFunctionRecursionConfig":       handle((*API).putFunctionRecursionConfig),
	"PutFunctionEventInvokeConfig":     handle((*API).putFunctionEventInvokeConfig),
	"UpdateFunctionEventInvokeConfig":  handle((*API).updateFunctionEventInvokeConfig),
	"GetFunctionEventInvokeConfig":     handle((*API).getFunctionEventInvokeConfig),
	"DeleteFunctionEventInvokeConfig":  handle((*API).deleteFunctionEventInvokeConfig),
	"ListFunctionEventInvokeConfigs":   handle((*API).listFunctionEventInvokeConfigs),

	"CreateFunctionUrlConfig":            handle((*API).createFunctionURLConfig),
	"GetFunctionUrlConfig":               handle((*API).getFunctionURLConfig),
	"UpdateFunctionUrlConfig":            handle((*API).updateFunctionURLConfig),
	"DeleteFunctionUrlConfig":            handle((*API).deleteFunctionURLConfig),
	"ListFunctionUrlConfigs":             handle((*API).listFunctionURLConfigs),
	"PutProvisionedConcurrencyConfig":    handle((*API).putProvisionedConcurrencyConfig),
	"GetProvisionedConcurrencyConfig":    handle((*API).getProvisionedConcurrencyConfig),
	"DeleteProvisionedConcurrencyConfig": handle((*API).deleteProvisionedConcurrencyConfig),
	"ListProvisionedConcurrencyConfigs":  handle((*API).listProvisionedConcurrencyConfigs),
	"GetRuntimeManagementConfig":         handle((*API).getRuntimeManagementConfig),
	"PutRuntimeManagementConfig":         handle((*API).putRuntimeManagementConfig),

	"PublishVersion":         handle((*API).publishVersion),
	"ListVersionsByFunction": handle((*API).listVersions),
	"CreateAlias":            handle((*API).createAlias),
	"GetAlias":               handle((*API).getAlias),
	"UpdateAlias":            handle((*API).updateAlias),
	"DeleteAlias":            handle((*API).deleteAlias),
	"ListAliases":            handle((*API).listAliases),

	"Invoke": (*API).invoke,
}

// Built reports whether lamina has an operation.
func Built(operation string) bool { return built[operation] != nil }
