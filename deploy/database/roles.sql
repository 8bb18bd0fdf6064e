-- Who may do what in the database. Run once by its owner, before the first `accelbench migrate`; the database is called
-- accelbench and is empty:
--
--   psql "$OWNER_URL" -v migrations_password=... -v app_password=... -f deploy/database/roles.sql
--
-- Two users, so that what runs all day does not own its tables: it can change no rule, take off no trigger, and results
-- stay as they were written. AWS renews the owner's password by itself, so that no part of ours may use it.
\set ON_ERROR_STOP on
BEGIN;

CREATE ROLE accelbench_migrations LOGIN PASSWORD :'migrations_password';
CREATE ROLE accelbench_app LOGIN PASSWORD :'app_password';

-- Default privileges are set for a role by those who are in it alone.
GRANT accelbench_migrations TO CURRENT_USER;

REVOKE ALL ON DATABASE accelbench FROM PUBLIC;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
-- CREATE: the queue has a schema of its own and two of PostgreSQL's trusted extensions.
GRANT CONNECT, CREATE, TEMPORARY ON DATABASE accelbench TO accelbench_migrations;
GRANT CREATE, USAGE ON SCHEMA public TO accelbench_migrations;
GRANT CONNECT ON DATABASE accelbench TO accelbench_app;
GRANT USAGE ON SCHEMA public TO accelbench_app;

-- Of what migrations will make.
ALTER DEFAULT PRIVILEGES FOR ROLE accelbench_migrations GRANT USAGE ON SCHEMAS TO accelbench_app;
ALTER DEFAULT PRIVILEGES FOR ROLE accelbench_migrations GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO accelbench_app;
ALTER DEFAULT PRIVILEGES FOR ROLE accelbench_migrations GRANT USAGE, SELECT ON SEQUENCES TO accelbench_app;

COMMIT;
