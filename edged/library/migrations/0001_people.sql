-- People, their groups and their faces.

CREATE TABLE people (
    person_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    name_folded TEXT NOT NULL,      -- for searching without regard to case
    valid_from TEXT,                -- UTC, inclusive; NULL: always
    valid_until TEXT,               -- UTC, exclusive; NULL: for ever
    active INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
    note TEXT NOT NULL DEFAULT '',
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX people_by_name ON people (name_folded, person_id);

CREATE TABLE groups (
    group_id TEXT PRIMARY KEY,
    name TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE membership (
    person_id TEXT NOT NULL REFERENCES people ON DELETE CASCADE,
    group_id TEXT NOT NULL REFERENCES groups ON DELETE CASCADE,
    PRIMARY KEY (person_id, group_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX membership_by_group ON membership (group_id, person_id);

-- A face never changes: another template is another face. AUTOINCREMENT: an id is never used twice, so
-- whoever follows the library only has to compare ids.
CREATE TABLE faces (
    face_id INTEGER PRIMARY KEY AUTOINCREMENT,
    person_id TEXT NOT NULL REFERENCES people ON DELETE CASCADE,
    photo TEXT NOT NULL,            -- file name in the folder of photographs: SHA-256 and suffix
    template BLOB NOT NULL CHECK (length(template) = 512),  -- 128 x float32, little endian, length 1
    model_id TEXT NOT NULL,
    measures TEXT NOT NULL CHECK (json_valid(measures)),    -- quality of the face: names and numbers
    created_at TEXT NOT NULL,
    UNIQUE (person_id, photo, model_id)
) STRICT;

CREATE INDEX faces_by_model ON faces (model_id);
CREATE INDEX faces_by_photo ON faces (photo);

-- Photographs to be erased: written with the deletion of the person, done after it, finished after a crash.
CREATE TABLE photo_erasures (
    photo TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- Counts the transactions that changed anything; other processes watch it.
CREATE TABLE revision (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    number INTEGER NOT NULL
) STRICT;

INSERT INTO revision (id, number) VALUES (1, 0);
