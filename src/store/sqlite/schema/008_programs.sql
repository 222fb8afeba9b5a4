-- Tokens of programs: the hash of each, never its text. `scopes` are names with spaces between them.

CREATE TABLE api_tokens (
    id           TEXT PRIMARY KEY NOT NULL,
    token        BLOB NOT NULL UNIQUE CHECK (length(token) = 32),
    name         TEXT NOT NULL,
    scopes       TEXT NOT NULL,
    user         TEXT REFERENCES users (id) ON DELETE CASCADE,
    created_by   TEXT NOT NULL,
    created_at   TEXT NOT NULL,
    expires_at   TEXT,
    last_used_at TEXT
) STRICT;
CREATE INDEX api_tokens_user ON api_tokens (user);

-- What was answered to requests that named an idempotency key. Neither the key nor the request is
-- kept, only hashes of them.

CREATE TABLE answers (
    key         BLOB PRIMARY KEY NOT NULL CHECK (length(key) = 32),
    request     BLOB NOT NULL CHECK (length(request) = 32),
    status      INTEGER NOT NULL,
    location    TEXT,
    body        TEXT NOT NULL,
    answered_at TEXT NOT NULL
) STRICT;
CREATE INDEX answers_answered_at ON answers (answered_at);
