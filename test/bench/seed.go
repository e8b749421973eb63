package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/laminadev/lamina/internal/database"
	"github.com/laminadev/lamina/internal/lambdatest"
)

// How much a server has to do with in the rows of state.
const (
	manyFunctions = 10_000
	manyLayers    = 1_000
	layerVersions = 100 // of each layer
)

func functionName(i int) string { return fmt.Sprintf("function-%05d", i) }
func layerName(i int) string    { return fmt.Sprintf("layer-%04d", i) }

// seed gives a data folder with 10,000 functions and 100,000 layer versions. One of each comes in through the API; the others
// are copies of their records, written in one transaction while no server runs.
func (b *bench) seed() (data string, err error) {
	s, err := b.serve()
	if err != nil {
		return "", err
	}
	defer s.stop()
	layer := lambdatest.Zip(map[string]string{"python/words.py": "WORD = 1\n"})
	arn, err := s.publish(layerName(0), layer)
	if err != nil {
		return "", err
	}
	if err := s.create(functionName(0), b.python.runtime, layer, arn); err != nil {
		return "", err
	}
	if err := s.stop(); err != nil {
		return "", err
	}
	ctx := context.Background()
	db, err := database.Open(ctx, database.SQLiteURL(filepath.Join(s.data, "lamina.db")))
	if err != nil {
		return "", err
	}
	defer db.Close()
	return s.data, db.Transaction(ctx, func(tx *database.Tx) error {
		for _, c := range []struct {
			table   string
			count   int
			replace map[string]string // expressions of columns, of the copy's number n
			where   string
		}{
			{"functions", manyFunctions, map[string]string{"name": "printf('function-%05d', n)", "id": "printf('id-%05d', n)"}, ""},
			{"function_revisions", manyFunctions, map[string]string{"name": "printf('function-%05d', n)", "function_id": "printf('id-%05d', n)"}, ""},
			{"layers", manyLayers, map[string]string{"name": "printf('layer-%04d', n)", "last_version": fmt.Sprint(layerVersions)}, ""},
			{"layer_versions", manyLayers, map[string]string{"name": "printf('layer-%04d', n)"}, ""},
			{"layer_versions", layerVersions, map[string]string{"version": "n + 1"}, "WHERE version = 1"},
		} {
			if err := multiply(ctx, tx, c.table, c.count, c.replace, c.where); err != nil {
				return fmt.Errorf("cannot multiply %s: %w", c.table, err)
			}
		}
		if _, err := tx.Exec(ctx, fmt.Sprintf("UPDATE layers SET last_version = %d", layerVersions)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "UPDATE code_sizes SET size = (SELECT SUM(size) FROM layer_versions) + (SELECT SUM(size) FROM function_revisions)")
		return err
	})
}

// multiply copies the rows of a table, count-1 times, with other values in some columns.
func multiply(ctx context.Context, tx *database.Tx, table string, count int, replace map[string]string, where string) error {
	rows, err := tx.Query(ctx, "SELECT name FROM pragma_table_info('"+table+"')")
	if err != nil {
		return err
	}
	defer rows.Close()
	var columns, values []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		value := "t." + name
		if v, ok := replace[name]; ok {
			value = v
		}
		columns, values = append(columns, name), append(values, value)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, fmt.Sprintf(`WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < %d)
		INSERT INTO %s (%s) SELECT %s FROM %s t, numbers %s`, count-1, table, strings.Join(columns, ", "), strings.Join(values, ", "), table, where))
	return err
}
