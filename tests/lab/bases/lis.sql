-- A laboratory as it is after a night's work, made up by arithmetic: requests, samples, results, and the journal of HL7
-- messages. No person is in it. The same rows for the same :samples and :seed. A stand-in: vendors' schemas are not public.
CREATE SCHEMA lab;
CREATE SCHEMA hl7;

CREATE TABLE lab.analysis (
  code text PRIMARY KEY,
  unit text NOT NULL
);
CREATE TABLE lab.request (
  request_no text PRIMARY KEY,
  ward text NOT NULL,
  asked_at timestamptz NOT NULL,
  control_id text UNIQUE
);
CREATE TABLE lab.sample (
  barcode text PRIMARY KEY CHECK (barcode ~ '^S[0-9]{9}$'),
  request_no text NOT NULL REFERENCES lab.request,
  taken_at timestamptz NOT NULL
);
CREATE TABLE lab.result (
  barcode text NOT NULL REFERENCES lab.sample,
  code text NOT NULL REFERENCES lab.analysis,
  value numeric(10, 3) NOT NULL,
  validated boolean NOT NULL,
  PRIMARY KEY (barcode, code)
);
-- One row for each message that passed, or shall: direction in or out; ack is MSA-1, null while there is none.
CREATE TABLE hl7.message (
  message_id bigserial PRIMARY KEY,
  direction text NOT NULL CHECK (direction IN ('in', 'out')),
  control_id text NOT NULL,
  type text NOT NULL,
  at timestamptz NOT NULL,
  ack text,
  body text NOT NULL
);
CREATE UNIQUE INDEX message_once ON hl7.message (direction, control_id) WHERE ack IS NULL OR ack = 'AA';

INSERT INTO lab.analysis VALUES ('NA', 'mmol/L'), ('K', 'mmol/L'), ('CRP', 'mg/L'), ('HB', 'g/dL'), ('GLU', 'mmol/L');
INSERT INTO lab.request
  SELECT 'R' || lpad(n::text, 8, '0'), 'W' || lpad((1 + n % 61)::text, 3, '0'),
         timestamptz '2022-08-20 06:00:00+00' + n * interval '20 seconds', 'OLD' || n
  FROM generate_series(1, :samples) n;
INSERT INTO lab.sample
  SELECT 'S' || lpad(((n::bigint * 7919 + :seed) % 1000000000)::text, 9, '0'), 'R' || lpad(n::text, 8, '0'),
         timestamptz '2022-08-20 06:30:00+00' + n * interval '20 seconds'
  FROM generate_series(1, :samples) n;
INSERT INTO lab.result
  SELECT s.barcode, a.code, round((50 + (hashtext(s.barcode || a.code) % 4000) / 100.0)::numeric, 3), true
  FROM lab.sample s CROSS JOIN lab.analysis a;
INSERT INTO hl7.message (direction, control_id, type, at, ack, body)
  SELECT 'in', 'OLD' || n, 'ORM^O01', timestamptz '2022-08-20 06:00:00+00' + n * interval '20 seconds', 'AA', ''
  FROM generate_series(1, :samples) n;
-- Results that were ready when the network was cut, and that nobody has been told.
INSERT INTO hl7.message (direction, control_id, type, at, ack, body)
  SELECT 'out', 'RES' || n, 'ORU^R01', timestamptz '2022-08-21 00:00:00+00' + n * interval '1 second', NULL,
         'OBR|1||R' || lpad(n::text, 8, '0') || '|NA'
  FROM generate_series(1, 5) n;
