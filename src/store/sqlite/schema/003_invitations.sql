-- Links that let whoever has one into somebody else's session. Only the hash of a link's token is kept.
-- `made_by` and `name` are names as they were.

CREATE TABLE invitations (
    id         TEXT PRIMARY KEY NOT NULL,
    token      BLOB NOT NULL UNIQUE,
    session    TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    role       TEXT NOT NULL CHECK (role IN ('helper', 'observer')),
    most       INTEGER CHECK (most > 0),
    made_by    TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
) STRICT;
CREATE INDEX invitations_session ON invitations (session);
CREATE INDEX invitations_expires_at ON invitations (expires_at);

-- Who has come by an invitation, also when their grant was withdrawn since: nobody comes by the same one twice.
CREATE TABLE guests (
    invitation TEXT NOT NULL REFERENCES invitations (id) ON DELETE CASCADE,
    user       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    came_at    TEXT NOT NULL,
    PRIMARY KEY (invitation, user)
) STRICT, WITHOUT ROWID;
CREATE INDEX guests_user ON guests (user);

-- The invitation that a grant came of; withdrawing it ends the grant.
ALTER TABLE grants ADD COLUMN invitation TEXT REFERENCES invitations (id) ON DELETE CASCADE;
CREATE INDEX grants_invitation ON grants (invitation) WHERE invitation IS NOT NULL;
