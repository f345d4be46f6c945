-- ledger.db: what the owner program remembers. Written by it alone. Times: *_s Unix seconds, *_ms Unix milliseconds.
CREATE TABLE setting (
  name  TEXT PRIMARY KEY NOT NULL,        -- 'clock_floor_s', 'replay_key'
  value TEXT NOT NULL
) STRICT;
INSERT INTO setting (name, value) VALUES ('replay_key', lower(hex(randomblob(32)))), ('clock_floor_s', '0');

CREATE TABLE agency (
  agency      TEXT PRIMARY KEY NOT NULL,  -- the id in topics and documents
  version     INTEGER NOT NULL CHECK (version >= 1),        -- only rises
  envelope    BLOB NOT NULL,              -- the root-signed document as received
  doc_hash    TEXT NOT NULL CHECK (length(doc_hash) = 64),
  enabled     INTEGER NOT NULL DEFAULT 0 CHECK (enabled IN (0, 1)),   -- by the owner alone
  suspended   INTEGER NOT NULL DEFAULT 0 CHECK (suspended IN (0, 1))  -- after equivocation
) STRICT;

-- Documents of agencies that no root vouches for yet, and requests of agencies that are unknown or not enabled or that came
-- before the clock was believed: kept as received, because the broker sends each only once.
CREATE TABLE waiting (
  envelope_hash TEXT PRIMARY KEY NOT NULL CHECK (length(envelope_hash) = 64),
  agency        TEXT NOT NULL,
  topic         TEXT NOT NULL,
  envelope      BLOB NOT NULL CHECK (length(envelope) <= 49152),
  received_at_s INTEGER NOT NULL
) STRICT;

CREATE TABLE request (
  request_hash    TEXT PRIMARY KEY NOT NULL CHECK (length(request_hash) = 64),
  request_id      TEXT NOT NULL CHECK (length(request_id) = 32),
  agency          TEXT NOT NULL,
  case_number     TEXT NOT NULL,
  envelope        BLOB NOT NULL,
  agency_envelope BLOB NOT NULL,          -- the document it was accepted under
  -- A decline, a review and a running seal never stand here: to the disk they are PENDING.
  state           TEXT NOT NULL CHECK (state IN ('PENDING', 'COOLING', 'BODY_UP', 'RELEASE', 'SHARED', 'WITHDRAWN', 'REVOKED', 'EXPIRED', 'FAILED')),
  note            BLOB NOT NULL CHECK (length(note) = 256),  -- sealed: decided or not
  warnings        TEXT NOT NULL,          -- JSON list of codes
  accepted_at_s   INTEGER NOT NULL,
  issued_at_s     INTEGER NOT NULL,
  expires_at_s    INTEGER NOT NULL,
  window_from_s   INTEGER NOT NULL,
  window_to_s     INTEGER NOT NULL
) STRICT;
CREATE INDEX request_by_id ON request (request_id);

CREATE TABLE share (
  share_id              TEXT PRIMARY KEY NOT NULL CHECK (length(share_id) = 32),
  request_hash          TEXT NOT NULL REFERENCES request (request_hash),
  body_bytes            INTEGER NOT NULL CHECK (body_bytes > 0),
  release_not_before_ms INTEGER NOT NULL,
  deadline_ms           INTEGER NOT NULL,
  grant_hash            TEXT NOT NULL CHECK (length(grant_hash) = 64)
) STRICT;
CREATE UNIQUE INDEX share_once ON share (request_hash);

CREATE TABLE replay (
  tag          BLOB PRIMARY KEY NOT NULL CHECK (length(tag) = 32),  -- keyed hash: says nothing about which request
  drop_after_s INTEGER NOT NULL
) STRICT;

-- One record of one size for each accepted request that ended without a share, whatever happened.
CREATE TABLE record (
  id     INTEGER PRIMARY KEY,
  sealed BLOB NOT NULL CHECK (length(sealed) = 256)
) STRICT;

-- Both envelopes of an agency that signed two requests under one sequence number.
CREATE TABLE evidence (
  id         INTEGER PRIMARY KEY,
  agency     TEXT NOT NULL,
  first      BLOB NOT NULL,
  second     BLOB NOT NULL,
  found_at_s INTEGER NOT NULL
) STRICT;

-- What an agency took back, also when it arrives before the request does.
CREATE TABLE revoked (
  agency TEXT NOT NULL,
  kind   TEXT NOT NULL CHECK (kind IN ('request', 'key')),
  target TEXT NOT NULL,                   -- request id or key id
  PRIMARY KEY (agency, kind, target)
) STRICT;

-- Which request each sequence number of an agency named.
CREATE TABLE sequence (
  agency       TEXT NOT NULL,
  seq          INTEGER NOT NULL,
  request_hash TEXT NOT NULL,
  envelope     BLOB NOT NULL,
  drop_after_s INTEGER NOT NULL,
  PRIMARY KEY (agency, seq)
) STRICT;

-- The ledger: each entry covers the one before. One entry of one size for each unlock session.
CREATE TABLE entry (
  seq       INTEGER PRIMARY KEY CHECK (seq >= 1),
  at_s      INTEGER NOT NULL,
  prev_hash BLOB NOT NULL CHECK (length(prev_hash) = 32),
  sealed    BLOB NOT NULL CHECK (length(sealed) = 4096),
  hash      BLOB NOT NULL CHECK (length(hash) = 32)         -- SHA-256(prev_hash ‖ at_s as u64 ‖ sealed)
) STRICT;
