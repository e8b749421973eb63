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

// numbered gives a revision its place in a function.
func numbered(r lambda.Revision, f catalog.Function, number int64) lambda.Revision {
	r.Key, r.FunctionID, r.Number = f.Key, f.ID, number
	r.LastModified = toMilliseconds(r.LastModified)
	return r
}

func insertRevision(ctx context.Context, tx *database.Tx, r lambda.Revision, seq int64) error {
	var docs [3]string
	for i, v := range []any{r.Config, r.Layers, r.ShadowMap} {
		var err error
		if docs[i], err = encode(v); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, `INSERT INTO function_revisions (partition, account, region, name, function_id, number, config, digest,
		size, unzipped_size, content_digest, tree_key, layers, shadow_map, last_modified, sequence)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
		r.Key.Partition, r.Key.Account, r.Key.Region, r.Key.Name, r.FunctionID, r.Number, docs[0],
		r.Code.Digest, r.Code.Size, r.Code.UnzippedSize, r.Code.ContentDigest, r.Code.TreeKey,
		docs[1], docs[2], r.LastModified.UnixMilli(), seq)
	return err
}

// revisionColumns are what revisionDest takes, of a table that the query calls r.
const revisionColumns = `r.partition, r.account, r.region, r.name, r.function_id, r.number, r.config, r.digest, r.size,
	r.unzipped_size, r.content_digest, r.tree_key, r.layers, r.shadow_map, r.last_modified`

func revisionDest(r *lambda.Revision, modified *int64) []any {
	return []any{&r.Key.Partition, &r.Key.Account, &r.Key.Region, &r.Key.Name, &r.FunctionID, &r.Number, document{&r.Config},
		&r.Code.Digest, &r.Code.Size, &r.Code.UnzippedSize, &r.Code.ContentDigest, &r.Code.TreeKey,
		document{&r.Layers}, document{&r.ShadowMap}, modified}
}

// GetRevision gives one revision of a function.
func (c *Catalog) GetRevision(ctx context.Context, k lambda.FunctionKey, functionID string, number int64) (lambda.Revision, error) {
	var r lambda.Revision
	var modified int64
	err := c.db.QueryRow(ctx, `SELECT `+revisionColumns+` FROM function_revisions r WHERE r.partition = $1 AND r.account = $2
		AND r.region = $3 AND r.name = $4 AND r.function_id = $5 AND r.number = $6`,
		k.Partition, k.Account, k.Region, k.Name, functionID, number).Scan(revisionDest(&r, &modified)...)
	if errors.Is(err, sql.ErrNoRows) {
		return lambda.Revision{}, lambda.Errorf(lambda.NotFound, "no revision %d of %s", number, k.ARN())
	}
	if err != nil {
		return lambda.Revision{}, fmt.Errorf("cannot read revision %d of %s: %w", number, k.ARN(), err)
	}
	r.LastModified = time.UnixMilli(modified).UTC()
	return r, nil
}
