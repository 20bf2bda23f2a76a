-- A planning of staff time as large as HR-1's, made up by arithmetic: no name, no random number, the same rows for the same
-- :staff, :days and :seed. A stand-in: the vendor's own schema is not public.
CREATE SCHEMA planning;

CREATE TABLE planning.ward (
  ward_id integer PRIMARY KEY,
  code text NOT NULL UNIQUE,
  axis text NOT NULL CHECK (axis IN ('care', 'technical', 'administrative'))
);
CREATE TABLE planning.staff (
  staff_id integer PRIMARY KEY,
  matricule text NOT NULL UNIQUE CHECK (matricule ~ '^M[0-9]{6}$'),
  ward_id integer NOT NULL REFERENCES planning.ward,
  weekly_hours numeric(4, 2) NOT NULL CHECK (weekly_hours > 0)
);
CREATE TABLE planning.shift (
  code text PRIMARY KEY,
  hours numeric(4, 2) NOT NULL,
  starts time
);
CREATE TABLE planning.planning (
  planning_id bigint NOT NULL,
  staff_id integer NOT NULL,
  day date NOT NULL,
  shift_code text NOT NULL,
  hours numeric(4, 2) NOT NULL,
  validated boolean NOT NULL
);
CREATE TABLE planning.element (
  code text PRIMARY KEY,
  unit text NOT NULL
);
-- What pay is made of beside the fixed part (éléments variables de paie), one line for each day that brings one.
CREATE TABLE planning.evp_line (
  line_id bigint NOT NULL,
  staff_id integer NOT NULL,
  day date NOT NULL,
  element_code text NOT NULL,
  quantity numeric(6, 2) NOT NULL CHECK (quantity > 0)
);

INSERT INTO planning.ward
  SELECT n, 'W' || lpad(n::text, 3, '0'), (ARRAY['care', 'care', 'technical', 'administrative'])[1 + n % 4]
  FROM generate_series(1, 61) n;
INSERT INTO planning.staff
  SELECT n, 'M' || lpad(((n::bigint * 7919 + :seed) % 1000000)::text, 6, '0'), 1 + n % 61,
         (ARRAY[35.00, 35.00, 37.50, 28.00, 17.50])[1 + n % 5]
  FROM generate_series(1, :staff) n;
INSERT INTO planning.shift VALUES
  ('M', 7.50, '06:45'), ('S', 7.50, '13:45'), ('N', 9.75, '21:00'), ('J', 7.00, '09:00'), ('R', 0, NULL), ('A', 0, '18:00');
INSERT INTO planning.planning
  SELECT (s.staff_id - 1)::bigint * :days + d.n, s.staff_id, date '2022-01-01' + (d.n - 1), t.code, t.hours,
         d.n < :days - 7
  FROM planning.staff s
  CROSS JOIN generate_series(1, :days) AS d(n)
  JOIN LATERAL (
    SELECT (ARRAY['M','M','M','S','S','N','J','R','R','A'])[1 + (s.staff_id * 31 + d.n * 7 + s.staff_id * d.n + :seed) % 10] AS code
  ) c ON true
  JOIN planning.shift t ON t.code = c.code;
INSERT INTO planning.element VALUES ('NUIT', 'hour'), ('DIMF', 'hour'), ('ASTR', 'period'), ('HSUP', 'hour');
INSERT INTO planning.evp_line
  SELECT row_number() OVER (ORDER BY staff_id, day, element), staff_id, day, element, quantity
  FROM (
    SELECT staff_id, day, 'NUIT' AS element, 9.00 AS quantity FROM planning.planning WHERE shift_code = 'N'
    UNION ALL
    SELECT staff_id, day, 'DIMF', hours FROM planning.planning WHERE extract(isodow FROM day) = 7 AND hours > 0
    UNION ALL
    SELECT staff_id, day, 'ASTR', 1.00 FROM planning.planning WHERE shift_code = 'A'
    UNION ALL
    SELECT staff_id, day, 'HSUP', 0.25 FROM planning.planning WHERE shift_code = 'S' AND planning_id % 11 = 0
  ) lines;
-- Constraints last: each is checked once over all rows.
ALTER TABLE planning.planning
  ADD PRIMARY KEY (planning_id),
  ADD UNIQUE (staff_id, day),
  ADD FOREIGN KEY (staff_id) REFERENCES planning.staff,
  ADD FOREIGN KEY (shift_code) REFERENCES planning.shift;
ALTER TABLE planning.evp_line
  ADD PRIMARY KEY (line_id),
  ADD FOREIGN KEY (staff_id) REFERENCES planning.staff,
  ADD FOREIGN KEY (element_code) REFERENCES planning.element;
CREATE INDEX planning_by_day ON planning.planning (day);
CREATE INDEX evp_line_by_day ON planning.evp_line (day);
CREATE VIEW planning.evp_month AS
  SELECT to_char(day, 'YYYY-MM') AS month, staff_id, element_code, sum(quantity) AS quantity
  FROM planning.evp_line GROUP BY 1, 2, 3;
