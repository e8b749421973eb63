package sqlcatalog

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/laminadev/lamina/internal/database"
	"github.com/laminadev/lamina/internal/lambda"
)

// Secret gives the secret of a name, which all who share the database have in common: the one that is kept, or, when there is
// none, the proposed one, which is kept from now on.
func (c *Catalog) Secret(ctx context.Context, name string, proposed []byte) ([]byte, error) {
	var secret []byte
	err := c.change(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO secrets (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
			name, base64.StdEncoding.EncodeToString(proposed))
		if err != nil {
			return err
		}
		secret, err = readSecret(ctx, tx, name)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("cannot keep the secret of all servers: %w", err)
	}
	return secret, nil
}

// KeptSecret gives the secret of a name; it is of kind lambda.NotFound when none is kept.
func (c *Catalog) KeptSecret(ctx context.Context, name string) ([]byte, error) {
	secret, err := readSecret(ctx, c.db, name)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, lambda.Errorf(lambda.NotFound, "no secret %s", name)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the secret of all servers: %w", err)
	}
	return secret, nil
}

func readSecret(ctx context.Context, q database.Querier, name string) ([]byte, error) {
	var text string
	if err := q.QueryRow(ctx, "SELECT value FROM secrets WHERE name = $1", name).Scan(&text); err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(text)
}
