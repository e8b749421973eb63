-- +goose Up

CREATE TABLE code_signing_configs (
    partition   bytetext NOT NULL,
    account     bytetext NOT NULL,
    region      bytetext NOT NULL,
    id          bytetext NOT NULL,   -- 'csc-…'
    description TEXT,                -- NULL when not sent
    publishers  TEXT NOT NULL,       -- JSON array of ARNs
    policy      bytetext NOT NULL,
    modified    BIGINT NOT NULL,     -- milliseconds since 1970
    sequence    BIGINT NOT NULL,
    PRIMARY KEY (partition, account, region, id)
);
