-- Times are RFC 3339 in UTC with nine decimals, so that they sort as text.
-- Ids are 32 hex digits, tokens are SHA-256 hashes.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
    id            TEXT PRIMARY KEY NOT NULL,
    name          TEXT NOT NULL COLLATE NOCASE,
    role          TEXT NOT NULL CHECK (role IN ('admin', 'user')),
    password_hash TEXT NOT NULL,
    disabled      INTEGER NOT NULL CHECK (disabled IN (0, 1)),
    created_at    TEXT NOT NULL,
    last_login_at TEXT
) STRICT;
CREATE UNIQUE INDEX users_name ON users (name COLLATE NOCASE);

CREATE TABLE logins (
    token      BLOB PRIMARY KEY NOT NULL CHECK (length(token) = 32),
    user       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    parent     BLOB REFERENCES logins (token) ON DELETE CASCADE,
    session    TEXT,
    csrf       TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    address    TEXT NOT NULL,
    user_agent TEXT NOT NULL
) STRICT;
CREATE INDEX logins_user ON logins (user);
CREATE INDEX logins_parent ON logins (parent) WHERE parent IS NOT NULL;
CREATE INDEX logins_expires_at ON logins (expires_at);

CREATE TABLE tickets (
    token      BLOB PRIMARY KEY NOT NULL CHECK (length(token) = 32),
    login      BLOB NOT NULL REFERENCES logins (token) ON DELETE CASCADE,
    session    TEXT NOT NULL,
    expires_at TEXT NOT NULL
) STRICT;
CREATE INDEX tickets_login ON tickets (login);

-- `record` is the whole session as JSON; the other columns are copies for keys and order.
CREATE TABLE sessions (
    id         TEXT PRIMARY KEY NOT NULL,
    label      TEXT NOT NULL,
    owner      TEXT NOT NULL,
    name       TEXT NOT NULL,
    version    INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    record     TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX sessions_label ON sessions (label);
CREATE UNIQUE INDEX sessions_owner_name ON sessions (owner, name);

CREATE TABLE audit (
    number INTEGER PRIMARY KEY NOT NULL,
    body   TEXT NOT NULL,
    hash   TEXT NOT NULL
) STRICT;
