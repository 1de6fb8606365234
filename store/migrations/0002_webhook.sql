CREATE TABLE webhook (
  tenant   TEXT   NOT NULL,
  id       TEXT   NOT NULL,
  url      TEXT   NOT NULL,
  secret   BYTEA  NOT NULL,
  events   TEXT   NOT NULL,
  created  BIGINT NOT NULL,
  disabled BIGINT NOT NULL,
  PRIMARY KEY (tenant, id)
);

CREATE TABLE delivery (
  tenant  TEXT   NOT NULL,
  id      TEXT   NOT NULL,
  webhook TEXT   NOT NULL,
  event   BIGINT NOT NULL,
  state   TEXT   NOT NULL,
  attempt BIGINT NOT NULL,
  due     BIGINT NOT NULL,
  status  BIGINT NOT NULL,
  error   TEXT   NOT NULL,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, webhook) REFERENCES webhook (tenant, id) ON DELETE CASCADE
);
CREATE INDEX delivery_state ON delivery (tenant, state, id);
CREATE INDEX delivery_webhook ON delivery (tenant, webhook);
