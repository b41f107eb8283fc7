-- When each record arrived, how good the clock was, a chain over the decisions, what was removed, pictures.

ALTER TABLE records ADD COLUMN received_at TEXT;  -- UTC; NULL: written before there was this column
ALTER TABLE records ADD COLUMN clock TEXT;        -- synchronised, holdover or unknown; NULL as above

-- One link per decision, and per record that explains what is missing. A link's hash covers the hash before it,
-- the record without its personal fields, and a salted hash of those. An erasure drops the salt.
CREATE TABLE chain (
    position INTEGER PRIMARY KEY,      -- 1, 2, 3 ... without a gap
    seq      INTEGER NOT NULL UNIQUE,  -- of the record; no reference, because a missing record has to show
    salt     BLOB,                     -- NULL: the personal fields were erased
    personal BLOB NOT NULL,            -- SHA-256 of salt and personal fields
    hash     BLOB NOT NULL             -- SHA-256 of the hash before, the seq, the content and `personal`
);

-- From where the chain is verified: the last link that retention removed.
CREATE TABLE anchor (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    position INTEGER NOT NULL,
    hash     BLOB NOT NULL
);
INSERT INTO anchor VALUES (1, 0, zeroblob(32));

-- How many records were removed on purpose: the numbers missing up to `until_seq` must add up to that.
CREATE TABLE removals (
    kind      TEXT PRIMARY KEY,        -- details, or expired: all records up to until_seq
    removed   INTEGER NOT NULL,
    until_seq INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO removals VALUES ('details', 0, 0), ('expired', 0, 0);

-- Numbers that are skipped after a backup was restored, so that none is given twice.
CREATE TABLE gaps (
    first_seq INTEGER PRIMARY KEY,
    last_seq  INTEGER NOT NULL,
    code      TEXT NOT NULL,
    at        TEXT NOT NULL
);

-- Pictures of passages, by the SHA-256 that names the file.
CREATE TABLE snapshots (
    decision_id TEXT PRIMARY KEY,
    hash        TEXT NOT NULL,
    passage_id  TEXT,
    bytes       INTEGER NOT NULL,
    at          TEXT NOT NULL          -- UTC, when it was written
) WITHOUT ROWID;
CREATE INDEX snapshots_by_hash ON snapshots (hash);
CREATE INDEX snapshots_by_at ON snapshots (at);

-- Single values: device_id; unchained_until while the decisions of an older schema are not in the chain yet.
CREATE TABLE facts (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO facts SELECT 'unchained_until', coalesce(max(seq), 0) FROM records;
