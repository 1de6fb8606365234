-- People who work in the console. Names and logins are sealed; login and subject
-- hold keyed hashes, to find a person by.
CREATE TABLE person (
  tenant      TEXT    NOT NULL REFERENCES tenant (id),
  id          TEXT    NOT NULL,
  login       BYTEA   NOT NULL,
  subject     BYTEA,
  roles       TEXT    NOT NULL,
  created     BIGINT  NOT NULL,
  disabled    BIGINT  NOT NULL,
  must_change BOOLEAN NOT NULL,
  password    BYTEA   NOT NULL,
  body        BYTEA   NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX person_login ON person (login);
CREATE UNIQUE INDEX person_subject ON person (subject);

CREATE TABLE passkey (
  tenant     TEXT   NOT NULL,
  id         TEXT   NOT NULL,
  person     TEXT   NOT NULL,
  credential BYTEA  NOT NULL,
  created    BIGINT NOT NULL,
  used       BIGINT NOT NULL,
  body       BYTEA  NOT NULL,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, person) REFERENCES person (tenant, id)
);
CREATE UNIQUE INDEX passkey_credential ON passkey (credential);
CREATE INDEX passkey_person ON passkey (tenant, person);

-- Hash is the SHA-256 of the token; the token itself is kept nowhere.
CREATE TABLE session (
  tenant  TEXT   NOT NULL,
  hash    BYTEA  NOT NULL,
  person  TEXT   NOT NULL,
  how     TEXT   NOT NULL,
  started BIGINT NOT NULL,
  seen    BIGINT NOT NULL,
  recent  BIGINT NOT NULL,
  PRIMARY KEY (tenant, hash),
  FOREIGN KEY (tenant, person) REFERENCES person (tenant, id)
);
CREATE UNIQUE INDEX session_hash ON session (hash);
CREATE INDEX session_person ON session (tenant, person);

-- Passwords tried in a row without success: of a person, and of names that nobody
-- has, which must not be told from the others.
CREATE TABLE attempt (
  who      TEXT   NOT NULL PRIMARY KEY,
  failures BIGINT NOT NULL,
  locked   BIGINT NOT NULL,
  at       BIGINT NOT NULL
);
CREATE INDEX attempt_clock ON attempt (at);
