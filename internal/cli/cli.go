// Package cli is the command line: one command a file, each an options struct with its flags and a run function that
// tests call directly.
//
// A command is a client of the AWS Lambda API. Standard AWS configuration (profile, region, endpoint URL) says which server
// it speaks to, lamina's own on this machine when that says nothing, and --aws means AWS itself. serve, doctor and runtime
// work on this machine and read the server's settings instead.
//
// What a command found goes to standard output, as text for people or, with --format json, as JSON for programs.
// Progress, notes and errors go to standard error. The exit codes are in exit.go.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/laminadev/lamina/internal/daemon"
)

// Streams is what a command reads and writes.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Main runs the command that args name and gives the exit code.
func Main(ctx context.Context, s Streams, args []string) int {
	root := New(s)
	root.SetArgs(args)
	ran, err := root.ExecuteContextC(ctx)
	code := exitCode(err)
	if stop := (*stopError)(nil); err != nil && ctx.Err() != nil && !errors.As(err, &stop) {
		code = exitInterrupted
	}
	explain(s.Err, ran.CommandPath(), err, code)
	return code
}

// New gives the whole tree of commands.
func New(s Streams) *cobra.Command {
	o := &output{Streams: s}
	root := &cobra.Command{
		Use:   "lamina",
		Short: "AWS Lambda with layers, on your own machine",
		Long: "lamina runs AWS Lambda functions and their layers on this machine, behind AWS's own API.\n" +
			"The AWS CLI, the SDKs and the tools over them work unchanged.",
		Example: "  lamina serve                                   # start the server\n" +
			"  lamina layer publish libs ./layer              # publish a folder as a layer\n" +
			"  lamina invoke hello --payload '{\"name\": \"you\"}'  # call a function",
		Version:           daemon.ThisBuild().Version,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		PersistentPreRunE: func(*cobra.Command, []string) error { return o.check() },
	}
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usagef("%v", err) })
	root.SetUsageTemplate(root.UsageTemplate() + exitCodesHelp())
	root.SetHelpCommand(&cobra.Command{Hidden: true, Use: "no-help"})
	root.PersistentFlags().StringVar(&o.Format, "format", "text", "how to print: text or json")
	root.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
	root.AddCommand(
		newServe(o), newRun(o), newDoctor(o), newInvoke(o), newCheck(o), newGC(o), newBackup(o), newRestore(o), newVersion(o), newCompletion(o),
		group("layer", "publish and look at layers", newLayerPublish(o), newLayerList(o), newLayerShow(o)),
		group("function", "look at functions and what they print", newFunctionList(o), newFunctionShow(o), newFunctionLogs(o)),
		group("runtime", "managed runtimes of this machine", newRuntimeList(o), newRuntimeAdd(o)),
	)
	groupless(root)
	return root
}

// group is a command that only has commands below it.
func group(name, short string, children ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: name, Short: short}
	c.AddCommand(children...)
	groupless(c)
	return c
}

// groupless makes a command without an action of its own print its help, and refuse words that are no command.
func groupless(c *cobra.Command) {
	c.Args = cobra.ArbitraryArgs
	c.SuggestionsMinimumDistance = 2
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return c.Help()
		}
		err := usagef("%s has no command %q", c.CommandPath(), args[0])
		if near := c.SuggestionsFor(args[0]); len(near) > 0 {
			err.todo = "did you mean: " + c.CommandPath() + " " + near[0]
		}
		return err
	}
}

// options is a command's own flags.
type options interface{ AddFlags(*pflag.FlagSet) }

// command fills in what all commands have in common.
func command[T options](o *output, opts T, c cobra.Command, args cobra.PositionalArgs, run func(context.Context, T, *output, []string) error) *cobra.Command {
	opts.AddFlags(c.Flags())
	c.Flags().SortFlags = false
	c.DisableFlagsInUseLine = true
	c.Args = func(c *cobra.Command, given []string) error {
		if args(c, given) != nil {
			return usagef("%s %s: its form is %s", c.CommandPath(), misfit(given), c.UseLine())
		}
		return nil
	}
	c.RunE = func(c *cobra.Command, args []string) error { return run(c.Context(), opts, o, args) }
	return &c
}

// misfit says what is wrong with the arguments that were given, of which a command takes another number.
func misfit(given []string) string {
	switch len(given) {
	case 0:
		return "lacks an argument"
	case 1:
		return fmt.Sprintf("does not take %q alone", given[0])
	}
	return fmt.Sprintf("does not take %d arguments", len(given))
}

// Standard gives the process's own streams.
func Standard() Streams { return Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr} }
