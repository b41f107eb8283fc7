-- A link covers when its record arrived and what the clock was worth, too. All links are made anew, from the anchor on.
DELETE FROM chain;
INSERT OR REPLACE INTO facts SELECT 'unchained_until', coalesce(max(seq), 0) FROM records;
