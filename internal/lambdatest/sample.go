package lambdatest

// PythonFunction is a deployment package whose lambda_function.py is source; its handler is named by PythonHandler.
func PythonFunction(source string) []byte {
	return Zip(map[string]string{"lambda_function.py": source})
}

// PythonHandler is the handler of a PythonFunction that defines lambda_handler.
const PythonHandler = "lambda_function.lambda_handler"

// EchoFunction is a Python function that answers its event.
func EchoFunction() []byte {
	return PythonFunction("def lambda_handler(event, context):\n    return event\n")
}

// CustomFunction is a deployment package for provided runtimes: bootstrap is a script or a program, and is executable.
func CustomFunction(bootstrap string) []byte {
	return ZipOf(Entry{Name: "bootstrap", Content: bootstrap, Mode: 0o755})
}

// PythonLayer is a layer that brings one Python module.
func PythonLayer(module, source string) []byte {
	return Zip(map[string]string{"python/": "", "python/" + module + ".py": source})
}
