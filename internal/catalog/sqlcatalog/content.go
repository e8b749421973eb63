package sqlcatalog

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/laminadev/lamina/internal/database"
	"github.com/laminadev/lamina/internal/lambda"
)

// OpenAsIs gives a catalog over a database whose schema stays as it is: for who only reads, beside a server that may be of
// an earlier version. Records of a later one, whose meaning nobody here can know, are a *database.NewerError.
func OpenAsIs(ctx context.Context, db *database.DB) (*Catalog, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	schema, err := db.CheckSchema(ctx, files, migrationsTable)
	if err != nil {
		return nil, fmt.Errorf("cannot open the catalog: %w", err)
	}
	return &Catalog{db: db, uncounted: schema < codeSizesSchema}, nil
}

// Contents gives what every record needs, of all scopes, as of one moment: the zips of layer versions, those of the code and
// the layers of every revision, and the bytes of objects and of parts of uploads, which need be no zips and have only Digest and
// Size. A content that several need comes several times.
func (c *Catalog) Contents(ctx context.Context) ([]lambda.Content, error) {
	list, err := c.contents(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list what records need: %w", err)
	}
	return list, nil
}

func (c *Catalog) contents(ctx context.Context) ([]lambda.Content, error) {
	// One statement sees one state of the database.
	rows, err := c.db.Query(ctx, `SELECT digest, size, unzipped_size, content_digest, tree_key, '[]' AS layers FROM layer_versions
		UNION ALL SELECT digest, size, unzipped_size, content_digest, tree_key, layers FROM function_revisions
		UNION ALL SELECT digest, size, 0, '', '', '[]' FROM objects WHERE marker = 0
		UNION ALL SELECT digest, size, 0, '', '', '[]' FROM upload_parts`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []lambda.Content
	for rows.Next() {
		var content lambda.Content
		var layers []lambda.LayerRef
		if err := rows.Scan(&content.Digest, &content.Size, &content.UnzippedSize, &content.ContentDigest, &content.TreeKey,
			document{&layers}); err != nil {
			return nil, err
		}
		list = append(list, content)
		for _, l := range layers {
			list = append(list, l.Content)
		}
	}
	return list, rows.Err()
}
