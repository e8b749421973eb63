package api_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/api"
	"github.com/laminadev/lamina/internal/api/lambdaapi"
	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/blob/diskblob"
	"github.com/laminadev/lamina/internal/catalog/cached"
	"github.com/laminadev/lamina/internal/catalog/sqlcatalog"
	"github.com/laminadev/lamina/internal/control"
	"github.com/laminadev/lamina/internal/database"
	"github.com/laminadev/lamina/internal/database/pgtest"
	"github.com/laminadev/lamina/internal/layerstore"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// controlOn is a control plane whose records are in a database.
func controlOn(t *testing.T, databaseURL string, change ...func(*control.Options)) *control.Service {
	t.Helper()
	ctx, dir := context.Background(), t.TempDir()
	db, err := database.Open(ctx, databaseURL)
	must(t, err)
	records, err := sqlcatalog.Open(ctx, db)
	must(t, err)
	store := cached.New(records, 0)
	disk, err := diskblob.Open(filepath.Join(dir, "blobs"))
	must(t, err)
	blobs := blob.New(disk)
	trees, err := layerstore.Open(layerstore.Options{Dir: filepath.Join(dir, "trees"), Blobs: blobs})
	must(t, err)
	o := control.Options{Catalog: store, Store: trees, Blobs: blobs}
	for _, f := range change {
		f(&o)
	}
	c := control.New(o)
	must(t, c.Start(ctx))
	t.Cleanup(func() {
		c.Stop()
		must(t, trees.Close())
		must(t, blobs.Close())
		must(t, store.Close())
	})
	return c
}

// listing is a list that changes while it is read.
type listing struct {
	operation string
	path      string
	items     string // the member that holds them
	name      string // the member of an item by which it is told; "": it is a name itself
	fill      func(*server)
	// change takes the last item of the first page and one of the second away, and adds one before and one after where the
	// first page ended.
	change func(*server)
	first  string // the first page of two
	rest   string // what the other pages hold after the change
}

const (
	urls        = "/2021-10-31/functions/f/url"
	provisioned = "/2019-09-30/functions/f/provisioned-concurrency"
	eventInvoke = "/2019-09-25/functions/f/event-invoke-config"
)

func (s *server) remove(path string) { s.ok(204, request{method: "DELETE", path: path}) }

// versions publishes so many versions of f.
func (s *server) versions(n int) {
	for i := range n {
		s.ok(200, request{method: "PUT", path: fns + "/f/configuration", body: object{"Description": fmt.Sprint(i, s.settle("f").body["Version"])}})
		s.settle("f")
		s.ok(201, request{method: "POST", path: fns + "/f/versions", body: object{}})
	}
}

func (s *server) alias(name string) {
	s.ok(201, request{method: "POST", path: fns + "/f/aliases", body: object{"Name": name, "FunctionVersion": "1"}})
}

// withAliases makes f with version 1 and aliases, and does something for each of them.
func (s *server) withAliases(do func(alias string)) {
	s.create("f", object{"Publish": true})
	for _, name := range []string{"b", "c", "d", "e", "h", "m"} {
		s.alias(name)
		do(name)
	}
}

var listings = []listing{
	{operation: "ListFunctions", path: fns, items: "Functions", name: "FunctionArn",
		fill: func(s *server) {
			for _, name := range []string{"b", "c", "d", "e", "h"} {
				s.create(name)
			}
		},
		change: func(s *server) { s.remove(fns + "/c"); s.remove(fns + "/d"); s.create("a"); s.create("g") },
		first:  "b c", rest: "e g h"},
	{operation: "ListFunctions", path: fns + "?FunctionVersion=ALL", items: "Functions", name: "FunctionArn",
		fill: func(s *server) { s.create("b"); s.create("f"); s.versions(4) },
		change: func(s *server) {
			s.remove(fns + "/b")
			s.remove(fns + "/f?Qualifier=2")
			s.create("a")
			s.versions(1)
		},
		first: "b:$LATEST f:$LATEST", rest: "f:1 f:3 f:4 f:5"},
	{operation: "ListVersionsByFunction", path: fns + "/f/versions", items: "Versions", name: "FunctionArn",
		fill:   func(s *server) { s.create("f"); s.versions(5) },
		change: func(s *server) { s.remove(fns + "/f?Qualifier=1"); s.remove(fns + "/f?Qualifier=3"); s.versions(1) },
		first:  "f:$LATEST f:1", rest: "f:2 f:4 f:5 f:6"},
	{operation: "ListAliases", path: fns + "/f/aliases", items: "Aliases", name: "Name",
		fill: func(s *server) { s.withAliases(func(string) {}) },
		change: func(s *server) {
			s.remove(fns + "/f/aliases/c")
			s.remove(fns + "/f/aliases/d")
			s.alias("a")
			s.alias("g")
		},
		first: "b c", rest: "e g h m"},
	{operation: "ListLayers", path: "/2018-10-31/layers", items: "Layers", name: "LayerName",
		fill: func(s *server) {
			for _, name := range []string{"b", "c", "d", "e", "h"} {
				s.publish(name)
			}
		},
		change: func(s *server) {
			s.remove("/2018-10-31/layers/c/versions/1")
			s.remove("/2018-10-31/layers/d/versions/1")
			s.publish("a")
			s.publish("g")
		},
		first: "b c", rest: "e g h"},
	{operation: "ListLayerVersions", path: "/2018-10-31/layers/l/versions", items: "LayerVersions", name: "Version",
		fill: func(s *server) {
			for range 6 {
				s.publish("l")
			}
		},
		change: func(s *server) {
			s.remove("/2018-10-31/layers/l/versions/5")
			s.remove("/2018-10-31/layers/l/versions/4")
			s.publish("l")
		},
		first: "6 5", rest: "3 2 1"},
	{operation: "ListFunctionEventInvokeConfigs", path: eventInvoke + "/list", items: "FunctionEventInvokeConfigs", name: "FunctionArn",
		fill: func(s *server) {
			s.withAliases(func(alias string) {
				s.ok(200, request{method: "PUT", path: eventInvoke + "?Qualifier=" + alias, body: object{"MaximumRetryAttempts": 1}})
			})
		},
		change: func(s *server) {
			s.remove(eventInvoke + "?Qualifier=c")
			s.remove(eventInvoke + "?Qualifier=d")
			s.alias("g")
			for _, q := range []string{"$LATEST", "g"} {
				s.ok(200, request{method: "PUT", path: eventInvoke + "?Qualifier=" + q, body: object{"MaximumRetryAttempts": 1}})
			}
		},
		first: "f:b f:c", rest: "f:e f:g f:h f:m"},
	{operation: "ListFunctionUrlConfigs", path: urls + "s", items: "FunctionUrlConfigs", name: "FunctionArn",
		fill: func(s *server) {
			s.withAliases(func(alias string) {
				s.ok(201, request{method: "POST", path: urls + "?Qualifier=" + alias, body: object{"AuthType": "NONE"}})
			})
		},
		change: func(s *server) {
			s.remove(urls + "?Qualifier=c")
			s.remove(urls + "?Qualifier=d")
			s.alias("g")
			for _, q := range []string{"", "?Qualifier=g"} {
				s.ok(201, request{method: "POST", path: urls + q, body: object{"AuthType": "NONE"}})
			}
		},
		first: "f:b f:c", rest: "f:e f:g f:h f:m"},
	{operation: "ListProvisionedConcurrencyConfigs", path: provisioned + "?List=ALL", items: "ProvisionedConcurrencyConfigs", name: "FunctionArn",
		fill: func(s *server) {
			s.withAliases(func(alias string) {
				s.ok(202, request{method: "PUT", path: provisioned + "?Qualifier=" + alias, body: object{"ProvisionedConcurrentExecutions": 1}})
			})
		},
		change: func(s *server) {
			s.remove(provisioned + "?Qualifier=c")
			s.remove(provisioned + "?Qualifier=d")
			for _, q := range []string{"a", "g"} {
				s.alias(q)
				s.ok(202, request{method: "PUT", path: provisioned + "?Qualifier=" + q, body: object{"ProvisionedConcurrentExecutions": 1}})
			}
		},
		first: "f:b f:c", rest: "f:e f:g f:h f:m"},
	{operation: "ListFunctionsByCodeSigningConfig", items: "FunctionArns",
		fill: func(s *server) {
			s.signing = s.newSigning()
			for _, name := range []string{"b", "c", "d", "e", "h"} {
				s.create(name)
				s.ok(200, signingOf("PUT", name, object{"CodeSigningConfigArn": s.signing}))
			}
		},
		change: func(s *server) {
			s.remove("/2020-06-30/functions/c/code-signing-config")
			s.remove(fns + "/d")
			for _, name := range []string{"a", "g"} {
				s.create(name)
				s.ok(200, signingOf("PUT", name, object{"CodeSigningConfigArn": s.signing}))
			}
		},
		first: "b c", rest: "e g h"},
}

var ownName = regexp.MustCompile(`^arn:.*:function:`)

// page gives the names on a page of two items, and the marker of the next.
func (s *server) page(l listing, marker string) (names []string, next string) {
	s.t.Helper()
	mark := "?"
	if strings.Contains(l.path, "?") {
		mark = "&"
	}
	path := l.path + mark + "MaxItems=2"
	if s.signing != "" {
		path = signingConfigs + "/" + s.signing + "/functions?MaxItems=2"
	}
	if marker != "" {
		path += "&Marker=" + url.QueryEscape(marker)
	}
	a := s.ok(200, request{method: "GET", path: path})
	items, _ := a.body[l.items].([]any)
	for _, item := range items {
		if l.name != "" {
			item = item.(object)[l.name]
		}
		names = append(names, ownName.ReplaceAllString(fmt.Sprint(item), ""))
	}
	next, _ = a.body["NextMarker"].(string)
	if len(names) > 2 || len(names) == 0 && next != "" {
		s.t.Fatalf("a page of %d items: %s", len(names), a.text)
	}
	return names, next
}

// TestPages: whoever reads a list page by page sees each item that stays exactly once, whatever comes and goes meanwhile.
func TestPages(t *testing.T) {
	for kind, open := range map[string]func(testing.TB) string{
		"SQLite":     func(t testing.TB) string { return database.SQLiteURL(filepath.Join(t.TempDir(), "lamina.db")) },
		"PostgreSQL": pgtest.URL,
	} {
		t.Run(kind, func(t *testing.T) {
			c := controlOn(t, open(t))
			for i, l := range listings { // each in an account of its own
				t.Run(fmt.Sprint(i, l.operation), func(t *testing.T) {
					s := newServer(t, func(o *api.Options) { o.Control, o.Account = c, fmt.Sprintf("%012d", i) })
					l.fill(s)
					first, marker := s.page(l, "")
					if diff := cmp.Diff(l.first, strings.Join(first, " ")); diff != "" {
						t.Fatalf("the first page: %s", diff)
					}
					l.change(s)
					var rest []string
					for marker != "" {
						var names []string
						names, marker = s.page(l, marker)
						rest = append(rest, names...)
					}
					if diff := cmp.Diff(l.rest, strings.Join(rest, " ")); diff != "" {
						t.Errorf("the other pages: %s", diff)
					}
				})
			}
		})
	}
}

// unpaged are lists that never have a second page.
var unpaged = []string{"ListTags"}

// TestPagesOfCodeSigningConfigs: their names are chance, so what is in a page is told by what was there.
func TestPagesOfCodeSigningConfigs(t *testing.T) {
	s := newServer(t)
	var all []string
	for range 6 {
		all = append(all, s.newSigning())
	}
	slices.Sort(all)
	l := listing{operation: "ListCodeSigningConfigs", path: signingConfigs, items: "CodeSigningConfigs", name: "CodeSigningConfigArn"}
	first, marker := s.page(l, "")
	s.remove(signingConfigs + "/" + all[1])
	s.remove(signingConfigs + "/" + all[2])
	var rest []string
	for marker != "" {
		var names []string
		names, marker = s.page(l, marker)
		rest = append(rest, names...)
	}
	if diff := cmp.Diff([][]string{all[:2], all[3:]}, [][]string{first, rest}); diff != "" {
		t.Error(diff)
	}
}

func TestEveryListIsPaged(t *testing.T) {
	for _, r := range lambdaapi.Routes {
		paged := r.Name == "ListCodeSigningConfigs" || slices.ContainsFunc(listings, func(l listing) bool { return l.operation == r.Name })
		if strings.HasPrefix(r.Name, "List") && lambdaapi.Built(r.Name) && !paged && !slices.Contains(unpaged, r.Name) {
			t.Errorf("%s is not read page by page", r.Name)
		}
	}
}
