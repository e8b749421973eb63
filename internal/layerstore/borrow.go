package layerstore

import "sync"

// Borrow gives a Lower for a folder that no store keeps: whoever calls answers for what is in it until release, which may be
// nil.
func Borrow(path string, release func()) *Lower {
	if release == nil {
		release = func() {}
	}
	return &Lower{Path: path, release: sync.OnceFunc(release)}
}
