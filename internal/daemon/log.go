package daemon

import (
	"io"
	"log/slog"

	"github.com/laminadev/lamina/internal/config"
)

// newLog makes the operator's log. The settings were validated, so the level is a known one.
func newLog(w io.Writer, cfg config.Config) *slog.Logger {
	var level slog.Level
	level.UnmarshalText([]byte(cfg.LogLevel))
	opts := &slog.HandlerOptions{Level: level}
	if cfg.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}
