-- +goose Up

ALTER TABLE functions ADD COLUMN reserved BIGINT;
ALTER TABLE functions ADD COLUMN newest BIGINT NOT NULL DEFAULT 0;   -- number of the version published last

-- A name outlives its functions, so that the numbers of their versions go on.
CREATE TABLE function_names (
    partition    bytetext NOT NULL,
    account      bytetext NOT NULL,
    region       bytetext NOT NULL,
    name         bytetext NOT NULL,
    last_version BIGINT NOT NULL,
    sequence     BIGINT NOT NULL,
    PRIMARY KEY (partition, account, region, name)
);

CREATE TABLE function_versions (
    partition         bytetext NOT NULL,
    account           bytetext NOT NULL,
    region            bytetext NOT NULL,
    name              bytetext NOT NULL,
    function_id       bytetext NOT NULL REFERENCES functions (id) ON DELETE CASCADE,
    version           BIGINT NOT NULL,
    revision          BIGINT NOT NULL,   -- number of the revision
    description       TEXT NOT NULL,
    revision_id       bytetext NOT NULL,
    state             bytetext NOT NULL,
    state_reason      TEXT NOT NULL,
    state_reason_code TEXT NOT NULL,
    sequence          BIGINT NOT NULL,
    PRIMARY KEY (partition, account, region, name, version),
    FOREIGN KEY (function_id, revision) REFERENCES function_revisions (function_id, number) ON DELETE CASCADE
);
CREATE INDEX function_versions_function ON function_versions (function_id, revision);

CREATE TABLE function_aliases (
    partition   bytetext NOT NULL,
    account     bytetext NOT NULL,
    region      bytetext NOT NULL,
    name        bytetext NOT NULL,
    function_id bytetext NOT NULL REFERENCES functions (id) ON DELETE CASCADE,
    alias       bytetext NOT NULL,
    version     BIGINT NOT NULL,   -- 0 is $LATEST
    description TEXT NOT NULL,
    other       BIGINT,            -- the version that takes a share
    weight      DOUBLE PRECISION,  -- of other
    revision_id bytetext NOT NULL,
    sequence    BIGINT NOT NULL,
    PRIMARY KEY (partition, account, region, name, alias)
);
CREATE INDEX function_aliases_function ON function_aliases (function_id);

CREATE TABLE function_records (
    partition   bytetext NOT NULL,
    account     bytetext NOT NULL,
    region      bytetext NOT NULL,
    name        bytetext NOT NULL,
    function_id bytetext NOT NULL REFERENCES functions (id) ON DELETE CASCADE,
    kind        bytetext NOT NULL,
    qualifier   bytetext NOT NULL,   -- '' of the function itself
    document    TEXT NOT NULL,
    modified    BIGINT NOT NULL,
    sequence    BIGINT NOT NULL,
    PRIMARY KEY (partition, account, region, name, kind, qualifier)
);
CREATE INDEX function_records_function ON function_records (function_id);

CREATE TABLE layer_policies (
    partition   bytetext NOT NULL,
    account     bytetext NOT NULL,
    region      bytetext NOT NULL,
    name        bytetext NOT NULL,
    version     BIGINT NOT NULL,
    statements  TEXT NOT NULL,     -- JSON of []catalog.Statement
    revision_id bytetext NOT NULL,
    sequence    BIGINT NOT NULL,
    PRIMARY KEY (partition, account, region, name, version),
    FOREIGN KEY (partition, account, region, name, version)
        REFERENCES layer_versions (partition, account, region, name, version) ON DELETE CASCADE
);
