package cli

import (
	"context"
	"fmt"
	"io"
	"runtime"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/laminadev/lamina/internal/daemon"
)

type versionOptions struct{}

func (*versionOptions) AddFlags(*pflag.FlagSet) {}

func newVersion(o *output) *cobra.Command {
	return command(o, &versionOptions{}, cobra.Command{
		Use:     "version",
		Short:   "print which program this is",
		Example: "  lamina version --format json",
	}, cobra.NoArgs, runVersion)
}

func runVersion(_ context.Context, _ *versionOptions, out *output, _ []string) error {
	b := daemon.ThisBuild()
	v := struct{ Version, Revision, Time, Go, Platform string }{b.Version, b.Revision, b.Time, b.Go, runtime.GOOS + "/" + runtime.GOARCH}
	return out.print(v, func(w io.Writer) error {
		fmt.Fprintf(w, "lamina %s (%s, %s)\n", v.Version, v.Go, v.Platform)
		return fields(w, [][2]string{{"revision", v.Revision}, {"of", v.Time}})
	})
}
