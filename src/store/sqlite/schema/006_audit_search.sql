-- What the audit is searched by, read out of each line's own text, so that it cannot differ from it.
-- Times are cut to seconds, because lines have as many decimals as they need and text sorts by width.

ALTER TABLE audit ADD COLUMN at TEXT
    GENERATED ALWAYS AS (CASE WHEN json_valid(body) THEN substr(CAST(body ->> '$.at' AS TEXT), 1, 19) END) VIRTUAL;
ALTER TABLE audit ADD COLUMN event TEXT
    GENERATED ALWAYS AS (CASE WHEN json_valid(body) THEN CAST(body ->> '$.event' AS TEXT) END) VIRTUAL;
ALTER TABLE audit ADD COLUMN actor TEXT COLLATE NOCASE
    GENERATED ALWAYS AS (CASE WHEN json_valid(body) THEN CAST(body ->> '$.actor' AS TEXT) END) VIRTUAL;
ALTER TABLE audit ADD COLUMN target TEXT COLLATE NOCASE
    GENERATED ALWAYS AS (CASE WHEN json_valid(body) THEN CAST(body ->> '$.target' AS TEXT) END) VIRTUAL;
ALTER TABLE audit ADD COLUMN outcome TEXT
    GENERATED ALWAYS AS (CASE WHEN json_valid(body) THEN CAST(body ->> '$.outcome' AS TEXT) END) VIRTUAL;
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_event ON audit (event);
CREATE INDEX audit_actor ON audit (actor);
CREATE INDEX audit_target ON audit (target) WHERE target IS NOT NULL;
CREATE INDEX audit_outcome ON audit (outcome) WHERE outcome <> 'ok';
