-- The ledger of punches. Rows are only ever added; corrections are rows that point at another one.
CREATE TABLE punches (
    punch_id     INTEGER PRIMARY KEY AUTOINCREMENT,
    action       TEXT NOT NULL CHECK (action IN ('punch', 'add', 'void', 'change')),
    person_id    TEXT NOT NULL,
    person_name  TEXT NOT NULL,
    at           TEXT NOT NULL,  -- UTC, ISO 8601 with milliseconds: sorts as text
    zone         TEXT NOT NULL,  -- IANA name of the site's time zone then
    direction    TEXT NOT NULL CHECK (direction IN ('in', 'out')),
    direction_by TEXT NOT NULL,
    repeated     INTEGER NOT NULL CHECK (repeated IN (0, 1)),
    decision_id  TEXT UNIQUE,    -- a decision is one punch, however often it is replayed
    door_id      TEXT,
    camera_id    TEXT,
    corrects     INTEGER REFERENCES punches (punch_id),
    reason       TEXT NOT NULL,
    author       TEXT NOT NULL,
    recorded_at  TEXT NOT NULL,
    extra        TEXT NOT NULL CHECK (json_valid(extra)),
    CHECK ((action IN ('void', 'change')) = (corrects IS NOT NULL))
) STRICT;

CREATE INDEX punches_by_person ON punches (person_id, at);
CREATE INDEX punches_by_time ON punches (at);
CREATE INDEX punches_by_corrected ON punches (corrects) WHERE corrects IS NOT NULL;

-- 1 only inside the transaction that erases somebody's identity.
CREATE TABLE erasing (id INTEGER PRIMARY KEY CHECK (id = 1), now INTEGER NOT NULL) STRICT;
INSERT INTO erasing VALUES (1, 0);

CREATE TRIGGER punches_are_not_changed BEFORE UPDATE ON punches WHEN (SELECT now FROM erasing) = 0
BEGIN SELECT RAISE(ABORT, 'punches are not changed'); END;

CREATE TRIGGER punches_are_not_removed BEFORE DELETE ON punches
BEGIN SELECT RAISE(ABORT, 'punches are not removed'); END;

-- How far the journal has been looked through for grants without a punch; and whether attendance is wanted:
-- what is let in while it is not gets no punch later. A new ledger was not wanted before.
CREATE TABLE caught_up (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    seq    INTEGER NOT NULL,
    wanted INTEGER NOT NULL CHECK (wanted IN (0, 1))
) STRICT;
INSERT INTO caught_up VALUES (1, 0, 0);
