package conformance

import (
	"os/exec"
	"testing"

	"github.com/laminadev/lamina/internal/invoke"
)

// TestBoto3 runs a day's work through AWS's SDK for Python.
func TestBoto3(t *testing.T) {
	interpreter := needPython(t)
	url, invoker := newServer(t)
	invoker.Out = invoke.Output{Payload: []byte(`{"answer": 42}`), FunctionError: "Unhandled", LogTail: []byte("START"), ExecutedVersion: "$LATEST"}
	out, err := exec.Command(interpreter, "testdata/client.py", url, "111111111111", "eu-west-1").CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
