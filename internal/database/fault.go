package database

import (
	"errors"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sys/unix"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// fault is an error of a database whose cause is a machine that lacks something: it matches the system's own error.
type fault struct {
	error
	cause syscall.Errno
}

func (f fault) Unwrap() []error { return []error{f.error, f.cause} }

// withFault adds the system's error to one of a database that says the same.
func (db *DB) withFault(err error) error {
	if err == nil {
		return nil
	}
	if cause := db.causeOf(err); cause != 0 {
		return fault{err, cause}
	}
	return err
}

func (db *DB) causeOf(err error) syscall.Errno {
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return db.causeOfSQLite(lite.Code())
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code {
		case "53100": // disk_full
			return syscall.ENOSPC
		case "58030": // io_error
			return syscall.EIO
		}
	}
	return 0
}

func (db *DB) causeOfSQLite(code int) syscall.Errno {
	switch code & 0xff { // the rest says more about it
	case sqlite3.SQLITE_FULL:
		return syscall.ENOSPC
	case sqlite3.SQLITE_READONLY:
		return syscall.EROFS
	case sqlite3.SQLITE_CANTOPEN: // a file that was opened before
		return syscall.EMFILE
	case sqlite3.SQLITE_IOERR:
		return db.causeOfIO()
	}
	return 0
}

// causeOfIO finds out why a file cannot be read or written, which SQLite does not tell.
func (db *DB) causeOfIO() syscall.Errno {
	var fs unix.Statfs_t
	switch err := unix.Statfs(db.folder, &fs); {
	case err != nil:
	case fs.Flags&unix.ST_RDONLY != 0:
		return syscall.EROFS
	case fs.Bavail == 0 || fs.Files > 0 && fs.Ffree == 0:
		return syscall.ENOSPC
	}
	return syscall.EIO
}
