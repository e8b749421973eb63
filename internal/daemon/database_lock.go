package daemon

import (
	"errors"
	"fmt"
	"net/url"
	"os"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/config"
)

// lockDatabase keeps a second server from a SQLite file that is named by its own: each would take its memory of the records for
// what they are. (The one in the data folder has the folder's lock.) The lock is a file beside it, and ends with the process.
func lockDatabase(cfg config.Config) (unlock func() error, err error) {
	if cfg.Database == "" || cfg.Shared() {
		return func() error { return nil }, nil
	}
	u, err := url.Parse(cfg.Database)
	if err != nil {
		return nil, errors.New("cannot lock the database: its URL cannot be read")
	}
	f, err := os.OpenFile(u.Path+".lock", os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot lock the database: %w", err)
	}
	err = unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK})
	if err == nil {
		return f.Close, nil
	}
	f.Close()
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		return nil, &Problem{
			Text: "the database " + u.Path + " is used by another lamina serve",
			Todo: "name a file of your own: --database sqlite:///FILE\nor share a PostgreSQL, which several servers can: --database postgres://USER@HOST/NAME",
			Err:  err,
		}
	}
	return nil, fmt.Errorf("cannot lock the database: %w", err)
}
