-- A form that people fill in about a complaint: a conversation, a verification, the
-- material asked for, a blind audit. Its body is sealed: it may name somebody.
CREATE TABLE sheet (
  tenant    TEXT   NOT NULL,
  kind      TEXT   NOT NULL,
  id        TEXT   NOT NULL,
  complaint TEXT   NOT NULL,
  subject   TEXT   NOT NULL,
  state     TEXT   NOT NULL,
  author    TEXT   NOT NULL,
  at        BIGINT NOT NULL,
  due       BIGINT NOT NULL,
  version   BIGINT NOT NULL,
  body      BYTEA  NOT NULL,
  PRIMARY KEY (tenant, kind, id)
);
CREATE INDEX sheet_complaint ON sheet (tenant, complaint, kind, id);
CREATE INDEX sheet_state ON sheet (tenant, kind, state, due, id);
CREATE INDEX sheet_subject ON sheet (tenant, subject);

-- A question sent to a customer over a known way, to be answered once.
CREATE TABLE confirmation (
  tenant  TEXT   NOT NULL,
  hash    BYTEA  NOT NULL,
  sheet   TEXT   NOT NULL,
  way     TEXT   NOT NULL,
  code    BYTEA  NOT NULL,
  made    BIGINT NOT NULL,
  expires BIGINT NOT NULL,
  tries   BIGINT NOT NULL,
  used    BIGINT NOT NULL,
  PRIMARY KEY (tenant, hash)
);
CREATE UNIQUE INDEX confirmation_hash ON confirmation (hash);
CREATE INDEX confirmation_sheet ON confirmation (tenant, sheet);

-- What the lender's records say of a complaint. Found is what is substantiated, without
-- the rows that show it; they stand in the body, which is sealed.
CREATE TABLE merit (
  tenant    TEXT   NOT NULL,
  complaint TEXT   NOT NULL,
  subject   TEXT   NOT NULL,
  at        BIGINT NOT NULL,
  found     TEXT   NOT NULL,
  body      BYTEA  NOT NULL,
  PRIMARY KEY (tenant, complaint)
);
CREATE INDEX merit_found ON merit (tenant, complaint) WHERE found <> '';
CREATE INDEX merit_subject ON merit (tenant, subject);

-- People of whom records were handed in that are not held against their complaints yet,
-- with how often that was.
CREATE TABLE fresh (
  tenant  TEXT   NOT NULL,
  subject TEXT   NOT NULL,
  n       BIGINT NOT NULL,
  PRIMARY KEY (tenant, subject)
);

-- What people found out about a complaint besides what it says itself, sealed: that
-- somebody needs care is nobody else's business.
CREATE TABLE known (
  tenant    TEXT   NOT NULL,
  complaint TEXT   NOT NULL,
  subject   TEXT   NOT NULL,
  at        BIGINT NOT NULL,
  body      BYTEA  NOT NULL,
  PRIMARY KEY (tenant, complaint)
);
CREATE INDEX known_subject ON known (tenant, subject);

-- A breach by the lender that many complain of at once.
CREATE TABLE incident (
  tenant TEXT   NOT NULL,
  id     TEXT   NOT NULL,
  rule   TEXT   NOT NULL,
  size   BIGINT NOT NULL,
  began  BIGINT NOT NULL,
  at     BIGINT NOT NULL,
  body   TEXT   NOT NULL,
  PRIMARY KEY (tenant, id)
);

-- Weights learned of decisions: at most one row is in force, and one in the shadow.
CREATE TABLE model (
  tenant  TEXT   NOT NULL,
  id      TEXT   NOT NULL,
  state   TEXT   NOT NULL,
  author  TEXT   NOT NULL,
  at      BIGINT NOT NULL,
  version BIGINT NOT NULL,
  body    TEXT   NOT NULL,
  PRIMARY KEY (tenant, id)
);

-- A kind of evidence that blind audits found too often wrong, and is left out.
CREATE TABLE detector (
  tenant TEXT    NOT NULL,
  name   TEXT    NOT NULL,
  off    BOOLEAN NOT NULL,
  at     BIGINT  NOT NULL,
  reason TEXT    NOT NULL,
  PRIMARY KEY (tenant, name)
);

-- What a key is for. Keys of credit, pricing, limits, collection, employment and
-- marketing see nothing that is suspected.
ALTER TABLE api_key ADD COLUMN purpose TEXT NOT NULL DEFAULT '';
