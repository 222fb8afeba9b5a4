-- What this schema added, as that version wrote it. For tests alone.

INSERT INTO links VALUES
    ('88888888888848888888888888888888', x'0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a',
     '{"action":"access","client_id":"room 7"}', 1, 0, 'root', '2026-02-01T10:00:00.000000000Z',
     '2099-02-01T10:00:00.000000000Z');
