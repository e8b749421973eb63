package cli_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/laminadev/lamina/internal/cli"
)

// TestHelp keeps the manual: one golden file for each command.
func TestHelp(t *testing.T) {
	bare(t)
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Hidden {
			return
		}
		t.Run(c.CommandPath(), func(t *testing.T) {
			args := append(strings.Fields(c.CommandPath())[1:], "--help")
			r := run(t, args...)
			if r.Code != 0 || r.Err != "" {
				t.Fatalf("code %d, %s", r.Code, r.Err)
			}
			golden(t, "help/"+strings.ReplaceAll(c.CommandPath(), " ", "_")+".txt", r.Out)
			if c.Runnable() && !c.HasSubCommands() && (c.Short == "" || c.Example == "") {
				t.Error("a command needs a summary and an example")
			}
		})
		for _, child := range c.Commands() {
			walk(child)
		}
	}
	walk(cli.New(cli.Streams{Out: &bytes.Buffer{}, Err: &bytes.Buffer{}}))
}

func TestUsage(t *testing.T) {
	bare(t)
	for name, tt := range map[string]struct {
		args []string
		errs string
	}{
		"unknown command":    {[]string{"server"}, "lamina: lamina has no command \"server\"\n  did you mean: lamina serve\n"},
		"unknown below":      {[]string{"layer", "unpublish"}, "lamina layer has no command \"unpublish\""},
		"unknown flag":       {[]string{"invoke", "f", "--nope"}, "unknown flag: --nope\n  its usage: lamina invoke --help\n"},
		"no argument":        {[]string{"invoke"}, "lamina invoke lacks an argument: its form is lamina invoke NAME [flags]"},
		"one too few":        {[]string{"layer", "publish", "a"}, "lamina layer publish does not take \"a\" alone: its form is lamina layer publish NAME PATH [flags]"},
		"too many arguments": {[]string{"invoke", "a", "b"}, "does not take 2 arguments"},
		"format":             {[]string{"version", "--format", "xml"}, "--format is text or json, not \"xml\""},
		"layer name":         {[]string{"layer", "show", "a:b"}, "\"a:b\" is not NAME, NAME:VERSION or the ARN of a layer"},
		"two servers":        {[]string{"function", "list", "--aws", "--endpoint-url", "http://h"}, "exclude each other"},
		"no such layer file": {[]string{"layer", "publish", "a", "/nowhere"}, "cannot read the layer"},
		"no such payload":    {[]string{"invoke", "a", "-p", "@/nowhere"}, "cannot read the payload"},
		"open to the world":  {[]string{"serve", "--listen", "0.0.0.0:4566"}, "only the \"open\" mode of authentication is built"},
		"setting of a type":  {[]string{"serve", "--idle-timeout", "soon"}, "not a length of time"},
		"unknown shell":      {[]string{"completion", "tcsh"}, "does not take \"tcsh\" alone"},
	} {
		t.Run(name, func(t *testing.T) { run(t, tt.args...).want(t, 2, "", tt.errs) })
	}
}

func TestCompletion(t *testing.T) {
	bare(t)
	for shell, want := range map[string]string{"bash": "__start_lamina", "zsh": "#compdef lamina", "fish": "complete -c lamina"} {
		run(t, "completion", shell).want(t, 0, want, "")
	}
	run(t, "__complete", "layer", "").want(t, 0, "publish\t", "Completion ended")
}

// TestCompleteNames asks the server that the command would speak to, and is silent when there is none.
func TestCompleteNames(t *testing.T) {
	bare(t)
	f := newFake(t)
	f.answer("GET /2015-03-31/functions", 200, map[string]any{"Functions": []any{map[string]any{"FunctionName": "hello"}, map[string]any{"FunctionName": "orders"}}})
	f.answer("GET /2018-10-31/layers", 200, map[string]any{"Layers": []any{map[string]any{"LayerName": "libs"}}})
	for _, command := range [][]string{{"invoke"}, {"function", "show"}, {"function", "logs"}} {
		run(t, append([]string{"__complete"}, append(command, "")...)...).want(t, 0, "hello\norders\n:4\n", "Completion ended")
	}
	for _, command := range [][]string{{"layer", "show"}, {"layer", "list"}, {"layer", "publish"}} {
		run(t, append([]string{"__complete"}, append(command, "")...)...).want(t, 0, "libs\n:4\n", "Completion ended")
	}
	run(t, "__complete", "layer", "publish", "libs", "").want(t, 0, ":0\n", "Completion ended") // files
	run(t, "__complete", "invoke", "hello", "").want(t, 0, ":4\n", "Completion ended")
	f.Close()
	run(t, "__complete", "invoke", "").want(t, 0, ":4\n", "Completion ended")
}

func TestCompleteRuntime(t *testing.T) {
	bare(t)
	t.Setenv("LAMINA_DATA", t.TempDir())
	run(t, "__complete", "run", ".", "--runtime", "provided").want(t, 0, "provided.al2023\n", "Completion ended")
}

func TestVersion(t *testing.T) {
	bare(t)
	run(t, "version").want(t, 0, "lamina ", "")
	run(t, "version", "--format", "json").want(t, 0, `"Platform": "linux/`, "")
}

func TestPrintConfig(t *testing.T) {
	bare(t)
	t.Setenv("LAMINA_REGION", "eu-west-1")
	run(t, "serve", "--print-config", "--database", "postgres://u:hunter2@h/d").want(t, 0, "region: eu-west-1\n", "")
	run(t, "serve", "--print-config", "--format", "json").want(t, 0, `"region": "eu-west-1"`, "")
}
