-- One row tells all of a segment but its body: storing a segment touches few pages
-- besides those of the body. Bodies stay where they are, so the rule that tied them to the old table is taken out of the
-- schema's text, as SQLite's documentation of ALTER TABLE describes for such rules.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, ' REFERENCES segment (segment) ON DELETE CASCADE', '')
 WHERE type = 'table' AND name = 'segment_body';
PRAGMA writable_schema = RESET;

CREATE TABLE segment_3 (
  -- The clip that it belongs to.
  clip INTEGER NOT NULL REFERENCES clip (seq) ON DELETE CASCADE,
  -- Track of the clip: 1 is video, 2 audio.
  track INTEGER NOT NULL CHECK (track BETWEEN 1 AND 8),
  -- Place within the track, from 0 without gaps.
  position INTEGER NOT NULL CHECK (position >= 0),
  -- Its row in segment_body, which goes in the same transaction as this one. Rows are added at the end of the table alone: there
  -- SQLite never moves others to make room, which could leave copies of their keys behind.
  segment INTEGER PRIMARY KEY,
  -- Length of the sealed body.
  bytes INTEGER NOT NULL CHECK (bytes > 0),
  -- SHA-256 of the sealed body, so that damage is found without any key. NULL: kept before this was recorded.
  body_sha256 BLOB CHECK (body_sha256 IS NULL OR length(body_sha256) = 32),
  -- age header text; with the body behind it one complete age file to {owner, recovery}. Keys are re-wrapped and destroyed
  -- here, without touching bodies. NULL or all zeros: destroyed, and the rest is about to go.
  header BLOB CHECK (header IS NULL OR length(header) BETWEEN 1 AND 65536),
  UNIQUE (clip, track, position)
) STRICT;

INSERT INTO segment_3
SELECT clip, track, position, segment, bytes, body_sha256, header FROM segment LEFT JOIN segment_header USING (segment) ORDER BY segment;
DROP TABLE segment_header;
DROP TABLE segment;
ALTER TABLE segment_3 RENAME TO segment;

-- 1 when the clock was known to be right as the clip was opened. 0: what day says may be any, and is no reason to delete it.
ALTER TABLE clip ADD COLUMN dated INTEGER NOT NULL DEFAULT 1 CHECK (dated IN (0, 1));
