package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"

	"github.com/laminadev/lamina/internal/config"
	"github.com/laminadev/lamina/internal/egress"
	"github.com/laminadev/lamina/internal/sandbox/linuxsandbox"
)

// outside is what functions may call; nil when they have no network. The settings are valid.
func outside(cfg config.Config) *egress.Policy {
	if cfg.Network == "none" {
		return nil
	}
	return &egress.Policy{Allow: networks(cfg.NetworkAllow), Deny: networks(cfg.NetworkDeny)}
}

func networks(list []string) []netip.Prefix {
	var all []netip.Prefix
	for _, s := range list {
		if p, err := netip.ParsePrefix(s); err == nil {
			all = append(all, p)
		}
	}
	return all
}

// tryOutside finds out whether sandboxes can have a network here. Where they cannot, auto does without.
func tryOutside(ctx context.Context, driver *linuxsandbox.Driver, cfg config.Config, log *slog.Logger) error {
	if cfg.Network == "none" {
		return nil
	}
	err := driver.TryOutside(ctx)
	switch {
	case err == nil:
		return nil
	case cfg.Network == "nat":
		return &Problem{
			Text: fmt.Sprintf("functions cannot have a network on this machine: %v", err),
			Todo: "see what is missing:       lamina doctor\nor let them have none:     --network none", Err: err,
		}
	}
	log.Warn("functions have no network, since this machine cannot give them one; `lamina doctor` says what is missing", "error", err)
	driver.CloseOutside()
	return nil
}
