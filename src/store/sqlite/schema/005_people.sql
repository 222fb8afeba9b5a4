-- What is a user's own: a first password that is to be changed, limits in place of the
-- configuration's (JSON; NULL follows it), and how they read pages.

ALTER TABLE users ADD COLUMN must_change INTEGER NOT NULL DEFAULT 0 CHECK (must_change IN (0, 1));
ALTER TABLE users ADD COLUMN limits TEXT;
ALTER TABLE users ADD COLUMN language TEXT CHECK (language IN ('en', 'fr'));
ALTER TABLE users ADD COLUMN look TEXT CHECK (look IN ('light', 'dark'));
