-- How far readers of events outside have come: one process at a time moves each.
CREATE TABLE reader (
  tenant TEXT   NOT NULL,
  name   TEXT   NOT NULL,
  seq    BIGINT NOT NULL,
  owner  TEXT   NOT NULL,
  lease  BIGINT NOT NULL,
  PRIMARY KEY (tenant, name)
);
CREATE INDEX delivery_due ON delivery (due) WHERE state = 'ready';
