-- +goose Up

CREATE INDEX functions_reserved ON functions (partition, account, region) WHERE reserved IS NOT NULL;
