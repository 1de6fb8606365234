-- Every table of a tenant begins with its id. Times are microseconds since 1970,
-- UTC, and 0 where there is none. Bodies of personal data are sealed.

CREATE TABLE meta (
  name  TEXT  NOT NULL PRIMARY KEY,
  value BYTEA NOT NULL
);

CREATE TABLE tenant (
  id      TEXT   NOT NULL PRIMARY KEY,
  name    TEXT   NOT NULL,
  created BIGINT NOT NULL,
  secret  BYTEA  NOT NULL
);

-- One row per tenant, locked by whoever changes something of the tenant.
CREATE TABLE head (
  tenant     TEXT   NOT NULL PRIMARY KEY REFERENCES tenant (id),
  entries    BIGINT NOT NULL,
  complaints BIGINT NOT NULL,
  events     BIGINT NOT NULL,
  edge       BYTEA  NOT NULL
);

CREATE TABLE entry (
  tenant TEXT   NOT NULL,
  id     BIGINT NOT NULL,
  data   BYTEA  NOT NULL,
  nodes  BYTEA  NOT NULL,
  PRIMARY KEY (tenant, id)
);

CREATE TABLE checkpoint (
  tenant TEXT   NOT NULL,
  size   BIGINT NOT NULL,
  at     BIGINT NOT NULL,
  text   BYTEA  NOT NULL,
  PRIMARY KEY (tenant, size)
);

-- A person whose data can be erased: without the key nothing of theirs opens.
CREATE TABLE subject (
  tenant  TEXT   NOT NULL,
  id      TEXT   NOT NULL,
  key     BYTEA,
  created BIGINT NOT NULL,
  erased  BIGINT NOT NULL,
  PRIMARY KEY (tenant, id)
);

CREATE TABLE complaint (
  tenant   TEXT   NOT NULL,
  id       TEXT   NOT NULL,
  seq      BIGINT NOT NULL,
  received BIGINT NOT NULL,
  stored   BIGINT NOT NULL,
  channel  TEXT   NOT NULL,
  subject  TEXT   NOT NULL,
  state    TEXT   NOT NULL,
  digest   BYTEA  NOT NULL,
  body     BYTEA  NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX complaint_seq ON complaint (tenant, seq);
CREATE INDEX complaint_subject ON complaint (tenant, subject);

CREATE TABLE trace (
  tenant    TEXT   NOT NULL,
  seq       BIGINT NOT NULL,
  complaint TEXT   NOT NULL,
  subject   TEXT   NOT NULL,
  body      BYTEA  NOT NULL,
  PRIMARY KEY (tenant, seq)
);

CREATE TABLE screening (
  tenant    TEXT   NOT NULL,
  complaint TEXT   NOT NULL,
  at        BIGINT NOT NULL,
  body      BYTEA  NOT NULL,
  PRIMARY KEY (tenant, complaint)
);

CREATE TABLE record (
  tenant  TEXT   NOT NULL,
  kind    TEXT   NOT NULL,
  id      TEXT   NOT NULL,
  subject TEXT   NOT NULL,
  at      BIGINT NOT NULL,
  stored  BIGINT NOT NULL,
  version BIGINT NOT NULL,
  digest  BYTEA  NOT NULL,
  body    BYTEA  NOT NULL,
  PRIMARY KEY (tenant, kind, id)
);
CREATE INDEX record_subject ON record (tenant, subject);

CREATE TABLE record_version (
  tenant  TEXT   NOT NULL,
  kind    TEXT   NOT NULL,
  id      TEXT   NOT NULL,
  version BIGINT NOT NULL,
  subject TEXT   NOT NULL,
  at      BIGINT NOT NULL,
  stored  BIGINT NOT NULL,
  digest  BYTEA  NOT NULL,
  body    BYTEA  NOT NULL,
  PRIMARY KEY (tenant, kind, id, version)
);
CREATE INDEX record_version_subject ON record_version (tenant, subject);

CREATE TABLE verdict (
  tenant    TEXT  NOT NULL,
  complaint TEXT  NOT NULL,
  level     TEXT  NOT NULL,
  route     TEXT  NOT NULL,
  ring      TEXT  NOT NULL,
  template  TEXT  NOT NULL,
  body      BYTEA NOT NULL,
  PRIMARY KEY (tenant, complaint)
);

CREATE TABLE template (
  tenant TEXT   NOT NULL,
  id     TEXT   NOT NULL,
  size   BIGINT NOT NULL,
  body   BYTEA  NOT NULL,
  PRIMARY KEY (tenant, id)
);

CREATE TABLE ring (
  tenant    TEXT    NOT NULL,
  id        TEXT    NOT NULL,
  state     TEXT    NOT NULL,
  level     TEXT    NOT NULL,
  size      BIGINT  NOT NULL,
  customers BIGINT  NOT NULL,
  found     BOOLEAN NOT NULL,
  created   BIGINT  NOT NULL,
  updated   BIGINT  NOT NULL,
  reason    TEXT    NOT NULL,
  body      BYTEA   NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE INDEX ring_state ON ring (tenant, state, id);

CREATE TABLE ring_member (
  tenant    TEXT NOT NULL,
  ring      TEXT NOT NULL,
  complaint TEXT NOT NULL,
  PRIMARY KEY (tenant, ring, complaint)
);
CREATE INDEX ring_member_complaint ON ring_member (tenant, complaint);

CREATE TABLE apart (
  tenant TEXT   NOT NULL,
  a      TEXT   NOT NULL,
  b      TEXT   NOT NULL,
  author TEXT   NOT NULL,
  at     BIGINT NOT NULL,
  reason TEXT   NOT NULL,
  PRIMARY KEY (tenant, a, b)
);

-- Place is kind:id of what the tag stands on, so that one list finds targets of
-- any kind.
CREATE TABLE tag (
  tenant      TEXT   NOT NULL,
  id          TEXT   NOT NULL,
  kind        TEXT   NOT NULL,
  place       TEXT   NOT NULL,
  reason      TEXT   NOT NULL,
  evidence    TEXT   NOT NULL,
  ring        TEXT   NOT NULL,
  author      TEXT   NOT NULL,
  created     BIGINT NOT NULL,
  expires     BIGINT NOT NULL,
  renewed     BIGINT NOT NULL,
  removed     BIGINT NOT NULL,
  removed_by  TEXT   NOT NULL,
  removed_why TEXT   NOT NULL,
  expired     BIGINT NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE INDEX tag_place ON tag (tenant, place) WHERE removed = 0;
CREATE INDEX tag_ring ON tag (tenant, ring) WHERE ring <> '';
CREATE INDEX tag_clock ON tag (expires) WHERE removed = 0 AND expired = 0;

CREATE TABLE job (
  id      TEXT   NOT NULL PRIMARY KEY,
  tenant  TEXT   NOT NULL,
  kind    TEXT   NOT NULL,
  arg     TEXT   NOT NULL,
  state   TEXT   NOT NULL,
  attempt BIGINT NOT NULL,
  due     BIGINT NOT NULL,
  owner   TEXT   NOT NULL,
  lease   BIGINT NOT NULL,
  error   TEXT   NOT NULL
);
CREATE UNIQUE INDEX job_ready_once ON job (tenant, kind, arg) WHERE state = 'ready';
CREATE INDEX job_ready ON job (due, id) WHERE state = 'ready';
CREATE INDEX job_leased_once ON job (tenant, kind, arg) WHERE state = 'leased';
CREATE INDEX job_leased ON job (lease) WHERE state = 'leased';
CREATE INDEX job_dead ON job (due, id) WHERE state = 'dead';

CREATE TABLE answer (
  tenant  TEXT   NOT NULL,
  actor   TEXT   NOT NULL,
  key     TEXT   NOT NULL,
  digest  BYTEA  NOT NULL,
  status  BIGINT NOT NULL,
  body    BYTEA  NOT NULL,
  expires BIGINT NOT NULL,
  PRIMARY KEY (tenant, actor, key)
);
CREATE INDEX answer_clock ON answer (expires) WHERE expires > 0;

CREATE TABLE api_key (
  tenant   TEXT   NOT NULL,
  id       TEXT   NOT NULL,
  name     TEXT   NOT NULL,
  hash     BYTEA  NOT NULL,
  scopes   TEXT   NOT NULL,
  rate     BIGINT NOT NULL,
  created  BIGINT NOT NULL,
  expires  BIGINT NOT NULL,
  revoked  BIGINT NOT NULL,
  replaces TEXT   NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX api_key_hash ON api_key (hash);

CREATE TABLE event (
  tenant TEXT   NOT NULL,
  seq    BIGINT NOT NULL,
  type   TEXT   NOT NULL,
  at     BIGINT NOT NULL,
  kind   TEXT   NOT NULL,
  target TEXT   NOT NULL,
  ring   TEXT   NOT NULL,
  other  TEXT   NOT NULL,
  level  TEXT   NOT NULL,
  count  BIGINT NOT NULL,
  reason TEXT   NOT NULL,
  PRIMARY KEY (tenant, seq)
);
CREATE INDEX event_target ON event (tenant, target, seq) WHERE kind = 'ring';
CREATE INDEX event_ring ON event (tenant, ring, seq) WHERE ring <> '';
CREATE INDEX event_other ON event (tenant, other, seq) WHERE other <> '';
