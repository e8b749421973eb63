package cached

import (
	"context"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

// page is a part of the list of a scope's functions.
type page struct {
	after lambda.FunctionName
	limit int
}

// maxPages bounds the pages that are remembered of a scope: callers choose where a page begins and how long it is.
const maxPages = 1000

// ListFunctions gives functions, from memory if the page was read before and all of its functions are still there.
func (c *Store) ListFunctions(ctx context.Context, s lambda.Scope, after lambda.FunctionName, limit int) ([]catalog.Function, error) {
	p := page{after, limit}
	list, epoch, ok := c.lookupPage(s, p)
	if ok {
		return list, nil
	}
	list, err := c.Store.ListFunctions(ctx, s, after, limit)
	if err == nil {
		c.keepPage(s, p, epoch, list)
	}
	return list, err
}

func (c *Store) lookupPage(s lambda.Scope, p page) (list []catalog.Function, epoch int64, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	names, ok := c.pages[s][p]
	if !ok {
		return nil, c.epoch, false
	}
	list = make([]catalog.Function, 0, len(names))
	for _, name := range names {
		f, ok := c.functions[lambda.FunctionKey{Scope: s, Name: name}][""].(catalog.Function)
		if !ok {
			return nil, c.epoch, false
		}
		list = append(list, f)
	}
	return list, c.epoch, true
}

// keepPage remembers which functions a page has, and the functions.
func (c *Store) keepPage(s lambda.Scope, p page, epoch int64, list []catalog.Function) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if epoch != c.epoch {
		return
	}
	if c.pages[s] == nil || len(c.pages[s]) >= maxPages {
		c.pages[s] = map[page][]lambda.FunctionName{}
	}
	names := make([]lambda.FunctionName, 0, len(list))
	for _, f := range list {
		names = append(names, f.Key.Name)
		c.put(f.Key, "", f)
	}
	c.pages[s][p] = names
}

// forgetPages drops the pages of a scope in which a function has come or gone.
func (c *Store) forgetPages(s lambda.Scope) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	delete(c.pages, s)
}
