-- What a kiosk orchestrator's scripts call a screen: any text, compared byte by byte.
ALTER TABLE sessions ADD COLUMN client TEXT;
CREATE UNIQUE INDEX sessions_client ON sessions (client) WHERE client IS NOT NULL;

-- Addresses that do one thing for whoever holds them. `action` is JSON; of the secret there is the hash alone.
CREATE TABLE links (
    id         TEXT PRIMARY KEY NOT NULL,
    token      BLOB NOT NULL CHECK (length(token) = 32),
    action     TEXT NOT NULL,
    uses       INTEGER NOT NULL CHECK (uses > 0),
    used       INTEGER NOT NULL CHECK (used BETWEEN 0 AND uses),
    created_by TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX links_token ON links (token);
CREATE INDEX links_expires_at ON links (expires_at);
