-- The table of SessionPostgresStore (kocha-session/postgres) under its default name; what its
-- createTable() runs. PostgreSQL 12 and later.
CREATE TABLE IF NOT EXISTS "kocha_sessions" (
  expires bigint NOT NULL,
  rev integer NOT NULL,
  generation integer NOT NULL,
  expires_day integer GENERATED ALWAYS AS ((expires / 86400000)::integer) STORED,
  id text COLLATE "C" NOT NULL PRIMARY KEY,
  meta text NOT NULL,
  subject text COLLATE "C",
  data jsonb NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX IF NOT EXISTS "kocha_sessions_expires_day" ON "kocha_sessions" (expires_day);
CREATE INDEX IF NOT EXISTS "kocha_sessions_subject" ON "kocha_sessions" (subject) WHERE subject IS NOT NULL;
