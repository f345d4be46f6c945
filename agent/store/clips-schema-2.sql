-- SHA-256 of the sealed body, so that damage is found without any key. NULL: kept before this was recorded.
ALTER TABLE segment ADD COLUMN body_sha256 BLOB CHECK (body_sha256 IS NULL OR length(body_sha256) = 32);
