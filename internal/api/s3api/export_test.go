package s3api

// Operations are the names of the operations in the table of routes, and of the two that are told apart by a header.
func Operations() []string {
	names := []string{"CopyObject", "UploadPartCopy"}
	for _, r := range routes {
		names = append(names, r.name)
	}
	return names
}
