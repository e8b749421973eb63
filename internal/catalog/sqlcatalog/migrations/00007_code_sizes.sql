-- +goose Up

-- The bytes of all zips of an account in a region, counted as records come and go: to add them up anew with each new one would
-- take the longer the more there are.
CREATE TABLE code_sizes (
    partition bytetext NOT NULL,
    account   bytetext NOT NULL,
    region    bytetext NOT NULL,
    size      BIGINT NOT NULL,
    PRIMARY KEY (partition, account, region)
);
INSERT INTO code_sizes (partition, account, region, size)
    SELECT partition, account, region, CAST(SUM(size) AS BIGINT) FROM (
        SELECT partition, account, region, size FROM layer_versions
        UNION ALL SELECT f.partition, f.account, f.region, r.size
            FROM functions f JOIN function_revisions r ON r.function_id = f.id AND r.number = f.latest
        UNION ALL SELECT v.partition, v.account, v.region, r.size
            FROM function_versions v JOIN function_revisions r ON r.function_id = v.function_id AND r.number = v.revision
    ) code GROUP BY partition, account, region;
