package client

import (
	"context"
	"encoding/json"
	"fmt"
)

// Version is the answer of GET /lamina/v1/version.
type Version struct {
	Version string `json:"version"`
}

// Version asks which lamina the server is.
func (c *Client) Version(ctx context.Context) (Version, error) {
	var v Version
	res, err := c.get(ctx, "/lamina/v1/version", nil)
	if err != nil {
		return v, err
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&v); err != nil {
		return v, fmt.Errorf("cannot read the version: %w", err)
	}
	return v, nil
}
