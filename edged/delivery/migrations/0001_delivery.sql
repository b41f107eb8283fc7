-- Where each target stands in the journal. Records themselves are never copied here.
CREATE TABLE targets (
    name         TEXT PRIMARY KEY,
    configured   INTEGER NOT NULL,            -- 0: no longer in the configuration; its place is kept
    series       INTEGER NOT NULL DEFAULT 1,  -- how many journals this target has been fed from
    seq          INTEGER NOT NULL,            -- the last record that is dealt with
    at           TEXT,                        -- its time and kind, to notice that another journal is there
    event        TEXT,
    delivered    INTEGER NOT NULL DEFAULT 0,
    delivered_at TEXT,
    paused_at    TEXT,                        -- NULL: it runs
    paused_by    TEXT
) STRICT, WITHOUT ROWID;

-- Records that a target will not take: which, and why. The record stays in the journal.
CREATE TABLE dead_letters (
    letter_id INTEGER PRIMARY KEY AUTOINCREMENT,
    target    TEXT NOT NULL REFERENCES targets (name),
    series    INTEGER NOT NULL,
    seq       INTEGER NOT NULL,
    event     TEXT NOT NULL,
    code      TEXT NOT NULL,
    reason    TEXT NOT NULL,                  -- without the person's id and name
    attempts  INTEGER NOT NULL,
    at        TEXT NOT NULL,                  -- when it was last refused
    retry     INTEGER NOT NULL DEFAULT 0,     -- 1: to be tried again next
    UNIQUE (target, series, seq)
) STRICT;
