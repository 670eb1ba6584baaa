-- A history as the program before version 2 of the message made it: its own statements, and what four messages left.
CREATE TABLE position (
    journal INTEGER NOT NULL, offset INTEGER NOT NULL, at REAL, checked_at REAL, entries INTEGER NOT NULL,
    fingerprint TEXT NOT NULL, clock REAL NOT NULL, next_id INTEGER NOT NULL, is_indexed INTEGER NOT NULL
);

CREATE TABLE gaps (id INTEGER PRIMARY KEY, sentence TEXT NOT NULL);

CREATE TABLE messages (
    id INTEGER PRIMARY KEY, message_id TEXT NOT NULL, lane TEXT NOT NULL, state TEXT NOT NULL,
    priority INTEGER NOT NULL, rank INTEGER GENERATED ALWAYS AS (min(priority, 10)) VIRTUAL,
    queued_at REAL, born_at REAL NOT NULL, entered_at REAL NOT NULL, entered_seq INTEGER NOT NULL, due_at REAL,
    generation INTEGER NOT NULL, attempt INTEGER NOT NULL, provider_id TEXT,
    failure_class TEXT, code TEXT, detail TEXT, sent_at REAL, changed_at REAL NOT NULL,
    copied_to TEXT, undo_id TEXT, presumed INTEGER NOT NULL, is_known INTEGER NOT NULL,
    cancelling INTEGER NOT NULL, failed_at REAL,
    failed_as TEXT,
    phone_number TEXT, source TEXT, idempotency_key TEXT, metadata TEXT, expires_at REAL, text TEXT
);
CREATE UNIQUE INDEX messages_by_id ON messages (message_id);
CREATE INDEX messages_by_copy ON messages (copied_to) WHERE copied_to IS NOT NULL;
CREATE INDEX messages_waiting ON messages (lane, rank DESC, entered_at, entered_seq) WHERE state = 'waiting';
CREATE INDEX messages_delayed ON messages (due_at, lane, state) WHERE state IN ('retrying', 'scheduled');
CREATE INDEX messages_pending ON messages (state, born_at, id, source, lane, idempotency_key, priority, due_at)
    WHERE state IN ('waiting', 'retrying', 'scheduled');
CREATE VIRTUAL TABLE words USING fts5 (
    text, content = 'messages', content_rowid = 'id', detail = none, tokenize = 'unicode61 remove_diacritics 2'
);

CREATE TABLE events (
    seq INTEGER PRIMARY KEY, message INTEGER, is_activity INTEGER NOT NULL, name TEXT NOT NULL, at REAL NOT NULL,
    body BLOB
);

CREATE TABLE dead (
    id INTEGER PRIMARY KEY, message INTEGER NOT NULL, generation INTEGER NOT NULL, is_live INTEGER NOT NULL,
    lane TEXT NOT NULL, priority INTEGER NOT NULL, source TEXT NOT NULL, died_at REAL NOT NULL,
    failure_class TEXT NOT NULL, code TEXT NOT NULL, detail TEXT NOT NULL, attempts INTEGER NOT NULL,
    phone_number TEXT NOT NULL, text TEXT NOT NULL, problem TEXT NOT NULL, note TEXT NOT NULL,
    body BLOB NOT NULL, headers TEXT NOT NULL
);
CREATE UNIQUE INDEX dead_by_message ON dead (message, generation);
CREATE INDEX dead_by_time ON dead (died_at) WHERE is_live;
CREATE INDEX dead_by_cause ON dead (failure_class, code, detail, died_at) WHERE is_live;
CREATE INDEX dead_by_code ON dead (code, died_at) WHERE is_live;
CREATE INDEX dead_by_lane ON dead (lane, died_at) WHERE is_live;
CREATE INDEX dead_by_source ON dead (source, died_at) WHERE is_live;
CREATE INDEX dead_by_number ON dead (phone_number, died_at) WHERE is_live;

CREATE TABLE tallies (
    lane TEXT NOT NULL, state TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (lane, state)
) WITHOUT ROWID;

CREATE TABLE minutes (
    minute INTEGER NOT NULL, lane TEXT NOT NULL, queued INTEGER NOT NULL, sent INTEGER NOT NULL,
    failed INTEGER NOT NULL, dead INTEGER NOT NULL, opened INTEGER NOT NULL, peak INTEGER NOT NULL,
    PRIMARY KEY (minute, lane)
) WITHOUT ROWID;

CREATE TABLE waits (
    minute INTEGER NOT NULL, lane TEXT NOT NULL, priority TEXT NOT NULL, count INTEGER NOT NULL,
    seconds REAL NOT NULL, bins BLOB NOT NULL, PRIMARY KEY (minute, lane, priority)
) WITHOUT ROWID;

CREATE TABLE quarter_waits (
    quarter INTEGER NOT NULL, lane TEXT NOT NULL, priority TEXT NOT NULL, count INTEGER NOT NULL,
    seconds REAL NOT NULL, bins BLOB NOT NULL, PRIMARY KEY (quarter, lane, priority)
) WITHOUT ROWID;

CREATE TABLE quarters (
    quarter INTEGER NOT NULL, lane TEXT NOT NULL, source TEXT NOT NULL, sent INTEGER NOT NULL,
    failed INTEGER NOT NULL, PRIMARY KEY (quarter, lane, source)
) WITHOUT ROWID;

CREATE TABLE causes (
    quarter INTEGER NOT NULL, lane TEXT NOT NULL, cause TEXT NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (quarter, lane, cause)
) WITHOUT ROWID;

CREATE TABLE removals (
    undo_id TEXT PRIMARY KEY, at REAL NOT NULL, actor TEXT NOT NULL, kind TEXT NOT NULL, lane TEXT NOT NULL,
    count INTEGER NOT NULL, has_ended INTEGER NOT NULL, undone_at REAL, undone_by TEXT
);
CREATE INDEX removals_by_time ON removals (at);

CREATE TABLE taken_out (
    undo_id TEXT NOT NULL, seq INTEGER NOT NULL, message INTEGER NOT NULL, generation INTEGER NOT NULL,
    queue TEXT NOT NULL, due_at REAL, kind TEXT NOT NULL, letter TEXT, is_restored INTEGER NOT NULL,
    PRIMARY KEY (undo_id, seq, message)
) WITHOUT ROWID;
CREATE INDEX taken_out_by_message ON taken_out (message);

CREATE TABLE jobs (
    job_id TEXT PRIMARY KEY, state TEXT NOT NULL, actor TEXT NOT NULL, started_at REAL NOT NULL,
    changed_at REAL NOT NULL, selected INTEGER NOT NULL, done INTEGER NOT NULL, refused INTEGER NOT NULL,
    unreadable INTEGER NOT NULL, failed_again INTEGER NOT NULL, detail TEXT NOT NULL, cancelling INTEGER NOT NULL,
    options TEXT NOT NULL
);
CREATE INDEX jobs_by_time ON jobs (started_at);
CREATE INDEX messages_by_time ON messages (born_at);
CREATE INDEX messages_by_state ON messages (state, born_at);
CREATE INDEX messages_by_source ON messages (source, born_at);
CREATE INDEX messages_by_lane ON messages (lane, born_at);
CREATE INDEX messages_by_number ON messages (phone_number, born_at);
CREATE INDEX messages_by_key ON messages (idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX messages_by_provider_id ON messages (provider_id) WHERE provider_id IS NOT NULL;
CREATE INDEX events_by_message ON events (message, seq) WHERE message IS NOT NULL;
CREATE INDEX events_of_activity ON events (seq) WHERE is_activity;
PRAGMA user_version = 2;

INSERT INTO position (journal, offset, at, checked_at, entries, fingerprint, clock, next_id, is_indexed)
    VALUES (0, 12, 1800000012.0, NULL, 13, 'e7af0413a5e1d4ad6bb76f8845b68903', 1800000012.0, 5, 1);
INSERT INTO messages (id, message_id, lane, state, priority, queued_at, born_at, entered_at, entered_seq, due_at, generation, attempt, provider_id, failure_class, code, detail, sent_at, changed_at, copied_to, undo_id, presumed, is_known, cancelling, failed_at, failed_as, phone_number, source, idempotency_key, metadata, expires_at, text)
    VALUES (1, 'm1', 'default', 'sent', 5, 1800000000.0, 1800000000.0, 1800000000.0, 0, NULL, 0, 1, 'p-m1', NULL, NULL, NULL, 1800000002.0, 1800000002.0, NULL, NULL, 0, 1, 0, NULL, NULL, '+6281234567890', 'test', 'invoice-17', '{"invoice": 17}', 1801389600.0, 'Halo Ani');
INSERT INTO messages (id, message_id, lane, state, priority, queued_at, born_at, entered_at, entered_seq, due_at, generation, attempt, provider_id, failure_class, code, detail, sent_at, changed_at, copied_to, undo_id, presumed, is_known, cancelling, failed_at, failed_as, phone_number, source, idempotency_key, metadata, expires_at, text)
    VALUES (2, 'm2', 'default', 'dead', 5, 1800000003.0, 1800000003.0, 1800000003.0, 3, NULL, 1, 3, NULL, 'rejected', 'not-on-whatsapp', 'the provider''s words', NULL, 1800000006.0, NULL, NULL, 0, 1, 0, 1800000006.0, 'rejected
not-on-whatsapp', '+6281234567890', 'test', NULL, NULL, NULL, 'Halo Budi');
INSERT INTO messages (id, message_id, lane, state, priority, queued_at, born_at, entered_at, entered_seq, due_at, generation, attempt, provider_id, failure_class, code, detail, sent_at, changed_at, copied_to, undo_id, presumed, is_known, cancelling, failed_at, failed_as, phone_number, source, idempotency_key, metadata, expires_at, text)
    VALUES (3, 'm3', 'default', 'waiting', 5, 1800000008.0, 1800000008.0, 1800000008.0, 8, NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, 1800000008.0, NULL, NULL, 0, 1, 0, NULL, NULL, '+6281234567890', 'test', NULL, NULL, NULL, 'Halo Citra');
INSERT INTO messages (id, message_id, lane, state, priority, queued_at, born_at, entered_at, entered_seq, due_at, generation, attempt, provider_id, failure_class, code, detail, sent_at, changed_at, copied_to, undo_id, presumed, is_known, cancelling, failed_at, failed_as, phone_number, source, idempotency_key, metadata, expires_at, text)
    VALUES (4, 'm4', 'default', 'cleared', 5, 1800000009.0, 1800000009.0, 1800000009.0, 9, NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, 1800000010.0, NULL, 'u1', 0, 1, 0, NULL, NULL, '+6281234567890', 'test', NULL, NULL, NULL, 'Halo Dewi');
INSERT INTO events (seq, message, is_activity, name, at, body)
    VALUES (0, 1, 0, 'message.queued', 1800000000.0, NULL);
INSERT INTO events (seq, message, is_activity, name, at, body)
    VALUES (1, 1, 0, 'outcome.sending', 1800000001.0, CAST('{"name":"outcome.sending","at":1800000001.0,"lane":"default","message_id":"m1","generation":0,"attempt":1,"source":"","details":{}}' AS BLOB));
INSERT INTO events (seq, message, is_activity, name, at, body)
    VALUES (2, 1, 0, 'outcome.sent', 1800000002.0, CAST('{"name":"outcome.sent","at":1800000002.0,"lane":"default","message_id":"m1","generation":0,"attempt":1,"source":"","details":{"provider_id":"p-m1"}}' AS BLOB));
INSERT INTO events (seq, message, is_activity, name, at, body)
    VALUES (3, 2, 0, 'message.queued', 1800000003.0, NULL);
INSERT INTO events (seq, message, is_activity, name, at, body)
    VALUES (4, 2, 0, 'outcome.sending', 1800000004.0, CAST('{"name":"outcome.sending","at":1800000004.0,"lane":"default","message_id":"m2","generation":0,"attempt":1,"source":"","details":{}}' AS BLOB));
INSERT INTO events (seq, message, is_activity, name, at, body)
    VALUES (5, 2, 0, 'outcome.failed', 1800000005.0, CAST('{"name":"outcome.failed","at":1800000005.0,"lane":"default","message_id":"m2","generation":0,"attempt":1,"source":"","details":{"failure_class":"rejected","code":"not-on-whatsapp","detail":"no such number"}}' AS BLOB));
INSERT INTO events (seq, message, is_activity, name, at, body)
    VALUES (6, 2, 0, 'message.buried', 1800000006.0, CAST('{"name":"message.buried","at":1800000006.0,"lane":"default","message_id":"m2","generation":1,"attempt":3,"source":"consumer","details":{"priority":5,"failure_class":"rejected","code":"not-on-whatsapp","detail":"the provider''s words"}}' AS BLOB));
INSERT INTO events (seq, message, is_activity, name, at, body)
    VALUES (7, 2, 0, 'outcome.dead', 1800000007.0, CAST('{"name":"outcome.dead","at":1800000007.0,"lane":"default","message_id":"m2","generation":0,"attempt":1,"source":"","details":{"reason":"rejected","failure_class":"rejected","code":"not-on-whatsapp","detail":"no such number"}}' AS BLOB));
INSERT INTO events (seq, message, is_activity, name, at, body)
    VALUES (8, 3, 0, 'message.queued', 1800000008.0, NULL);
INSERT INTO events (seq, message, is_activity, name, at, body)
    VALUES (9, 4, 0, 'message.queued', 1800000009.0, NULL);
INSERT INTO events (seq, message, is_activity, name, at, body)
    VALUES (10, 4, 0, 'outcome.cleared', 1800000010.0, CAST('{"name":"outcome.cleared","at":1800000010.0,"lane":"default","message_id":"m4","generation":0,"attempt":0,"source":"","details":{"undo_id":"u1","queue":"wa.default"}}' AS BLOB));
INSERT INTO events (seq, message, is_activity, name, at, body)
    VALUES (11, NULL, 1, 'lane.cleared', 1800000011.0, CAST('{"name":"lane.cleared","at":1800000011.0,"lane":"default","message_id":"","generation":0,"attempt":1,"source":"web:siti","details":{"undo_id":"u1","queued":1,"failed":0}}' AS BLOB));
INSERT INTO events (seq, message, is_activity, name, at, body)
    VALUES (12, NULL, 1, 'job.started', 1800000012.0, CAST('{"name":"job.started","at":1800000012.0,"lane":"default","message_id":"","generation":0,"attempt":1,"source":"web:siti","details":{"job_id":"j1","selected":2,"options":{"rate":5}}}' AS BLOB));
INSERT INTO dead (id, message, generation, is_live, lane, priority, source, died_at, failure_class, code, detail, attempts, phone_number, text, problem, note, body, headers)
    VALUES (6, 2, 1, 1, 'default', 5, 'test', 1800000006.0, 'rejected', 'not-on-whatsapp', 'the provider''s words', 3, '+6281234567890', 'Halo Budi', '', '', CAST('{"version":1,"phone_number":"+6281234567890","message":"Halo Budi","source":"test"}' AS BLOB), '{"antrian-attempt": 1, "antrian-queued-at": 1800000006000, "antrian-generation": 1, "antrian-failures": [{"attempt": 3, "at": 1800000006000, "class": "rejected", "code": "not-on-whatsapp", "detail": "the provider''s words"}]}');
INSERT INTO tallies (lane, state, count)
    VALUES ('default', 'cleared', 1);
INSERT INTO tallies (lane, state, count)
    VALUES ('default', 'dead', 1);
INSERT INTO tallies (lane, state, count)
    VALUES ('default', 'sent', 1);
INSERT INTO tallies (lane, state, count)
    VALUES ('default', 'waiting', 1);
INSERT INTO minutes (minute, lane, queued, sent, failed, dead, opened, peak)
    VALUES (30000000, 'default', 4, 1, 1, 1, 1, 2);
INSERT INTO waits (minute, lane, priority, count, seconds, bins)
    VALUES (30000000, 'default', 'normal', 1, 2.0, X'2001');
INSERT INTO quarter_waits (quarter, lane, priority, count, seconds, bins)
    VALUES (2000000, 'default', 'normal', 1, 2.0, X'2001');
INSERT INTO quarters (quarter, lane, source, sent, failed)
    VALUES (2000000, 'default', 'test', 1, 1);
INSERT INTO causes (quarter, lane, cause, count)
    VALUES (2000000, 'default', 'rejected
not-on-whatsapp', 1);
INSERT INTO removals (undo_id, at, actor, kind, lane, count, has_ended, undone_at, undone_by)
    VALUES ('u1', 1800000011.0, 'web:siti', 'clear', 'default', 1, 1, NULL, NULL);
INSERT INTO taken_out (undo_id, seq, message, generation, queue, due_at, kind, letter, is_restored)
    VALUES ('u1', 10, 4, 0, 'wa.default', NULL, 'clear', NULL, 0);
INSERT INTO jobs (job_id, state, actor, started_at, changed_at, selected, done, refused, unreadable, failed_again, detail, cancelling, options)
    VALUES ('j1', 'running', 'web:siti', 1800000012.0, 1800000012.0, 2, 0, 0, 0, 0, '', 0, '{"rate": 5}');
INSERT INTO words (words) VALUES ('rebuild');
