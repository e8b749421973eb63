-- +goose Up

-- One row: the number of the newest change. Every transaction that changes something takes the next one.
CREATE TABLE change_sequence (
    id    BIGINT PRIMARY KEY CHECK (id = 1),
    value BIGINT NOT NULL
);
INSERT INTO change_sequence (id, value) VALUES (1, 0);

CREATE TABLE accounts (
    id           bytetext PRIMARY KEY,
    organisation bytetext NOT NULL,
    sequence     BIGINT NOT NULL
);

-- A layer outlives its versions, so that their numbers go on.
CREATE TABLE layers (
    partition    bytetext NOT NULL,
    account      bytetext NOT NULL,
    region       bytetext NOT NULL,
    name         bytetext NOT NULL,
    last_version BIGINT NOT NULL,
    sequence     BIGINT NOT NULL,
    PRIMARY KEY (partition, account, region, name)
);

CREATE TABLE layer_versions (
    partition      bytetext NOT NULL,
    account        bytetext NOT NULL,
    region         bytetext NOT NULL,
    name           bytetext NOT NULL,
    version        BIGINT NOT NULL,
    digest         TEXT NOT NULL,
    size           BIGINT NOT NULL,
    unzipped_size  BIGINT NOT NULL,
    content_digest TEXT NOT NULL,
    tree_key       TEXT NOT NULL,
    description    TEXT,
    license_info   TEXT,
    runtimes       TEXT,              -- JSON array of strings
    architectures  TEXT,              -- likewise
    created        BIGINT NOT NULL,   -- milliseconds since 1970
    sequence       BIGINT NOT NULL,
    PRIMARY KEY (partition, account, region, name, version),
    FOREIGN KEY (partition, account, region, name) REFERENCES layers (partition, account, region, name)
);

CREATE TABLE functions (
    partition          bytetext NOT NULL,
    account            bytetext NOT NULL,
    region             bytetext NOT NULL,
    name               bytetext NOT NULL,
    id                 bytetext NOT NULL UNIQUE,
    latest             BIGINT NOT NULL,   -- number of the newest revision
    revision_id        bytetext NOT NULL,
    state              bytetext NOT NULL,
    state_reason       TEXT NOT NULL,
    state_reason_code  TEXT NOT NULL,
    update_status      bytetext NOT NULL,
    update_reason      TEXT NOT NULL,
    update_reason_code TEXT NOT NULL,
    tags               TEXT NOT NULL,     -- JSON object
    created            BIGINT NOT NULL,
    sequence           BIGINT NOT NULL,
    PRIMARY KEY (partition, account, region, name)
);
CREATE INDEX functions_unsettled ON functions (sequence) WHERE state = 'Pending' OR update_status = 'InProgress';

-- What was once written here never changes.
CREATE TABLE function_revisions (
    partition      bytetext NOT NULL,
    account        bytetext NOT NULL,
    region         bytetext NOT NULL,
    name           bytetext NOT NULL,
    function_id    bytetext NOT NULL REFERENCES functions (id) ON DELETE CASCADE,
    number         BIGINT NOT NULL,
    config         TEXT NOT NULL,     -- JSON of lambda.Configuration
    digest         TEXT NOT NULL,
    size           BIGINT NOT NULL,
    unzipped_size  BIGINT NOT NULL,
    content_digest TEXT NOT NULL,
    tree_key       TEXT NOT NULL,
    layers         TEXT NOT NULL,     -- JSON of []lambda.LayerRef
    shadow_map     TEXT NOT NULL,     -- JSON of []lambda.Shadow
    last_modified  BIGINT NOT NULL,
    sequence       BIGINT NOT NULL,
    PRIMARY KEY (function_id, number)
);
