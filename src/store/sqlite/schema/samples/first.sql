-- What a store of schema 1 may hold: rows in every table that schema made. For tests alone; written
-- as that version wrote them and never changed since.

INSERT INTO users VALUES
    ('11111111111141118111111111111111', 'Ann', 'user', '$2b$12$abcdefghijklmnopqrstuv1234567890123456789012345678901',
     0, '2026-01-31T08:15:00.000000000Z', '2026-02-01T09:00:00.500000000Z'),
    ('22222222222242228222222222222222', 'root', 'admin', '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA',
     1, '2026-01-01T00:00:00.000000000Z', NULL);

INSERT INTO logins VALUES
    (x'0101010101010101010101010101010101010101010101010101010101010101', '11111111111141118111111111111111', NULL, NULL,
     'csrf-of-ann', '2026-02-01T09:00:00.500000000Z', '2099-02-01T21:00:00.500000000Z', '192.0.2.7', 'Mozilla/5.0 "ü"'),
    (x'0202020202020202020202020202020202020202020202020202020202020202', '11111111111141118111111111111111',
     x'0101010101010101010101010101010101010101010101010101010101010101', '33333333333343338333333333333333',
     'csrf-of-host', '2026-02-01T09:01:00.000000000Z', '2099-02-01T21:00:00.500000000Z', '192.0.2.7', '');

INSERT INTO tickets VALUES
    (x'0303030303030303030303030303030303030303030303030303030303030303',
     x'0101010101010101010101010101010101010101010101010101010101010101', '33333333333343338333333333333333',
     '2099-02-01T09:00:30.000000000Z');

INSERT INTO sessions VALUES
    ('33333333333343338333333333333333', 'abcdefghjk', '11111111111141118111111111111111', 'mine', 7,
     '2026-01-31T08:20:00.000000000Z',
     '{"id":"33333333-3333-4333-8333-333333333333","label":"abcdefghjk","owner":"11111111-1111-4111-8111-111111111111",'
     || '"owner_name":"Ann","template":"desktop","name":"mine","state":{"state":"ready","upstream":{"node":"local",'
     || '"container":"c0ffee","port":5900,"epoch":3}},"epoch":3,"version":7,"created_at":"2026-01-31T08:20:00Z",'
     || '"state_since":"2026-01-31T08:20:05Z","ready_at":"2026-01-31T08:20:05Z","last_input_at":null,'
     || '"last_input_source":null,"secret":"sesame22"}'),
    ('44444444444444448444444444444444', 'bcdefghjkm', '11111111111141118111111111111111', 'broken', 2,
     '2026-01-31T08:21:00.000000000Z',
     '{"id":"44444444-4444-4444-8444-444444444444","label":"bcdefghjkm","owner":"11111111-1111-4111-8111-111111111111",'
     || '"owner_name":"Ann","template":"desktop","name":"broken","state":{"state":"failed","reason":{"cause":'
     || '"image_missing","image":"berth/desktop"}},"epoch":1,"version":2,"created_at":"2026-01-31T08:21:00Z",'
     || '"state_since":"2026-01-31T08:21:01Z","ready_at":null,"last_input_at":null,"last_input_source":null,'
     || '"secret":"sesame23"}');

INSERT INTO audit VALUES
    (1, '{"v":1,"event":"gateway_started"}', '9bbac0f00edd67c6e45f2f39e7597b8af2bfe6eaebf39273214054d0dc257a6a'),
    (2, '{"v":1,"event":"login_ok","actor":"Ann"}', '39546d070b0c5eb92facaad6ab42cd3ae2b4f0e819638c69e8b0fdd7cb1b3a1e');
