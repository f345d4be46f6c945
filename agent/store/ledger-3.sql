-- The owner's silence about an agency: nothing that it signs is shown, without disabling it.
ALTER TABLE agency ADD COLUMN muted INTEGER NOT NULL DEFAULT 0 CHECK (muted IN (0, 1));
-- Prompts a day that the owner allows it; NULL for the protocol's limit, which can only be tightened.
ALTER TABLE agency ADD COLUMN daily_limit INTEGER CHECK (daily_limit BETWEEN 0 AND 5);

-- Documents of an agency that a newer one replaced: a directory that still lists one is behind, not ahead.
CREATE TABLE agency_past (
  agency   TEXT NOT NULL,
  doc_hash TEXT NOT NULL CHECK (length(doc_hash) = 64),
  PRIMARY KEY (agency, doc_hash)
) STRICT;

-- One row for each request that came before the owner: caps by day and by case must outlive the request itself.
CREATE TABLE asked (
  id       INTEGER PRIMARY KEY,
  agency   TEXT NOT NULL,
  case_tag BLOB NOT NULL CHECK (length(case_tag) = 32),  -- keyed hash of the case number
  at_s     INTEGER NOT NULL
) STRICT;
INSERT INTO asked (agency, case_tag, at_s) SELECT agency, randomblob(32), accepted_at_s FROM request;

-- Which document each number of an agency named, for each kind of document (topic: rq, rv, nt, oc) by itself.
CREATE TABLE numbered (
  agency       TEXT NOT NULL,
  kind         TEXT NOT NULL CHECK (kind IN ('rq', 'rv', 'nt', 'oc')),
  seq          INTEGER NOT NULL,
  doc_hash     TEXT NOT NULL CHECK (length(doc_hash) = 64),
  envelope     BLOB NOT NULL,
  drop_after_s INTEGER NOT NULL,
  PRIMARY KEY (agency, kind, seq)
) STRICT;
INSERT INTO numbered SELECT agency, 'rq', seq, request_hash, envelope, drop_after_s FROM sequence;
DROP TABLE sequence;

-- Pages of directories as received: of the newest version, and of the newest complete one until that is complete.
CREATE TABLE directory_page (
  region       TEXT NOT NULL,
  root_id      TEXT NOT NULL,
  version      INTEGER NOT NULL CHECK (version >= 1),
  page         INTEGER NOT NULL CHECK (page >= 1),
  page_hash    TEXT NOT NULL CHECK (length(page_hash) = 64),
  envelope     BLOB NOT NULL,
  PRIMARY KEY (region, root_id, version, page)
) STRICT;

-- The newest complete directory of each root and region.
CREATE TABLE directory (
  region       TEXT NOT NULL,
  root_id      TEXT NOT NULL,
  version      INTEGER NOT NULL,
  expires_at_s INTEGER NOT NULL,          -- that of the page that ends first
  PRIMARY KEY (region, root_id)
) STRICT;
CREATE TABLE directory_entry (
  region   TEXT NOT NULL,
  root_id  TEXT NOT NULL,
  agency   TEXT NOT NULL,
  doc_hash TEXT NOT NULL CHECK (length(doc_hash) = 64),
  PRIMARY KEY (region, root_id, agency)
) STRICT;

-- Public alerts that are up.
CREATE TABLE notice (
  agency       TEXT NOT NULL,
  seq          INTEGER NOT NULL,
  envelope     BLOB NOT NULL,
  issued_at_s  INTEGER NOT NULL,
  expires_at_s INTEGER NOT NULL,
  PRIMARY KEY (agency, seq)
) STRICT;

-- What agencies reported, and what they still owe: one row for each verified request of the region, wherever it was
-- about, so that it tells nothing of this house.
CREATE TABLE duty (
  tag          BLOB PRIMARY KEY NOT NULL CHECK (length(tag) = 32),  -- keyed hash of agency and request
  agency       TEXT NOT NULL,
  due_s        INTEGER,                   -- NULL: the report came before the request, if that ever came
  seq          INTEGER,                   -- of the newest report; NULL: none yet
  status       TEXT CHECK (status IN ('open', 'closed')),
  uses         TEXT NOT NULL DEFAULT '',  -- of the report, with spaces between
  shares       TEXT,                      -- buckets of the report
  retained     TEXT,
  drop_after_s INTEGER NOT NULL
) STRICT;
CREATE INDEX duty_by_agency ON duty (agency);

-- Cooling-off that must still pass by a steady clock, whatever the wall clock does.
ALTER TABLE share ADD COLUMN cooling_left_ms INTEGER NOT NULL DEFAULT 0 CHECK (cooling_left_ms >= 0);
-- The account whose confirmation is needed, and since when it is there.
ALTER TABLE share ADD COLUMN second_approver TEXT;
ALTER TABLE share ADD COLUMN confirmed_at_s INTEGER;
-- After the key has arrived: what was promised, and what became of it.
ALTER TABLE share ADD COLUMN shared_at_s INTEGER;
ALTER TABLE share ADD COLUMN delete_due_s INTEGER;
ALTER TABLE share ADD COLUMN outcome_due_s INTEGER;
ALTER TABLE share ADD COLUMN outcome TEXT CHECK (outcome IN ('open', 'closed'));
ALTER TABLE share ADD COLUMN deleted_at_s INTEGER;

-- Deletion demands: signed, sealed to the agency, and lying in owner/demands/<demand_id>.
CREATE TABLE demand (
  demand_id    TEXT PRIMARY KEY NOT NULL CHECK (length(demand_id) = 32),
  share_id     TEXT NOT NULL REFERENCES share (share_id) ON DELETE CASCADE,
  ground       TEXT NOT NULL CHECK (ground IN ('retention_due', 'owner_request', 'terms_breach')),
  -- waiting: signed, not due. sending: in the outbox. sent, failed: over. dropped: not needed, because deletion was confirmed.
  state        TEXT NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'failed', 'dropped')),
  deadline_s   INTEGER NOT NULL
) STRICT;
