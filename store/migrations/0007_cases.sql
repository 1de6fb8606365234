-- A case: an investigation for the police and the regulator. Its body is sealed under a
-- subject of its own; a customer in it is named by a complaint alone.
CREATE TABLE case_file (
  tenant   TEXT    NOT NULL,
  id       TEXT    NOT NULL,
  number   BIGINT  NOT NULL,
  stage    TEXT    NOT NULL,
  outcome  TEXT    NOT NULL,
  assignee TEXT    NOT NULL,
  gang     BOOLEAN NOT NULL,
  hold     BOOLEAN NOT NULL,
  begun    BIGINT  NOT NULL,
  since    BIGINT  NOT NULL,
  due      BIGINT  NOT NULL,
  amounts  TEXT    NOT NULL,
  version  BIGINT  NOT NULL,
  body     BYTEA   NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX case_file_number ON case_file (tenant, number);
CREATE INDEX case_file_stage ON case_file (tenant, stage, number);

-- What a case is about.
CREATE TABLE case_link (
  tenant  TEXT NOT NULL,
  case_id TEXT NOT NULL,
  kind    TEXT NOT NULL,
  target  TEXT NOT NULL,
  PRIMARY KEY (tenant, case_id, kind, target)
);
CREATE INDEX case_link_target ON case_link (tenant, kind, target);

-- Whose data a case under legal hold needs: who stood in it once stays until the hold is
-- lifted, whatever is taken out of the case.
CREATE TABLE case_held (
  tenant  TEXT NOT NULL,
  case_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  PRIMARY KEY (tenant, case_id, subject)
);
CREATE INDEX case_held_subject ON case_held (tenant, subject);

-- The history of a case. What was said in a step is sealed.
CREATE TABLE case_step (
  tenant  TEXT   NOT NULL,
  case_id TEXT   NOT NULL,
  n       BIGINT NOT NULL,
  at      BIGINT NOT NULL,
  what    TEXT   NOT NULL,
  origin  TEXT   NOT NULL,
  stage   TEXT   NOT NULL,
  actor   TEXT   NOT NULL,
  outcome TEXT   NOT NULL,
  body    BYTEA  NOT NULL,
  PRIMARY KEY (tenant, case_id, n)
);
CREATE INDEX case_step_at ON case_step (tenant, at, case_id, n);

-- An item of evidence. Its digests are of the content; its address is where the sealed
-- content stands, '' once it was erased. The key of the content is in the sealed body.
CREATE TABLE item (
  tenant  TEXT   NOT NULL,
  id      TEXT   NOT NULL,
  case_id TEXT   NOT NULL,
  n       BIGINT NOT NULL,
  subject TEXT   NOT NULL,
  at      BIGINT NOT NULL,
  sha256  BYTEA  NOT NULL,
  sm3     BYTEA  NOT NULL,
  size    BIGINT NOT NULL,
  address TEXT   NOT NULL,
  custody BIGINT NOT NULL,
  body    BYTEA  NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX item_case ON item (tenant, case_id, n);
CREATE INDEX item_subject ON item (tenant, subject);
CREATE INDEX item_address ON item (address);

-- Which entries of the log are about an item: its custody.
CREATE TABLE custody (
  tenant TEXT   NOT NULL,
  item   TEXT   NOT NULL,
  n      BIGINT NOT NULL,
  entry  BIGINT NOT NULL,
  PRIMARY KEY (tenant, item, n)
);

-- A pack that was sealed: the digest of its manifest stands in an entry of the log, that
-- in a checkpoint, and that was stamped with the time by an authority that roots vouch for.
-- Facts is a digest of what was known then of everybody in it. What was written for it stands at
-- its address, so that the pack can be written again; the key of that is sealed under the
-- case. Both are emptied when somebody in it is erased.
CREATE TABLE seal (
  tenant     TEXT   NOT NULL,
  case_id    TEXT   NOT NULL,
  variant    TEXT   NOT NULL,
  n          BIGINT NOT NULL,
  at         BIGINT NOT NULL,
  entry      BIGINT NOT NULL,
  size       BIGINT NOT NULL,
  manifest   BYTEA  NOT NULL,
  checkpoint BYTEA  NOT NULL,
  token      BYTEA  NOT NULL,
  roots      BYTEA  NOT NULL,
  facts      BYTEA  NOT NULL,
  address    TEXT   NOT NULL,
  body       BYTEA  NOT NULL,
  PRIMARY KEY (tenant, case_id, variant, n)
);
CREATE INDEX seal_address ON seal (address);

-- Whose data stands in a sealed pack.
CREATE TABLE seal_subject (
  tenant  TEXT   NOT NULL,
  case_id TEXT   NOT NULL,
  variant TEXT   NOT NULL,
  n       BIGINT NOT NULL,
  subject TEXT   NOT NULL,
  PRIMARY KEY (tenant, case_id, variant, n, subject)
);
CREATE INDEX seal_subject_subject ON seal_subject (tenant, subject);

-- Time-stamps of checkpoints.
CREATE TABLE stamp (
  tenant TEXT   NOT NULL,
  size   BIGINT NOT NULL,
  at     BIGINT NOT NULL,
  token  BYTEA  NOT NULL,
  PRIMARY KEY (tenant, size)
);
