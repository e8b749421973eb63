package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"github.com/aws/smithy-go"

	"github.com/laminadev/lamina/client"
	"github.com/laminadev/lamina/internal/project"
)

// The exit codes of every command.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitFunction    = 4
	exitNoServer    = 5
	exitInterrupted = 130
)

// exitCodesHelp is the last part of every help.
func exitCodesHelp() string {
	return `
Exit codes:
  0    done
  1    it failed
  2    wrong usage: a flag, an argument or a setting
  3    what was named does not exist
  4    the function was run and answered with an error
  5    nothing answers at the server's address
  130  interrupted
`
}

// exitCode is the one place that maps errors to exit codes.
func exitCode(err error) int {
	var (
		usage    *usageError
		function *functionError
		api      smithy.APIError
		own      *client.Error
		missing  *notFoundError
		shell    *exitError
		folder   *project.Error
		stop     *stopError
	)
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &stop):
		return exitFailure
	case errors.As(err, &usage), errors.As(err, &folder):
		return exitUsage
	case errors.As(err, &shell):
		return shell.code
	case errors.As(err, &function):
		return exitFunction
	case errors.As(err, &missing):
		return exitNotFound
	case errors.As(err, &api) && api.ErrorCode() == "ResourceNotFoundException",
		errors.As(err, &own) && own.Code == "ResourceNotFoundException":
		return exitNotFound
	case errors.Is(err, syscall.ECONNREFUSED):
		return exitNoServer
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	}
	return exitFailure
}

// usageError is a command line that can't be understood.
type usageError struct{ text, todo string }

func (e *usageError) Error() string { return e.text }
func (e *usageError) Hint() string  { return e.todo }

func usagef(format string, args ...any) *usageError {
	return &usageError{text: fmt.Sprintf(format, args...)}
}

// functionError says that the function itself failed; its answer was printed.
type functionError struct{ kind string }

func (e *functionError) Error() string { return "the function failed (" + e.kind + ")" }

// notFoundError says that something asked for is not there, where AWS's answer is an empty list.
type notFoundError struct{ text string }

func (e *notFoundError) Error() string { return e.text }

// explain prints an error of a command and what to do next.
func explain(w io.Writer, command string, err error, code int) {
	if shell := (*exitError)(nil); err == nil || code == exitInterrupted || errors.As(err, &shell) {
		return // a shell has said itself what went wrong in it
	}
	fmt.Fprintln(w, "lamina: "+strings.ReplaceAll(err.Error(), "\n", "\nlamina: "))
	var hint interface{ Hint() string }
	switch {
	case errors.As(err, &hint) && hint.Hint() != "":
		fmt.Fprintln(w, "  "+strings.ReplaceAll(hint.Hint(), "\n", "\n  "))
	case code == exitUsage:
		fmt.Fprintf(w, "  its usage: %s --help\n", command)
	}
}
