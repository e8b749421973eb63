package runtimeapi

import (
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/google/uuid"
)

const metadataPath = "/2026-01-15/metadata/execution-environment"

// metadata is what an environment may ask about itself, with the token that asking takes. So a function that fetches whatever
// address it is told to does not give it away.
type metadata struct {
	token string
	body  []byte
}

// Describe says where the environment runs, and gives the token that the metadata endpoint asks for from now on. zone is the ID
// of an Availability Zone.
func (s *Server) Describe(zone string) (token string) {
	body, err := json.Marshal(struct{ AvailabilityZoneID string }{zone})
	if err != nil {
		panic(err) // a string always has a JSON form
	}
	token = uuid.NewString()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.metadata = &metadata{token: token, body: body}
	return token
}

func (s *Server) described() *metadata {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.metadata
}

// aboutItself answers the metadata endpoint. AWS's documentation has its statuses, AWS's published handler their texts.
func (c *conn) aboutItself(req *http.Request, keep bool) bool {
	m := c.server.described()
	token, ok := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer ")
	switch {
	case req.Method != http.MethodGet:
		return c.plain(http.StatusMethodNotAllowed, keep)
	case m == nil:
		return c.plain(http.StatusServiceUnavailable, keep)
	case !ok || subtle.ConstantTimeCompare([]byte(token), []byte(m.token)) == 0:
		return c.plain(http.StatusUnauthorized, keep)
	}
	return c.send(http.StatusOK, jsonType, m.body, keep, "Cache-Control", "private, max-age=43200, immutable") == nil
}

// plain answers a status with its name.
func (c *conn) plain(status int, keep bool) bool {
	return c.send(status, "text/plain; charset=utf-8", []byte(http.StatusText(status)+"\n"), keep) == nil
}
