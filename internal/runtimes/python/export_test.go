package python

// SearchOnly replaces the system's folders.
func (h *Host) SearchOnly(dirs ...string) { h.system = dirs }
