-- clips.db of one camera. Only its recorder writes it. Everything about what was seen is inside sealed bytes; in the clear
-- stand random ids, sizes, the day, and whether the owner or a request keeps a clip.

CREATE TABLE clip (
  -- Order of opening; never used twice, so that "oldest" does not depend on a clock.
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  -- 32 hex digits, random: the name of the clip everywhere else.
  clip_id TEXT NOT NULL UNIQUE CHECK (length(clip_id) = 32 AND clip_id NOT GLOB '*[^0-9a-f]*'),
  -- UTC day on which the clip was opened, by the recorder's clock.
  day TEXT NOT NULL CHECK (day GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
  -- open: being written. closed: complete, with closing metadata. cut: the recorder ended before it could close it.
  state TEXT NOT NULL CHECK (state IN ('open', 'closed', 'cut')),
  -- 1 when the owner keeps the clip: never purged.
  pinned INTEGER NOT NULL DEFAULT 0 CHECK (pinned IN (0, 1)),
  -- Unix seconds until which a request keeps the clip from being purged; 0 for none.
  hold_until_s INTEGER NOT NULL DEFAULT 0 CHECK (hold_until_s >= 0),
  -- Sealed bytes of its segments, headers included; 0 while it is open.
  bytes INTEGER NOT NULL DEFAULT 0 CHECK (bytes >= 0)
) STRICT;

CREATE TABLE segment (
  -- Names the header and body rows.
  segment INTEGER PRIMARY KEY AUTOINCREMENT,
  -- The clip that it belongs to.
  clip INTEGER NOT NULL REFERENCES clip (seq) ON DELETE CASCADE,
  -- Track of the clip: 1 is video, 2 audio.
  track INTEGER NOT NULL CHECK (track BETWEEN 1 AND 8),
  -- Place within the track, from 0 without gaps.
  position INTEGER NOT NULL CHECK (position >= 0),
  -- Length of the sealed body.
  bytes INTEGER NOT NULL CHECK (bytes > 0),
  UNIQUE (clip, track, position)
) STRICT;

-- age header of a segment: small rows of their own, so that keys are re-wrapped, and destroyed, without touching bodies.
CREATE TABLE segment_header (
  segment INTEGER PRIMARY KEY REFERENCES segment (segment) ON DELETE CASCADE,
  -- age header text; with the body behind it one complete age file to {owner, recovery}.
  header BLOB NOT NULL CHECK (length(header) BETWEEN 1 AND 65536)
) STRICT;

CREATE TABLE segment_body (
  segment INTEGER PRIMARY KEY REFERENCES segment (segment) ON DELETE CASCADE,
  -- age payload; about 1 MB.
  body BLOB NOT NULL CHECK (length(body) > 0)
) STRICT;

CREATE TABLE meta (
  -- The clip described.
  clip INTEGER NOT NULL REFERENCES clip (seq) ON DELETE CASCADE,
  -- opening: sealed when the clip opens. closing: sealed when it closes; a cut clip has none.
  phase TEXT NOT NULL CHECK (phase IN ('opening', 'closing')),
  -- age payload of the JSON in protocol/clip-metadata.ts.
  body BLOB NOT NULL CHECK (length(body) BETWEEN 1 AND 2097152),
  PRIMARY KEY (clip, phase)
) STRICT;

CREATE TABLE meta_header (
  -- The clip and phase of the row in meta.
  clip INTEGER NOT NULL,
  phase TEXT NOT NULL,
  -- age header text of that metadata.
  header BLOB NOT NULL CHECK (length(header) BETWEEN 1 AND 65536),
  PRIMARY KEY (clip, phase),
  FOREIGN KEY (clip, phase) REFERENCES meta (clip, phase) ON DELETE CASCADE
) STRICT;
