-- What was used of the cloud's allowance. `service` is the address of the server, as counts of one say
-- nothing about another. Monotonic times hold for one boot of the machine only, so the boot is kept with them.
CREATE TABLE calls (
    service TEXT NOT NULL,
    call    TEXT NOT NULL,     -- e.g. multi_search
    today   INTEGER NOT NULL,  -- calls in the window of `windows`
    total   INTEGER NOT NULL,  -- calls ever
    boot    TEXT NOT NULL,
    next_at REAL NOT NULL,     -- monotonic time from which the next call may be sent, seconds
    PRIMARY KEY (service, call)
) WITHOUT ROWID;

-- The cloud's day that `today` counts.
CREATE TABLE windows (
    service    TEXT PRIMARY KEY,
    boot       TEXT NOT NULL,
    started_s  REAL NOT NULL,  -- monotonic, seconds
    ends_s     REAL NOT NULL,  -- monotonic, seconds
    ends_at    TEXT NOT NULL,  -- the same by the wall clock, UTC
    offset_s   REAL NOT NULL   -- wall clock minus monotonic clock; a change means that the wall clock was set
) WITHOUT ROWID;
