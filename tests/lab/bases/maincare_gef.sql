-- Finance: suppliers, accounts, balanced entries. Made up by arithmetic.
CREATE SCHEMA gef;
CREATE TABLE gef.account (code text PRIMARY KEY CHECK (code ~ '^[1-7][0-9]{5}$'));
CREATE TABLE gef.supplier (supplier_id integer PRIMARY KEY, code text NOT NULL UNIQUE);
CREATE TABLE gef.entry (
  entry_id bigint PRIMARY KEY,
  day date NOT NULL,
  supplier_id integer NOT NULL REFERENCES gef.supplier,
  state text NOT NULL CHECK (state IN ('engaged', 'liquidated', 'mandated'))
);
CREATE TABLE gef.line (
  line_id bigint PRIMARY KEY,
  entry_id bigint NOT NULL REFERENCES gef.entry,
  account text NOT NULL REFERENCES gef.account,
  debit numeric(12, 2) NOT NULL DEFAULT 0,
  credit numeric(12, 2) NOT NULL DEFAULT 0,
  CHECK ((debit = 0) <> (credit = 0))
);
INSERT INTO gef.account SELECT (1 + n % 7)::text || lpad(n::text, 5, '0') FROM generate_series(1, 140) n;
INSERT INTO gef.supplier SELECT n, 'F' || lpad(n::text, 5, '0') FROM generate_series(1, 400) n;
INSERT INTO gef.entry
  SELECT n, date '2022-01-01' + (n % 232)::integer, 1 + (n * 7 + :seed) % 400, (ARRAY['mandated','mandated','liquidated','engaged'])[1 + n % 4]
  FROM generate_series(1, :patients) n;
INSERT INTO gef.line
  SELECT e.entry_id * 2 + side.n, e.entry_id, a.code,
         CASE side.n WHEN 0 THEN amount.value ELSE 0 END, CASE side.n WHEN 1 THEN amount.value ELSE 0 END
  FROM gef.entry e
  CROSS JOIN generate_series(0, 1) AS side(n)
  CROSS JOIN LATERAL (SELECT (1 + (e.entry_id * 7919 + :seed) % 9000000)::numeric / 100 AS value) amount
  CROSS JOIN LATERAL (SELECT (1 + k % 7)::text || lpad(k::text, 5, '0') AS code FROM (SELECT 1 + (e.entry_id + side.n * 50) % 140 AS k) x) a;
