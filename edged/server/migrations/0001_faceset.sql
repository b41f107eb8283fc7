-- The library of one application: groups, users in groups, faces of users. Pictures are never stored.

CREATE TABLE groups (
    group_id TEXT PRIMARY KEY,
    scene TEXT NOT NULL,            -- '' for general groups, 'SEC' for those of the scene calls
    created_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- One user_id in two groups is one person with separate faces and information in each.
CREATE TABLE users (
    group_id TEXT NOT NULL REFERENCES groups ON DELETE CASCADE,
    user_id TEXT NOT NULL,
    user_info TEXT NOT NULL,
    PRIMARY KEY (group_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX users_by_id ON users (user_id);

-- AUTOINCREMENT: the order of registration, which decides between equal scores, survives a restart.
CREATE TABLE faces (
    face_id INTEGER PRIMARY KEY AUTOINCREMENT,
    group_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    face_token TEXT NOT NULL,
    template BLOB NOT NULL CHECK (length(template) = 512),  -- 128 x float32, little endian, length 1
    model_id TEXT NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (group_id, face_token),
    FOREIGN KEY (group_id, user_id) REFERENCES users ON DELETE CASCADE
) STRICT;

CREATE INDEX faces_by_user ON faces (group_id, user_id);
CREATE INDEX faces_by_token ON faces (face_token);

-- How often each paid call was made on a day (UTC+8); only the current day is kept.
CREATE TABLE usage (
    call TEXT PRIMARY KEY,
    day TEXT NOT NULL,
    calls INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
