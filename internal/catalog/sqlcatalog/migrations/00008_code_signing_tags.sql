-- +goose Up

ALTER TABLE code_signing_configs ADD COLUMN tags TEXT; -- JSON object of texts; NULL for none
