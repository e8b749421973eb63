package lambda_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"github.com/laminadev/lamina/internal/lambda"
)

func TestFaultText(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string // what the text says; "": there is none
	}{
		{nil, ""},
		{errors.New("no"), ""},
		{syscall.ENOENT, ""},
		{syscall.ENOSPC, "full"},
		{fmt.Errorf("cannot write: %w", &fs.PathError{Op: "write", Path: "x", Err: syscall.EDQUOT}), "full"},
		{errors.Join(syscall.ENOENT, syscall.ENOSPC), "full"},
		{syscall.EROFS, "read-only"},
		{syscall.EMFILE, "ulimit -n"},
		{syscall.ENFILE, "ulimit -n"},
		{syscall.EFBIG, "ulimit -f"},
		{syscall.EIO, "lamina check"},
	} {
		if got := lambda.FaultText(test.err); !strings.Contains(got, test.want) || (got == "") != (test.want == "") {
			t.Errorf("%v: %q, want it to say %q", test.err, got, test.want)
		}
	}
}
