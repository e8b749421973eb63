package cli

import (
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Uploader shows the progress of uploads on w, as on a terminal.
func Uploader(c aws.HTTPClient, w io.Writer) aws.HTTPClient { return &uploader{c, w} }

// ExplainServer says on w what a person is told of a server that is ready.
func ExplainServer(w io.Writer, url string) error { return ready{URL: url}.explain(w) }

// OpenTerminal makes a terminal of two ends.
var OpenTerminal = openTerminal

// AsCalled names lamina in a line as it was called.
func AsCalled(line, program string) string { return asCalled(line, program) }
