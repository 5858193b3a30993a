-- The table of SessionMysqlStore (kocha-session/mysql) under its default name; what its
-- createTable() runs. MariaDB 10.11.
CREATE TABLE IF NOT EXISTS `kocha_sessions` (
  id CHAR(22) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  data LONGTEXT NOT NULL,
  rev INT UNSIGNED NOT NULL,
  generation INT UNSIGNED NOT NULL,
  expires BIGINT NOT NULL,
  meta MEDIUMTEXT NOT NULL,
  subject MEDIUMBLOB,
  PRIMARY KEY (id),
  KEY expires (expires),
  KEY subject (subject(128)),
  CHECK (JSON_VALID(data))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
