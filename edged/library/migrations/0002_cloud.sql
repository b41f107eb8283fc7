-- Consent, and what the face cloud holds or should hold of the people here.

-- Who agreed to what, and who took it back: rows are added, never changed; the newest row of a purpose counts.
CREATE TABLE consents (
    consent_id INTEGER PRIMARY KEY AUTOINCREMENT,
    person_id TEXT NOT NULL REFERENCES people ON DELETE CASCADE,
    purpose TEXT NOT NULL,          -- `cloud`: pictures may be sent to the face cloud
    given INTEGER NOT NULL CHECK (given IN (0, 1)),
    at TEXT NOT NULL,
    recorded_by TEXT NOT NULL,
    note TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX consents_by_person ON consents (person_id, purpose, consent_id);

CREATE TRIGGER consents_are_not_changed BEFORE UPDATE ON consents
BEGIN SELECT raise(ABORT, 'the ledger of consents is only added to'); END;

-- they go with the person, never alone
CREATE TRIGGER consents_are_not_deleted BEFORE DELETE ON consents
WHEN EXISTS (SELECT 1 FROM people WHERE person_id = OLD.person_id)
BEGIN SELECT raise(ABORT, 'the ledger of consents is only added to'); END;

-- What a person is called in the cloud: for ever, and for erased people until the cloud has erased them too.
CREATE TABLE cloud_ids (
    cloud_id TEXT PRIMARY KEY,
    person_id TEXT NOT NULL UNIQUE,
    erased_at TEXT                  -- NULL: the person is in the library
) STRICT, WITHOUT ROWID;

-- whether a server tells Anna from anna is not documented
CREATE UNIQUE INDEX cloud_ids_without_case ON cloud_ids (cloud_id COLLATE NOCASE);

-- Where a person is, or may be, in the cloud: written before anything is sent.
CREATE TABLE cloud_users (
    cloud_id TEXT NOT NULL REFERENCES cloud_ids,
    cloud_group TEXT NOT NULL,
    sent_at TEXT NOT NULL,          -- last change there
    PRIMARY KEY (cloud_id, cloud_group)
) STRICT, WITHOUT ROWID;

-- Which photograph became which face there: written after the answer.
CREATE TABLE cloud_faces (
    cloud_id TEXT NOT NULL,
    cloud_group TEXT NOT NULL,
    photo TEXT NOT NULL,
    face_token TEXT NOT NULL,
    PRIMARY KEY (cloud_id, cloud_group, photo),
    FOREIGN KEY (cloud_id, cloud_group) REFERENCES cloud_users ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- A group of the cloud is general or scene from its creation on, and the cloud cannot be asked which.
CREATE TABLE cloud_groups (
    cloud_group TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('general', 'scene'))
) STRICT, WITHOUT ROWID;

-- Whose state in the cloud has to be looked at; what it should be is computed when that happens.
CREATE TABLE cloud_queue (
    cloud_id TEXT PRIMARY KEY REFERENCES cloud_ids,
    version INTEGER NOT NULL,       -- revision of the library that queued it: a later change is another version
    queued_at TEXT NOT NULL,
    next_at TEXT NOT NULL,          -- not to be tried before
    attempts INTEGER NOT NULL DEFAULT 0,
    set_aside INTEGER NOT NULL DEFAULT 0 CHECK (set_aside IN (0, 1)),  -- 1: trying again would not help
    error_code TEXT NOT NULL DEFAULT '',
    error TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

CREATE INDEX cloud_queue_by_time ON cloud_queue (set_aside, next_at);

CREATE TABLE cloud_state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    last_success_at TEXT,           -- somebody was brought into line
    last_error_at TEXT,
    last_error_code TEXT NOT NULL DEFAULT '',
    last_error TEXT NOT NULL DEFAULT '',
    last_use_at TEXT,               -- last call that counts as use of the library in the cloud
    library TEXT NOT NULL DEFAULT ''  -- server, groups and kind everybody was last queued for
) STRICT;

INSERT INTO cloud_state (id) VALUES (1);
