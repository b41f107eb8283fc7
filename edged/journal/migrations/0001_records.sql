-- One row per event, in the order of writing. `seq` is never used twice, so a missing number shows.
CREATE TABLE records (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    at          TEXT NOT NULL,  -- UTC, ISO 8601 with milliseconds: sorts as text
    event       TEXT NOT NULL,  -- e.g. access_decided
    passage_id  TEXT,
    door_id     TEXT,
    camera_id   TEXT,
    decision_id TEXT,
    person_id   TEXT,
    outcome     TEXT,           -- granted or denied, decisions only
    reason      TEXT,           -- the deciding reason code
    score       REAL,
    payload     TEXT NOT NULL   -- the whole event as JSON
);

CREATE INDEX records_by_at ON records (at);
CREATE INDEX records_by_passage ON records (passage_id) WHERE passage_id IS NOT NULL;
CREATE INDEX records_by_decision ON records (decision_id) WHERE decision_id IS NOT NULL;
CREATE INDEX records_by_person ON records (person_id, at) WHERE person_id IS NOT NULL;
CREATE INDEX decisions_by_door ON records (door_id, at) WHERE event = 'access_decided';
CREATE INDEX door_locks_by_door ON records (door_id, seq) WHERE event = 'door_locked';

-- A grant is spent once, so it is decided once.
CREATE UNIQUE INDEX one_decision_per_id ON records (decision_id) WHERE event = 'access_decided';

-- Grants whose outcome is not known yet: entered with the decision, removed with the outcome.
CREATE TABLE unfinished_grants (
    decision_id TEXT PRIMARY KEY,
    seq         INTEGER NOT NULL REFERENCES records (seq)
) WITHOUT ROWID;
