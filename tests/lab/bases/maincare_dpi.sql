-- The patient record: documents and prescriptions of GAM's patients and stays, by their numbers only. Made up by arithmetic.
CREATE SCHEMA dpi;
CREATE TABLE dpi.kind (code text PRIMARY KEY);
CREATE TABLE dpi.document (
  document_id bigint PRIMARY KEY,
  ipp text NOT NULL CHECK (ipp ~ '^8[0-9]{8}$'),
  stay_id bigint NOT NULL,
  kind text NOT NULL REFERENCES dpi.kind,
  written timestamptz NOT NULL,
  content bytea NOT NULL,
  sha256 bytea NOT NULL
);
CREATE TABLE dpi.prescription (
  prescription_id bigint PRIMARY KEY,
  document_id bigint NOT NULL REFERENCES dpi.document,
  drug_code text NOT NULL CHECK (drug_code ~ '^[0-9]{7}$'),
  dose numeric(8, 3) NOT NULL CHECK (dose > 0)
);
INSERT INTO dpi.kind VALUES ('letter'), ('report'), ('result'), ('prescription');
INSERT INTO dpi.document
  SELECT n, '8' || lpad((1 + (n * 13 + :seed) % :patients)::text, 8, '0'), n, (ARRAY['letter','report','result','prescription'])[1 + n % 4],
         timestamptz '2022-01-01 09:00+00' + (n % 232) * interval '1 day', c.content, sha256(c.content)
  FROM generate_series(1, :patients * 2) n
  CROSS JOIN LATERAL (SELECT decode(md5(n::text || :seed), 'hex') || decode(md5(:seed || n::text), 'hex') AS content) c;
INSERT INTO dpi.prescription
  SELECT d.document_id, d.document_id, lpad((d.document_id * 31 % 10000000)::text, 7, '0'), (1 + d.document_id % 500)::numeric / 4
  FROM dpi.document d WHERE d.kind = 'prescription';
