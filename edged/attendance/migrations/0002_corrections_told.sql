-- Up to which row corrections are written into the journal, from where they are delivered.
ALTER TABLE caught_up ADD COLUMN corrections INTEGER NOT NULL DEFAULT 0;
