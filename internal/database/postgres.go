package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// postgresDialect is a server with serializable transactions.
type postgresDialect struct{}

const (
	postgresPool = 16
	// migrationLock is the key of the advisory lock under which schemas change ("lamina" in ASCII).
	migrationLock = 0x6c616d696e61
)

func openPostgres(ctx context.Context, rawURL string) (*DB, error) {
	cfg, err := pgx.ParseConfig(rawURL)
	if err != nil {
		return nil, errors.New("cannot open the database: its URL cannot be read") // the cause would print the URL
	}
	db := stdlib.OpenDB(*cfg, stdlib.OptionAfterConnect(letGo))
	db.SetMaxOpenConns(postgresPool)
	db.SetMaxIdleConns(postgresPool)
	if err := db.PingContext(ctx); err != nil {
		db.Close()
		return nil, fmt.Errorf("cannot open the database: %w", err)
	}
	return &DB{dialect: postgresDialect{}, write: db, read: db}, nil
}

// idleTimeout is how long a transaction may stand still.
var idleTimeout = 15 * time.Second

// letGo makes the database end what a server holds that has vanished without closing its connections, as in a power failure: a
// transaction within idleTimeout, all else within half a minute. Without that, those who wait for its locks would do so for hours.
func letGo(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, fmt.Sprintf("SET idle_in_transaction_session_timeout = %d; SET tcp_keepalives_idle = 10; "+
		"SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 4", idleTimeout.Milliseconds()))
	return err
}

func (postgresDialect) begin(ctx context.Context, db *sql.DB) (*sql.Tx, error) {
	return db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelSerializable})
}

func (postgresDialect) retryable(err error) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return false
	}
	return e.Code == "40001" || e.Code == "40P01" // serialization_failure, deadlock_detected
}

// lockTable works because LOCK is the one statement before which a serializable transaction takes no snapshot: what the
// transaction sees afterwards includes the work of those it waited for.
func (postgresDialect) lockTable(ctx context.Context, tx *sql.Tx, table string) error {
	_, err := tx.ExecContext(ctx, "LOCK TABLE "+pgx.Identifier{table}.Sanitize()+" IN EXCLUSIVE MODE")
	return err
}

func (d postgresDialect) migrate(ctx context.Context, db *sql.DB, m migrations) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", migrationLock); err != nil {
		return err
	}
	defer conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", migrationLock)
	if _, err := conn.ExecContext(ctx, createByteText); err != nil {
		return err
	}
	return m.up(ctx, goose.DialectPostgres, db)
}

func (postgresDialect) checkSchema(ctx context.Context, db *sql.DB, m migrations) (int64, error) {
	return m.look(ctx, goose.DialectPostgres, db, "SELECT to_regclass($1) IS NOT NULL")
}

// createByteText runs under the advisory lock, so nothing comes between its two steps.
const createByteText = `DO $$ BEGIN
	IF to_regtype('bytetext') IS NULL THEN
		CREATE DOMAIN bytetext AS TEXT COLLATE "C";
	END IF;
END $$`
