package node

// SearchOnly makes a Host look for interpreters, and for npm, nowhere but on PATH and in these folders.
func (h *Host) SearchOnly(dirs ...string) { h.system = dirs }
