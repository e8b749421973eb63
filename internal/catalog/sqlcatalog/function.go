package sqlcatalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/database"
	"github.com/laminadev/lamina/internal/lambda"
)

// InsertFunction records a function with its first revision, under a new ID.
func (c *Catalog) InsertFunction(ctx context.Context, f catalog.Function, quota int64) (catalog.Function, error) {
	f.ID = uuid.NewString()
	f.Created = toMilliseconds(f.Created)
	f.Latest = numbered(f.Latest, f, 1)
	publish := f.Newest != 0
	err := c.change(ctx, func(tx *database.Tx) error {
		var err error
		if f.Sequence, err = nextSequence(ctx, tx); err != nil {
			return err
		}
		f.RevisionID, f.Newest = newRevisionID(), 0
		if err := insertFunction(ctx, tx, f); err != nil {
			return err
		}
		if err := insertRevision(ctx, tx, f.Latest, f.Sequence); err != nil {
			return err
		}
		if err := addCode(ctx, tx, f.Key.Scope, f.Latest.Code.Size); err != nil {
			return err
		}
		if publish {
			v := catalog.Version{Description: f.Latest.Config.Description, State: f.State, StateReason: f.StateReason}
			if _, err := insertVersion(ctx, tx, &f, v); err != nil {
				return err
			}
		}
		for _, r := range f.Records {
			r.Key = f.Key
			if err := writeRecord(ctx, tx, r, f.ID, f.Sequence); err != nil {
				return err
			}
		}
		return checkQuota(ctx, tx, f.Key.Scope, quota)
	})
	if err != nil {
		return catalog.Function{}, fmt.Errorf("cannot insert function %s: %w", f.Key.ARN(), err)
	}
	f.Records = nil
	return f, nil
}

func insertFunction(ctx context.Context, tx *database.Tx, f catalog.Function) error {
	tags, err := encode(f.Tags)
	if err != nil {
		return err
	}
	n, err := tx.Exec(ctx, `INSERT INTO functions (partition, account, region, name, id, latest, revision_id, state, state_reason,
		state_reason_code, update_status, update_reason, update_reason_code, tags, reserved, created, sequence)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
		ON CONFLICT (partition, account, region, name) DO NOTHING`,
		f.Key.Partition, f.Key.Account, f.Key.Region, f.Key.Name, f.ID, f.Latest.Number, f.RevisionID,
		f.State, f.StateReason.Text, f.StateReason.Code, f.UpdateStatus, f.UpdateReason.Text, f.UpdateReason.Code,
		tags, f.Reserved, f.Created.UnixMilli(), f.Sequence)
	if err == nil && n == 0 {
		return lambda.Errorf(lambda.Conflict, "the function exists")
	}
	return err
}

// selectFunction reads the columns that scanFunction takes: a function with its newest revision.
const selectFunction = `SELECT f.id, f.revision_id, f.state, f.state_reason, f.state_reason_code, f.update_status,
	f.update_reason, f.update_reason_code, f.tags, f.reserved, f.newest, f.created, f.sequence, ` + revisionColumns + `
	FROM functions f JOIN function_revisions r ON r.function_id = f.id AND r.number = f.latest `

const whereFunction = `WHERE f.partition = $1 AND f.account = $2 AND f.region = $3 AND f.name = $4`

func scanFunction(row scanner) (catalog.Function, error) {
	var f catalog.Function
	var created, modified int64
	dest := []any{&f.ID, &f.RevisionID, &f.State, &f.StateReason.Text, &f.StateReason.Code, &f.UpdateStatus,
		&f.UpdateReason.Text, &f.UpdateReason.Code, document{&f.Tags}, &f.Reserved, &f.Newest, &created, &f.Sequence}
	err := row.Scan(append(dest, revisionDest(&f.Latest, &modified)...)...)
	f.Created, f.Latest.LastModified = time.UnixMilli(created).UTC(), time.UnixMilli(modified).UTC()
	f.Key = f.Latest.Key
	return f, err
}

// GetFunction gives a function.
func (c *Catalog) GetFunction(ctx context.Context, k lambda.FunctionKey) (catalog.Function, error) {
	return getFunction(ctx, c.db, k)
}

func getFunction(ctx context.Context, q database.Querier, k lambda.FunctionKey) (catalog.Function, error) {
	f, err := scanFunction(q.QueryRow(ctx, selectFunction+whereFunction, k.Partition, k.Account, k.Region, k.Name))
	if errors.Is(err, sql.ErrNoRows) {
		return catalog.Function{}, lambda.Errorf(lambda.NotFound, "no function %s", k.ARN())
	}
	if err != nil {
		return catalog.Function{}, fmt.Errorf("cannot read function %s: %w", k.ARN(), err)
	}
	return f, nil
}

// ListFunctions gives functions by name.
func (c *Catalog) ListFunctions(ctx context.Context, s lambda.Scope, after lambda.FunctionName, limit int) ([]catalog.Function, error) {
	list, err := c.listFunctions(ctx, selectFunction+`WHERE f.partition = $1 AND f.account = $2 AND f.region = $3
		AND f.name > $4 ORDER BY f.name LIMIT $5`, s.Partition, s.Account, s.Region, after, limit)
	if err != nil {
		return nil, fmt.Errorf("cannot list the functions of %s: %w", s, err)
	}
	return list, nil
}

// Unsettled gives the functions with work in progress, oldest first.
func (c *Catalog) Unsettled(ctx context.Context) ([]catalog.Function, error) {
	// The condition is word for word that of the index.
	list, err := c.listFunctions(ctx, selectFunction+`WHERE f.state = 'Pending' OR f.update_status = 'InProgress' ORDER BY f.sequence`)
	if err != nil {
		return nil, fmt.Errorf("cannot list functions with work in progress: %w", err)
	}
	return list, nil
}

func (c *Catalog) listFunctions(ctx context.Context, query string, args ...any) ([]catalog.Function, error) {
	rows, err := c.db.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []catalog.Function
	for rows.Next() {
		f, err := scanFunction(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	return list, rows.Err()
}

// UpdateFunction changes a function.
func (c *Catalog) UpdateFunction(ctx context.Context, k lambda.FunctionKey, quota int64, change func(*catalog.Function) error) (catalog.Function, error) {
	var f catalog.Function
	err := c.change(ctx, func(tx *database.Tx) error {
		var err error
		f, err = updateFunction(ctx, tx, k, quota, change)
		return err
	})
	if err != nil {
		return catalog.Function{}, err // change's own must stay as it is
	}
	return f, nil
}

func updateFunction(ctx context.Context, tx *database.Tx, k lambda.FunctionKey, quota int64, change func(*catalog.Function) error) (catalog.Function, error) {
	old, err := getFunction(ctx, tx, k)
	if err != nil {
		return old, err
	}
	f := old
	if err := change(&f); err != nil {
		return f, err
	}
	return f, recordFunction(ctx, tx, old, &f, quota)
}

// recordFunction writes what a change made of a function.
func recordFunction(ctx context.Context, tx *database.Tx, old catalog.Function, f *catalog.Function, quota int64) error {
	var err error
	if f.Sequence, err = nextSequence(ctx, tx); err != nil {
		return err
	}
	f.Key, f.ID, f.Created, f.Newest = old.Key, old.ID, old.Created, old.Newest // not to be changed
	f.RevisionID = newRevisionID()
	revised := f.Latest.Number == 0
	if revised {
		f.Latest = numbered(f.Latest, *f, old.Latest.Number+1)
		err = insertRevision(ctx, tx, f.Latest, f.Sequence)
	} else {
		f.Latest = old.Latest
		err = settleVersions(ctx, tx, old, *f)
	}
	if err != nil {
		return err
	}
	if err := writeFunction(ctx, tx, *f); err != nil {
		return err
	}
	if revised && f.Latest.Code.Digest != old.Latest.Code.Digest {
		if err := addCode(ctx, tx, f.Key.Scope, f.Latest.Code.Size-old.Latest.Code.Size); err != nil {
			return err
		}
		return checkQuota(ctx, tx, f.Key.Scope, quota)
	}
	return nil
}

func writeFunction(ctx context.Context, tx *database.Tx, f catalog.Function) error {
	tags, err := encode(f.Tags)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE functions SET latest = $2, revision_id = $3, state = $4, state_reason = $5, state_reason_code = $6,
		update_status = $7, update_reason = $8, update_reason_code = $9, tags = $10, reserved = $11, sequence = $12 WHERE id = $1`,
		f.ID, f.Latest.Number, f.RevisionID, f.State, f.StateReason.Text, f.StateReason.Code,
		f.UpdateStatus, f.UpdateReason.Text, f.UpdateReason.Code, tags, f.Reserved, f.Sequence)
	return err
}

func newRevisionID() lambda.RevisionID { return lambda.RevisionID(uuid.NewString()) }

// DeleteFunction forgets a function and its revisions.
func (c *Catalog) DeleteFunction(ctx context.Context, k lambda.FunctionKey) error {
	err := c.change(ctx, func(tx *database.Tx) error {
		size, err := functionCode(ctx, tx, k)
		if err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `DELETE FROM functions WHERE partition = $1 AND account = $2 AND region = $3 AND name = $4`,
			k.Partition, k.Account, k.Region, k.Name)
		if err != nil {
			return err
		}
		if n == 0 {
			return lambda.Errorf(lambda.NotFound, "the function does not exist")
		}
		if err := addCode(ctx, tx, k.Scope, -size); err != nil {
			return err
		}
		_, err = nextSequence(ctx, tx)
		return err
	})
	if err != nil {
		return fmt.Errorf("cannot delete function %s: %w", k.ARN(), err)
	}
	return nil
}
