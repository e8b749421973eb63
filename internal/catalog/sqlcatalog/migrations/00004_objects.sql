-- +goose Up

-- Names of buckets are those of a partition, as on AWS.
CREATE TABLE buckets (
    partition  bytetext NOT NULL,
    name       bytetext NOT NULL,
    account    bytetext NOT NULL,
    region     bytetext NOT NULL,
    versioning bytetext NOT NULL,   -- '', 'Enabled' or 'Suspended'
    tags       TEXT NOT NULL,       -- JSON object
    created    BIGINT NOT NULL,
    sequence   BIGINT NOT NULL,
    PRIMARY KEY (partition, name)
);
CREATE INDEX buckets_account ON buckets (partition, account, name);

-- The versions of objects, delete markers among them. The newest of an object has the greatest number.
CREATE TABLE objects (
    partition  bytetext NOT NULL,
    bucket     bytetext NOT NULL,
    name       bytetext NOT NULL,
    number     BIGINT NOT NULL,
    version_id bytetext NOT NULL,   -- 'null' where the bucket gave none
    marker     BIGINT NOT NULL,     -- 1: a delete marker
    digest     TEXT NOT NULL,
    size       BIGINT NOT NULL,
    etag       bytetext NOT NULL,
    modified   BIGINT NOT NULL,
    about      TEXT NOT NULL,       -- JSON of catalog.About
    sequence   BIGINT NOT NULL,
    PRIMARY KEY (partition, bucket, name, number),
    UNIQUE (partition, bucket, name, version_id),
    FOREIGN KEY (partition, bucket) REFERENCES buckets (partition, name)
);

CREATE TABLE uploads (
    id        bytetext PRIMARY KEY,
    partition bytetext NOT NULL,
    bucket    bytetext NOT NULL,
    name      bytetext NOT NULL,
    about     TEXT NOT NULL,
    initiated BIGINT NOT NULL,
    sequence  BIGINT NOT NULL,
    FOREIGN KEY (partition, bucket) REFERENCES buckets (partition, name) ON DELETE CASCADE
);
CREATE INDEX uploads_bucket ON uploads (partition, bucket, name, id);

CREATE TABLE upload_parts (
    upload_id bytetext NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
    number    BIGINT NOT NULL,
    digest    TEXT NOT NULL,
    size      BIGINT NOT NULL,
    etag      bytetext NOT NULL,
    checksum  TEXT NOT NULL,
    modified  BIGINT NOT NULL,
    sequence  BIGINT NOT NULL,
    PRIMARY KEY (upload_id, number)
);
