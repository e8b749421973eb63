package daemon

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/blob/diskblob"
	"github.com/laminadev/lamina/internal/blob/s3blob"
	"github.com/laminadev/lamina/internal/config"
	"github.com/laminadev/lamina/internal/layerstore"
)

// zips is where zips are kept, and the trees that this machine has unpacked of them. Zips of records lie in the data folder or in
// an S3 store. Zips of this machine's runtimes always lie in the data folder, since they belong to no record: another server
// that frees what records do not need must not find them.
type zips struct {
	blobs *blob.Store       // of records
	local *blob.Store       // in the data folder; the same when there is no other
	store *layerstore.Store // over blobs
	own   *layerstore.Store // over local, and the same trees
}

// openZips opens them; closing them is left to stop. claim is asked whether a store of others' may be used.
func openZips(ctx context.Context, cfg config.Config, dir *folder, claim func(*s3blob.Driver) error, log *slog.Logger, stop *stoppers) (z zips, err error) {
	local, err := diskblob.Open(dir.sub("blobs"))
	if err != nil {
		return z, err
	}
	z.local = blob.New(local)
	stop.add("blob store", plain(z.local.Close))
	if z.own, err = openTrees(dir, z.local, log, stop); err != nil {
		return z, err
	}
	z.blobs, z.store = z.local, z.own
	driver, err := openS3(ctx, cfg, dir)
	if driver == nil || err != nil {
		return z, err
	}
	z.blobs = blob.New(driver)
	stop.add("S3 store", plain(z.blobs.Close))
	if err := claim(driver); err != nil {
		return z, err
	}
	z.store, err = openTrees(dir, z.blobs, log, stop)
	return z, err
}

func openTrees(dir *folder, blobs *blob.Store, log *slog.Logger, stop *stoppers) (*layerstore.Store, error) {
	s, err := layerstore.Open(layerstore.Options{Dir: dir.sub("trees"), Blobs: blobs, Now: now, Log: log})
	if err == nil {
		stop.add("layer store", plain(s.Close))
	}
	return s, err
}

// openS3 opens the S3 store of the settings; it gives nil when there is none in them.
func openS3(ctx context.Context, cfg config.Config, dir *folder) (*s3blob.Driver, error) {
	s, ok := cfg.S3()
	if !ok {
		return nil, nil
	}
	return s3blob.Open(ctx, s3blob.Options{Bucket: s.Bucket, Prefix: s.Prefix, Endpoint: s.Endpoint, Region: s.Region,
		Scratch: dir.sub("transfers")})
}

// signingSecret is the name of the secret in a shared database.
const signingSecret = "signing"

// ownerID names those who share a secret, and tells nothing of it. It is written into an S3 store, so that nobody frees or
// replaces what another lamina keeps there.
func ownerID(secret []byte) string {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte("lamina owner of blobs 1"))
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// notOurs says that an S3 store holds another lamina's zips.
func notOurs(cfg config.Config) *Problem {
	s, _ := cfg.S3()
	place := s.Bucket
	if s.Prefix != "" {
		place += "/" + s.Prefix
	}
	return &Problem{
		Text: "s3://" + place + " holds the zips of another lamina, with other records",
		Todo: "name a prefix of your own: --blob 's3://" + s.Bucket + "/PREFIX?…'\n" +
			"or the database of that lamina: --database URL\n" +
			"or, if that one is gone for good, take its place: aws s3 rm s3://" + place + "/owner",
	}
}
