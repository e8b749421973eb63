package sqlcatalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/database"
	"github.com/laminadev/lamina/internal/lambda"
)

const selectCodeSigning = `SELECT partition, account, region, id, description, publishers, policy, tags, modified FROM code_signing_configs
	WHERE partition = $1 AND account = $2 AND region = $3 `

func scanCodeSigning(row scanner) (catalog.CodeSigningConfig, error) {
	var c catalog.CodeSigningConfig
	var modified int64
	err := row.Scan(&c.Scope.Partition, &c.Scope.Account, &c.Scope.Region, &c.ID, &c.Description, document{&c.Publishers}, &c.Policy, document{&c.Tags}, &modified)
	c.Modified = time.UnixMilli(modified).UTC()
	return c, err
}

// InsertCodeSigningConfig records a new configuration.
func (c *Catalog) InsertCodeSigningConfig(ctx context.Context, config catalog.CodeSigningConfig) error {
	return c.change(ctx, func(tx *database.Tx) error {
		_, err := getCodeSigning(ctx, tx, config.Scope, config.ID)
		if err == nil {
			return lambda.Errorf(lambda.Conflict, "there is a code signing configuration %s", config.ID)
		}
		if !lambda.IsKind(err, lambda.NotFound) {
			return err
		}
		return writeCodeSigning(ctx, tx, config)
	})
}

// GetCodeSigningConfig gives a configuration.
func (c *Catalog) GetCodeSigningConfig(ctx context.Context, s lambda.Scope, id string) (catalog.CodeSigningConfig, error) {
	return getCodeSigning(ctx, c.db, s, id)
}

func getCodeSigning(ctx context.Context, from database.Querier, s lambda.Scope, id string) (catalog.CodeSigningConfig, error) {
	c, err := scanCodeSigning(from.QueryRow(ctx, selectCodeSigning+"AND id = $4", s.Partition, s.Account, s.Region, id))
	if errors.Is(err, sql.ErrNoRows) {
		return catalog.CodeSigningConfig{}, lambda.Errorf(lambda.NotFound, "no code signing configuration %s in %s", id, s)
	}
	if err != nil {
		return catalog.CodeSigningConfig{}, fmt.Errorf("cannot read the code signing configuration %s of %s: %w", id, s, err)
	}
	return c, nil
}

// ListCodeSigningConfigs gives configurations by ID.
func (c *Catalog) ListCodeSigningConfigs(ctx context.Context, s lambda.Scope, after string, limit int) ([]catalog.CodeSigningConfig, error) {
	rows, err := c.db.Query(ctx, selectCodeSigning+"AND id > $4 ORDER BY id LIMIT $5", s.Partition, s.Account, s.Region, after, limit)
	if err == nil {
		var list []catalog.CodeSigningConfig
		if list, err = scanAll(rows, scanCodeSigning); err == nil {
			return list, nil
		}
	}
	return nil, fmt.Errorf("cannot list the code signing configurations of %s: %w", s, err)
}

// UpdateCodeSigningConfig changes a configuration.
func (c *Catalog) UpdateCodeSigningConfig(ctx context.Context, s lambda.Scope, id string, change func(*catalog.CodeSigningConfig) error) (catalog.CodeSigningConfig, error) {
	var config catalog.CodeSigningConfig
	err := c.change(ctx, func(tx *database.Tx) error {
		var err error
		if config, err = getCodeSigning(ctx, tx, s, id); err != nil {
			return err
		}
		if err := change(&config); err != nil {
			return err
		}
		config.Scope, config.ID, config.Modified = s, id, toMilliseconds(config.Modified)
		if len(config.Tags) == 0 {
			config.Tags = nil
		}
		return writeCodeSigning(ctx, tx, config)
	})
	if err != nil {
		return catalog.CodeSigningConfig{}, err // change's own must stay as it is
	}
	return config, nil
}

func writeCodeSigning(ctx context.Context, tx *database.Tx, c catalog.CodeSigningConfig) error {
	publishers, err := encode(c.Publishers)
	if err != nil {
		return err
	}
	tags, err := encodeTags(c.Tags)
	if err != nil {
		return err
	}
	if c.Description != nil {
		if err := database.CheckText(*c.Description); err != nil {
			return err
		}
	}
	seq, err := nextSequence(ctx, tx)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO code_signing_configs (partition, account, region, id, description, publishers, policy, tags, modified, sequence)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (partition, account, region, id) DO UPDATE SET description = excluded.description, publishers = excluded.publishers,
			policy = excluded.policy, tags = excluded.tags, modified = excluded.modified, sequence = excluded.sequence`,
		c.Scope.Partition, c.Scope.Account, c.Scope.Region, c.ID, c.Description, publishers, c.Policy, tags, c.Modified.UnixMilli(), seq)
	return err
}

// DeleteCodeSigningConfig forgets a configuration that no function has.
func (c *Catalog) DeleteCodeSigningConfig(ctx context.Context, s lambda.Scope, id string) error {
	return c.change(ctx, func(tx *database.Tx) error {
		if _, err := getCodeSigning(ctx, tx, s, id); err != nil {
			return err
		}
		name, err := encode(id)
		if err != nil {
			return err
		}
		var functions int64
		err = tx.QueryRow(ctx, `SELECT COUNT(*) FROM function_records WHERE partition = $1 AND account = $2 AND region = $3
			AND kind = $4 AND document = $5`, s.Partition, s.Account, s.Region, catalog.RecordCodeSigning, name).Scan(&functions)
		if err != nil {
			return err
		}
		if functions > 0 {
			return lambda.Errorf(lambda.Conflict, "%d functions have the code signing configuration %s", functions, id)
		}
		if _, err := nextSequence(ctx, tx); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "DELETE FROM code_signing_configs WHERE partition = $1 AND account = $2 AND region = $3 AND id = $4",
			s.Partition, s.Account, s.Region, id)
		return err
	})
}
