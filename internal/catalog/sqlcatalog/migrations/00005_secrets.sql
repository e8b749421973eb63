-- +goose Up

-- What all servers over one database have to know, and nobody else.
CREATE TABLE secrets (
    name  bytetext PRIMARY KEY,
    value TEXT NOT NULL     -- base64
);
