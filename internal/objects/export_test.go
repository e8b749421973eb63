package objects

// SetBatch changes how many names are read at a time, until restore is called.
func SetBatch(n int) (restore func()) {
	before := batch
	batch = n
	return func() { batch = before }
}
