-- Which root vouched for an agency first: no other may replace its document. NULL: kept before this was recorded.
ALTER TABLE agency ADD COLUMN root_id TEXT;
-- When this device first saw that the agency's recipient had changed; NULL while its first one stands.
ALTER TABLE agency ADD COLUMN recipient_seen_s INTEGER;
-- 1: an officer and an approver of the agency signed it. 0: anybody may have made it up.
ALTER TABLE waiting ADD COLUMN signed INTEGER NOT NULL DEFAULT 0 CHECK (signed IN (0, 1));
