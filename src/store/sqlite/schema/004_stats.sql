-- What machines and sessions used over time. `at` is where a slot begins, in seconds since 1970; `record` is its
-- values as little-endian 32-bit floats, in the order of the code that wrote them.

CREATE TABLE stats (
    subject TEXT NOT NULL,
    span    TEXT NOT NULL CHECK (span IN ('hour', 'day', 'month')),
    at      INTEGER NOT NULL,
    record  BLOB NOT NULL,
    PRIMARY KEY (subject, span, at)
) STRICT, WITHOUT ROWID;
CREATE INDEX stats_span_at ON stats (span, at);
