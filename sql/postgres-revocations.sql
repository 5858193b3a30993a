-- The table of postgresRevocations (kocha-session/postgres) under its default name; what its
-- createTable() runs. PostgreSQL 12 and later.
CREATE TABLE IF NOT EXISTS "kocha_revocations" (
  since bigint NOT NULL,
  until bigint NOT NULL,
  bound_before bigint NOT NULL,
  spared_before bigint NOT NULL,
  written_by bigint NOT NULL DEFAULT txid_current(),
  kind text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  spared text COLLATE "C",
  nonce text COLLATE "C",
  PRIMARY KEY (kind, id)
);
CREATE INDEX IF NOT EXISTS "kocha_revocations_written_by" ON "kocha_revocations" (written_by);
CREATE INDEX IF NOT EXISTS "kocha_revocations_until" ON "kocha_revocations" (until);
