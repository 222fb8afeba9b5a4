-- Who may open a session of somebody else. `grantee_name` and `granted_by` are names as they were.

CREATE TABLE grants (
    id           TEXT PRIMARY KEY NOT NULL,
    session      TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    grantee      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    grantee_name TEXT NOT NULL,
    role         TEXT NOT NULL CHECK (role IN ('helper', 'observer')),
    granted_by   TEXT NOT NULL,
    created_at   TEXT NOT NULL,
    expires_at   TEXT
) STRICT;
CREATE UNIQUE INDEX grants_session_grantee ON grants (session, grantee);
CREATE INDEX grants_grantee ON grants (grantee);
CREATE INDEX grants_expires_at ON grants (expires_at) WHERE expires_at IS NOT NULL;
