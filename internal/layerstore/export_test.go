package layerstore

// Inflated is how many files the store has inflated since it was opened.
func (s *Store) Inflated() int64 { return s.inflated.Load() }

// SetMaxLinks bounds the links of shared files in stores that are opened from now on.
func SetMaxLinks(n uint64) (reset func()) {
	maxLinks = n
	return func() { maxLinks = 0 }
}
