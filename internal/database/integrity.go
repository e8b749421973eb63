package database

import (
	"context"
	"fmt"
)

// Integrity lets the database check itself, where it can, and gives what it says is wrong.
func (db *DB) Integrity(ctx context.Context) ([]string, error) {
	if _, ok := db.dialect.(sqliteDialect); !ok {
		return nil, nil // a server's pages are the server's affair
	}
	faults, err := db.strings(ctx, "PRAGMA integrity_check")
	if err != nil {
		return nil, fmt.Errorf("cannot check the database: %w", err)
	}
	if len(faults) == 1 && faults[0] == "ok" {
		faults = nil
	}
	orphans, err := db.strings(ctx, `SELECT 'a row of ' || "table" || ' points to a row of ' || parent || ' that is not there' FROM pragma_foreign_key_check()`)
	if err != nil {
		return nil, fmt.Errorf("cannot check the database: %w", err)
	}
	return append(faults, orphans...), nil
}

func (db *DB) strings(ctx context.Context, query string) ([]string, error) {
	rows, err := db.Query(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, rows.Err()
}
