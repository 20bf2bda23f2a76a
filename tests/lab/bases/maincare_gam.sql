-- Administrative management: patients as numbers, their stays and movements. Made up by arithmetic; no name is in it.
CREATE SCHEMA gam;
CREATE TABLE gam.unit (code text PRIMARY KEY, beds integer NOT NULL CHECK (beds >= 0));
CREATE TABLE gam.patient (
  ipp text PRIMARY KEY CHECK (ipp ~ '^8[0-9]{8}$'),
  birth_year integer NOT NULL CHECK (birth_year BETWEEN 1900 AND 2022),
  identity text NOT NULL CHECK (identity IN ('validated', 'provisional'))
);
CREATE TABLE gam.stay (
  stay_id bigint PRIMARY KEY,
  ipp text NOT NULL REFERENCES gam.patient,
  unit text NOT NULL REFERENCES gam.unit,
  entered timestamptz NOT NULL,
  gone timestamptz,
  CHECK (gone IS NULL OR gone >= entered)
);
CREATE TABLE gam.movement (
  movement_id bigint PRIMARY KEY,
  stay_id bigint NOT NULL REFERENCES gam.stay,
  unit text NOT NULL REFERENCES gam.unit,
  at timestamptz NOT NULL
);
INSERT INTO gam.unit SELECT 'U' || lpad(n::text, 3, '0'), 10 + n % 20 FROM generate_series(1, 48) n;
INSERT INTO gam.patient
  SELECT '8' || lpad(n::text, 8, '0'), 1920 + (n * 37 + :seed) % 102, CASE WHEN n % 50 = 0 THEN 'provisional' ELSE 'validated' END
  FROM generate_series(1, :patients) n;
INSERT INTO gam.stay
  SELECT n, '8' || lpad((1 + (n * 13 + :seed) % :patients)::text, 8, '0'), 'U' || lpad((1 + n % 48)::text, 3, '0'),
         timestamptz '2022-01-01 08:00+00' + (n % 232) * interval '1 day' + (n % 600) * interval '1 minute',
         CASE WHEN n % 40 = 0 THEN NULL ELSE timestamptz '2022-01-01 08:00+00' + (n % 232 + n % 9) * interval '1 day' + interval '11 hours' END
  FROM generate_series(1, :patients * 2) n;
INSERT INTO gam.movement
  SELECT s.stay_id * 4 + m.n, s.stay_id, 'U' || lpad((1 + (s.stay_id + m.n) % 48)::text, 3, '0'), s.entered + m.n * interval '2 hours'
  FROM gam.stay s CROSS JOIN generate_series(0, 2) AS m(n);
