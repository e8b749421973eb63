package cli

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

type completionOptions struct{ root func() *cobra.Command }

func (*completionOptions) AddFlags(*pflag.FlagSet) {}

func newCompletion(o *output) *cobra.Command {
	opts := &completionOptions{}
	c := command(o, opts, cobra.Command{
		Use:   "completion bash|zsh|fish",
		Short: "print a script that completes commands in a shell",
		Long:  "Print a script that completes lamina's commands and flags in a shell. The one for bash needs bash-completion.",
		Example: "  source <(lamina completion bash)                                  # bash, for now\n" +
			"  lamina completion bash > /etc/bash_completion.d/lamina             # bash, for all users\n" +
			"  lamina completion zsh > \"${fpath[1]}/_lamina\"                      # zsh\n" +
			"  lamina completion fish > ~/.config/fish/completions/lamina.fish    # fish",
		ValidArgs: []string{"bash", "zsh", "fish"},
	}, cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs), runCompletion)
	opts.root = c.Root
	return c
}

func runCompletion(_ context.Context, opts *completionOptions, out *output, args []string) error {
	switch root := opts.root(); args[0] {
	case "bash":
		return root.GenBashCompletionV2(out.Out, true)
	case "zsh":
		return root.GenZshCompletion(out.Out)
	default:
		return root.GenFishCompletion(out.Out, true)
	}
}
