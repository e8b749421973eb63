package objects

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

// ListInput chooses objects of a bucket.
type ListInput struct {
	Bucket    string
	Prefix    string // that names have
	Delimiter string // names that have it after the prefix are put together up to it; "" puts none together
	After     string // names come after it, and so do prefixes
	Limit     int    // of names and prefixes together

	// Of versions: after these of the object named After, unless Below is 0.
	Below string // version ID
}

// Page is a part of a list. When there is more, Next is the last name or prefix.
type Page[T any] struct {
	Items    []T
	Prefixes []string
	Next     string
	More     bool
}

// List gives objects by name.
func (s *Service) List(ctx context.Context, caller lambda.Scope, in ListInput) (Page[catalog.Object], error) {
	b, err := s.bucket(ctx, caller, in.Bucket)
	if err != nil {
		return Page[catalog.Object]{}, err
	}
	p, err := list(in, func(r catalog.ObjectRange, limit int) ([]catalog.Object, error) {
		return s.catalog.ListObjects(ctx, b.Key, r, limit)
	}, func(o catalog.Object) string { return o.Name })
	return p, gone(unstorable(err), in.Bucket)
}

// Version is a version of an object in a list.
type Version struct {
	catalog.Object
	Latest bool
}

// ListVersions gives the versions of objects, the newest of each first. Its Next is the name of the last one.
func (s *Service) ListVersions(ctx context.Context, caller lambda.Scope, in ListInput) (Page[Version], error) {
	b, err := s.bucket(ctx, caller, in.Bucket)
	if err != nil {
		return Page[Version]{}, err
	}
	below, err := s.below(ctx, b, in)
	if err != nil {
		return Page[Version]{}, unstorable(err)
	}
	before := "" // the object of the version before, whose newest is behind us
	if below > 0 {
		before = in.After
	}
	p, err := listFrom(in, below > 0, func(r catalog.ObjectRange, limit int) ([]Version, error) {
		all, err := s.catalog.ListObjectVersions(ctx, b.Key, r, below, limit)
		versions := make([]Version, len(all))
		for i, o := range all {
			versions[i] = Version{o, o.Name != before}
			before = o.Name
		}
		below = 0
		if len(all) > 0 {
			below = all[len(all)-1].Number // to go on in the middle of an object
		}
		return versions, err
	}, func(v Version) string { return v.Name })
	return p, gone(unstorable(err), in.Bucket)
}

// below finds the number of the version that a list goes on after; 0 when it begins with another object.
func (s *Service) below(ctx context.Context, b catalog.Bucket, in ListInput) (int64, error) {
	if in.Below == "" {
		return 0, nil
	}
	o, err := s.catalog.GetObject(ctx, b.Key, catalog.ObjectID{Name: in.After, VersionID: in.Below})
	if lambda.IsKind(err, lambda.NotFound) {
		return 0, invalid("Invalid version id specified")
	}
	return o.Number, err
}

// ListUploads gives uploads by name and ID; in.Below is the ID of an upload of in.After to go on after.
func (s *Service) ListUploads(ctx context.Context, caller lambda.Scope, in ListInput) (Page[catalog.Upload], error) {
	b, err := s.bucket(ctx, caller, in.Bucket)
	if err != nil {
		return Page[catalog.Upload]{}, err
	}
	after := in.Below
	p, err := listFrom(in, after != "", func(r catalog.ObjectRange, limit int) ([]catalog.Upload, error) {
		all, err := s.catalog.ListUploads(ctx, b.Key, r, after, limit)
		after = ""
		if len(all) > 0 {
			after = all[len(all)-1].ID
		}
		return all, err
	}, func(u catalog.Upload) string { return u.Name })
	return p, gone(unstorable(err), in.Bucket)
}

// batch is how many names are read at a time where prefixes may swallow them. Only tests change it.
var batch = 200

// list reads names that are there once.
func list[T any](in ListInput, read func(catalog.ObjectRange, int) ([]T, error), name func(T) string) (Page[T], error) {
	var p Page[T]
	r := catalog.ObjectRange{After: in.After, From: in.Prefix, Before: successor(in.Prefix)}
	if in.endsWithPrefix() {
		r.From = max(r.From, successor(in.After))
	}
	for in.Limit > 0 {
		size := in.Limit - len(p.Items) - len(p.Prefixes) + 1
		if in.Delimiter != "" {
			size = max(size, batch)
		}
		items, err := read(r, size)
		if err != nil {
			return p, err
		}
		if p.add(in, items, name) || len(items) < size {
			return p, nil
		}
		last := name(items[len(items)-1])
		r.After = last
		if common := commonPrefix(last, in); common != "" {
			if r.From = successor(common); r.From == "" {
				return p, nil
			}
		}
	}
	return p, nil
}

// endsWithPrefix reports whether the page before ended with a prefix.
func (in ListInput) endsWithPrefix() bool {
	return in.After != "" && commonPrefix(in.After, in) == in.After
}

// listFrom reads names that may be there several times. inside says that the list goes on inside of in.After.
func listFrom[T any](in ListInput, inside bool, read func(catalog.ObjectRange, int) ([]T, error), name func(T) string) (Page[T], error) {
	var p Page[T]
	r := catalog.ObjectRange{From: in.Prefix, Before: successor(in.Prefix)}
	switch {
	case in.endsWithPrefix():
		r.From = max(r.From, successor(in.After))
	case inside:
		r.From = max(r.From, in.After)
	default:
		r.After = in.After
	}
	for in.Limit > 0 {
		size := max(in.Limit-len(p.Items)-len(p.Prefixes)+1, batch)
		items, err := read(r, size)
		if err != nil {
			return p, err
		}
		if p.add(in, items, name) || len(items) < size {
			return p, nil
		}
		r.After, r.From = "", name(items[len(items)-1]) // read goes on behind the last of them
	}
	return p, nil
}

// add takes in names until the page is full, and reports whether it is.
func (p *Page[T]) add(in ListInput, items []T, name func(T) string) bool {
	for _, item := range items {
		n := name(item)
		common := commonPrefix(n, in)
		if common != "" && len(p.Prefixes) > 0 && p.Prefixes[len(p.Prefixes)-1] == common {
			continue
		}
		if len(p.Items)+len(p.Prefixes) >= in.Limit {
			p.More = true
			return true
		}
		if common != "" {
			p.Prefixes = append(p.Prefixes, common)
			p.Next = common
			continue
		}
		p.Items = append(p.Items, item)
		p.Next = n
	}
	return false
}

// commonPrefix is what a name is put together under, "" when it stands for itself.
func commonPrefix(name string, in ListInput) string {
	rest, ok := strings.CutPrefix(name, in.Prefix)
	if !ok || in.Delimiter == "" {
		return ""
	}
	i := strings.Index(rest, in.Delimiter)
	if i < 0 {
		return ""
	}
	return in.Prefix + rest[:i+len(in.Delimiter)]
}

// successor is the least text after all that have a prefix, by bytes; "" when there is none, as for "".
func successor(prefix string) string {
	for prefix != "" {
		r, size := utf8.DecodeLastRuneInString(prefix)
		prefix = prefix[:len(prefix)-size]
		switch r {
		case utf8.MaxRune:
			continue
		case 0xD7FF: // surrogates are no text
			return prefix + string(rune(0xE000))
		}
		return prefix + string(r+1)
	}
	return ""
}
