package database

import (
	"context"
	"errors"
	"fmt"
)

// ErrNoCopy is the error of Copy for a database that is a server's affair.
var ErrNoCopy = errors.New("only SQLite databases can be copied")

// Copy writes the database, as it is at one moment, to a new file. Others may read and write meanwhile.
func (db *DB) Copy(ctx context.Context, path string) error {
	if _, ok := db.dialect.(sqliteDialect); !ok {
		return ErrNoCopy
	}
	if err := createPrivate(path); err != nil { // SQLite takes an empty file for a new one
		return fmt.Errorf("cannot copy the database: %w", err)
	}
	if _, err := db.write.ExecContext(ctx, "VACUUM INTO $1", path); err != nil {
		return fmt.Errorf("cannot copy the database: %w", err)
	}
	return nil
}
