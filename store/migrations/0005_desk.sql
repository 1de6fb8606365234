-- A complaint's own track: where it stands, and when the first of its clocks ends.
-- Nothing in it comes from what is suspected.
CREATE TABLE track (
  tenant    TEXT   NOT NULL,
  complaint TEXT   NOT NULL,
  seq       BIGINT NOT NULL,
  channel   TEXT   NOT NULL,
  region    TEXT   NOT NULL,
  pack      TEXT   NOT NULL,
  state     TEXT   NOT NULL,
  received  BIGINT NOT NULL,
  since     BIGINT NOT NULL,
  due       BIGINT NOT NULL,
  assignee  TEXT   NOT NULL,
  outcome   TEXT   NOT NULL,
  ended     BIGINT NOT NULL,
  late      BIGINT NOT NULL,
  version   BIGINT NOT NULL,
  body      BYTEA  NOT NULL,
  PRIMARY KEY (tenant, complaint)
);
CREATE INDEX track_due ON track (tenant, due, complaint) WHERE ended = 0;
CREATE INDEX track_state ON track (tenant, state, due, complaint) WHERE ended = 0;
CREATE INDEX track_channel ON track (tenant, channel, due, complaint) WHERE ended = 0;
CREATE INDEX track_mine ON track (tenant, assignee, due, complaint) WHERE ended = 0;
CREATE INDEX track_fresh ON track (tenant, seq) WHERE ended = 0 AND pack = '';
CREATE INDEX track_received ON track (tenant, received, complaint);

INSERT INTO track
SELECT tenant, id, seq, channel, '', '', CASE WHEN state = 'erased' THEN 'closed' ELSE 'received' END,
  CASE WHEN received = 0 THEN stored ELSE received END, stored, 0, '', '',
  CASE WHEN state = 'erased' THEN stored ELSE 0 END, CASE WHEN state = 'erased' THEN -1 ELSE 0 END, 1, substr(digest, 1, 0)
FROM complaint;

-- What people did with a complaint, sealed: reasons may name somebody.
CREATE TABLE track_step (
  tenant    TEXT   NOT NULL,
  complaint TEXT   NOT NULL,
  n         BIGINT NOT NULL,
  at        BIGINT NOT NULL,
  subject   TEXT   NOT NULL,
  body      BYTEA  NOT NULL,
  PRIMARY KEY (tenant, complaint, n)
);
CREATE INDEX track_step_subject ON track_step (tenant, subject);

-- How many complaints arrived, by day of the tenant's own zone.
CREATE TABLE tally (
  tenant  TEXT   NOT NULL,
  day     BIGINT NOT NULL,
  channel TEXT   NOT NULL,
  region  TEXT   NOT NULL,
  count   BIGINT NOT NULL,
  PRIMARY KEY (tenant, day, channel, region)
);

INSERT INTO tally
SELECT tenant, CASE WHEN received = 0 THEN stored ELSE received END / 86400000000, channel, '', count(*)
FROM complaint GROUP BY 1, 2, 3;

CREATE INDEX template_size ON template (tenant, size, id);
CREATE INDEX verdict_level ON verdict (tenant, level, complaint);
CREATE INDEX complaint_received ON complaint (tenant, received, seq);

-- Somebody says that what is held against a complaint is wrong.
CREATE TABLE appeal (
  tenant     TEXT   NOT NULL,
  id         TEXT   NOT NULL,
  complaint  TEXT   NOT NULL,
  ring       TEXT   NOT NULL,
  state      TEXT   NOT NULL,
  filed      BIGINT NOT NULL,
  filed_by   TEXT   NOT NULL,
  decided    BIGINT NOT NULL,
  decided_by TEXT   NOT NULL,
  subject    TEXT   NOT NULL,
  body       BYTEA  NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE INDEX appeal_complaint ON appeal (tenant, complaint);
CREATE INDEX appeal_state ON appeal (tenant, state, id);
CREATE INDEX appeal_subject ON appeal (tenant, subject);

-- Complaints whose appeal was upheld: nothing is held against them again.
CREATE TABLE exempt (
  tenant    TEXT   NOT NULL,
  complaint TEXT   NOT NULL,
  appeal    TEXT   NOT NULL,
  author    TEXT   NOT NULL,
  at        BIGINT NOT NULL,
  PRIMARY KEY (tenant, complaint)
);

-- Policies that people of the tenant write, test and put in force.
CREATE TABLE policy (
  tenant  TEXT   NOT NULL,
  id      TEXT   NOT NULL,
  name    TEXT   NOT NULL,
  state   TEXT   NOT NULL,
  author  TEXT   NOT NULL,
  created BIGINT NOT NULL,
  updated BIGINT NOT NULL,
  version BIGINT NOT NULL,
  text    TEXT   NOT NULL,
  body    BYTEA  NOT NULL,
  PRIMARY KEY (tenant, id)
);

-- Letters that anybody may copy, marked by people of the tenant.
CREATE TABLE public_letter (
  tenant TEXT   NOT NULL,
  id     TEXT   NOT NULL,
  name   TEXT   NOT NULL,
  author TEXT   NOT NULL,
  at     BIGINT NOT NULL,
  body   BYTEA  NOT NULL,
  PRIMARY KEY (tenant, id)
);

-- Files handed in through the console, in parts, until they are read.
CREATE TABLE import (
  tenant  TEXT   NOT NULL,
  id      TEXT   NOT NULL,
  author  TEXT   NOT NULL,
  at      BIGINT NOT NULL,
  state   TEXT   NOT NULL,
  size    BIGINT NOT NULL,
  done    BIGINT NOT NULL,
  stored  BIGINT NOT NULL,
  same    BIGINT NOT NULL,
  bad     BIGINT NOT NULL,
  version BIGINT NOT NULL,
  body    BYTEA  NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE TABLE upload (
  tenant TEXT   NOT NULL,
  import TEXT   NOT NULL,
  part   BIGINT NOT NULL,
  body   BYTEA  NOT NULL,
  PRIMARY KEY (tenant, import, part)
);

-- Rows that could not be read as complaints, until somebody mends them.
CREATE TABLE quarantine (
  tenant  TEXT   NOT NULL,
  id      TEXT   NOT NULL,
  import  TEXT   NOT NULL,
  line    BIGINT NOT NULL,
  at      BIGINT NOT NULL,
  state   TEXT   NOT NULL,
  field   TEXT   NOT NULL,
  problem TEXT   NOT NULL,
  subject TEXT   NOT NULL,
  body    BYTEA  NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE INDEX quarantine_state ON quarantine (tenant, state, id);
CREATE INDEX quarantine_subject ON quarantine (tenant, subject);

CREATE TABLE filter (
  tenant TEXT NOT NULL,
  person TEXT NOT NULL,
  name   TEXT NOT NULL,
  query  TEXT NOT NULL,
  PRIMARY KEY (tenant, person, name)
);

CREATE TABLE setting (
  tenant TEXT NOT NULL,
  name   TEXT NOT NULL,
  value  TEXT NOT NULL,
  PRIMARY KEY (tenant, name)
);
