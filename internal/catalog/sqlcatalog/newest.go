package sqlcatalog

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// newestAtOnce is how many functions one query asks for.
const newestAtOnce = 500

// Newest gives the number of the newest revision of each of some functions, by their IDs. A function that does not exist any
// more is left out.
func (c *Catalog) Newest(ctx context.Context, ids []string) (map[string]int64, error) {
	newest := make(map[string]int64, len(ids))
	for len(ids) > 0 {
		n := min(len(ids), newestAtOnce)
		if err := c.newest(ctx, ids[:n], newest); err != nil {
			return nil, fmt.Errorf("cannot read the newest revisions of functions: %w", err)
		}
		ids = ids[n:]
	}
	return newest, nil
}

func (c *Catalog) newest(ctx context.Context, ids []string, newest map[string]int64) error {
	args := make([]any, len(ids))
	places := make([]string, len(ids))
	for i, id := range ids {
		args[i], places[i] = id, "$"+strconv.Itoa(i+1)
	}
	rows, err := c.db.Query(ctx, "SELECT id, latest FROM functions WHERE id IN ("+strings.Join(places, ", ")+")", args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var number int64
		if err := rows.Scan(&id, &number); err != nil {
			return err
		}
		newest[id] = number
	}
	return rows.Err()
}
