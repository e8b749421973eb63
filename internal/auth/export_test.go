package auth

// InMemory is how long a body may be without going to a file.
const InMemory = inMemory
