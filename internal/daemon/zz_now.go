//go:build !later

package daemon

import (
	"context"
	"io"
	"net"
	"os"

	"github.com/laminadev/lamina/internal/config"
)

type Runtime struct {
	Name, Version, Interpreter, SDK, Source string
}

func Run(ctx context.Context, cfg config.Config, ready func(addr net.Addr)) error {
	log := newLog(os.Stderr, cfg)
	ln, err := listen(ctx, cfg.Listen)
	if err != nil {
		return err
	}
	defer ln.Close()
	d, err := openFolder(cfg.Data)
	if err != nil {
		return err
	}
	defer d.close()
	srv := newServer(ctx, nil, log)
	_ = srv
	ready(ln.Addr())
	<-ctx.Done()
	return nil
}
func ListRuntimes(ctx context.Context, cfg config.Config) ([]Runtime, error) { return nil, nil }
func AddRuntime(ctx context.Context, cfg config.Config, name string, progress io.Writer) (r Runtime, err error) {
	return
}
