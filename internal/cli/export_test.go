package cli

import (
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Uploader shows the progress of uploads on w, as on a terminal.
func Uploader(c aws.HTTPClient, w io.Writer) aws.HTTPClient { return &uploader{c, w} }
