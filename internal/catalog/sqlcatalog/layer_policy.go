package sqlcatalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/database"
	"github.com/laminadev/lamina/internal/lambda"
)

// GetLayerPolicy gives the policy of a layer version.
func (c *Catalog) GetLayerPolicy(ctx context.Context, arn lambda.LayerVersionARN) (catalog.Policy, error) {
	return getLayerPolicy(ctx, c.db, arn)
}

func getLayerPolicy(ctx context.Context, q database.Querier, arn lambda.LayerVersionARN) (catalog.Policy, error) {
	var p catalog.Policy
	err := q.QueryRow(ctx, `SELECT p.statements, COALESCE(p.revision_id, '') FROM layer_versions v
		LEFT JOIN layer_policies p ON p.partition = v.partition AND p.account = v.account AND p.region = v.region
			AND p.name = v.name AND p.version = v.version
		WHERE v.partition = $1 AND v.account = $2 AND v.region = $3 AND v.name = $4 AND v.version = $5`,
		arn.Partition, arn.Account, arn.Region, arn.Name, arn.Version).Scan(document{&p.Statements}, &p.RevisionID)
	if errors.Is(err, sql.ErrNoRows) {
		return catalog.Policy{}, lambda.Errorf(lambda.NotFound, "no layer version %s", arn)
	}
	if err != nil {
		return catalog.Policy{}, fmt.Errorf("cannot read the policy of %s: %w", arn, err)
	}
	return p, nil
}

// UpdateLayerPolicy changes the policy of a layer version.
func (c *Catalog) UpdateLayerPolicy(ctx context.Context, arn lambda.LayerVersionARN, change func(*catalog.Policy) error) (catalog.Policy, error) {
	var p catalog.Policy
	err := c.change(ctx, func(tx *database.Tx) error {
		var err error
		if p, err = getLayerPolicy(ctx, tx, arn); err != nil {
			return err
		}
		if err := change(&p); err != nil {
			return err
		}
		p.RevisionID = newRevisionID()
		return writeLayerPolicy(ctx, tx, arn, p)
	})
	if err != nil {
		return catalog.Policy{}, err // change's own must stay as it is
	}
	return p, nil
}

func writeLayerPolicy(ctx context.Context, tx *database.Tx, arn lambda.LayerVersionARN, p catalog.Policy) error {
	statements, err := encode(p.Statements)
	if err != nil {
		return err
	}
	seq, err := nextSequence(ctx, tx)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO layer_policies (partition, account, region, name, version, statements, revision_id, sequence)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (partition, account, region, name, version)
		DO UPDATE SET statements = excluded.statements, revision_id = excluded.revision_id, sequence = excluded.sequence`,
		arn.Partition, arn.Account, arn.Region, arn.Name, arn.Version, statements, p.RevisionID, seq)
	return err
}
