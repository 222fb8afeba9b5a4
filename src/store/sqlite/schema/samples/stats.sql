-- What this schema added, as that version wrote it. For tests alone.

INSERT INTO stats VALUES ('sample', 'hour', 4102444800, x'0000803f');
