// Package pgtest gives tests a PostgreSQL of their own: one temporary cluster for each test binary and a fresh database for
// each test.
//
// The server's programs are looked for on PATH and where distributions put them. Since PostgreSQL refuses to run as root,
// root runs it as the user postgres or nobody. LAMINA_TEST_POSTGRES=postgres://… names a server to use instead; its user must
// be allowed to create databases. Where there is neither, tests are skipped and say why.
package pgtest

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
)

// Variable names the server to use in place of a temporary one.
const Variable = "LAMINA_TEST_POSTGRES"

// errMissing is why tests are skipped.
var errMissing = errors.New("no PostgreSQL here: initdb and postgres are not installed; set " + Variable + " to use a server elsewhere")

// shared is the server of this test binary, started when the first test asks.
var shared struct {
	once    sync.Once
	cluster *cluster // nil when Variable names a server
	url     *url.URL
	err     error
	count   atomic.Int64
}

// Main runs the tests of a package that uses URL, and stops the server after them: func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }.
func Main(m *testing.M) int {
	defer func() { shared.cluster.stop() }()
	return m.Run()
}

// URL gives the URL of an empty database that is dropped when the test ends. It skips the test when there is no PostgreSQL.
func URL(t testing.TB) string {
	t.Helper()
	shared.once.Do(start)
	if errors.Is(shared.err, errMissing) {
		t.Skip(shared.err)
	}
	if shared.err != nil {
		t.Fatalf("cannot start PostgreSQL: %v", shared.err)
	}
	name := fmt.Sprintf("lamina_test_%d_%d", os.Getpid(), shared.count.Add(1))
	admin(t, "CREATE DATABASE "+name)
	t.Cleanup(func() { admin(t, "DROP DATABASE "+name+" WITH (FORCE)") })
	u := *shared.url
	u.Path = "/" + name
	return u.String()
}

func start() {
	if s := os.Getenv(Variable); s != "" {
		shared.url, shared.err = url.Parse(s)
		return
	}
	if shared.cluster, shared.err = startCluster(); shared.err == nil {
		shared.url = shared.cluster.url()
	}
}

func admin(t testing.TB, statement string) {
	t.Helper()
	db, err := sql.Open("pgx", shared.url.String())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}
