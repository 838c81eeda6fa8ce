/**
 * The tables on PostgreSQL, and how an older database becomes a newer one. They stand in a schema of their own and
 * are always named with it, so that neither a search_path nor other tables of the same database matter.
 *
 * As on the embedded store, what is read with every claim and report is one narrow row per job, bodies lie apart, and
 * ready jobs stand on shelves in the order in which they are given out. What is different is the cost of an UPDATE:
 * PostgreSQL writes a new row, and a new entry into every index, unless no indexed column changes (HOT). So a job
 * changes its indexed columns only when it is claimed and when that claim ends:
 *
 * - `phase` stands in the index of listings instead of the stage: `held` for every stage that has a holder.
 * - `due_at` is when the row is to be looked at again, no later than `claimable_at`, which is when the job may be
 *   given out by itself. A renewal moves only the latter; whoever looks finds the time moved, and puts it off.
 *
 * Jobs that are at their end are in neither of the two small indexes, and events, runs and keys are only appended
 * to, so that a long history costs a claim nothing.
 */
import type { ClientBase } from 'pg';
import { UserError } from '../../platform/errors.ts';

type Migration = (schema: string) => string;

const MIGRATIONS: readonly Migration[] = [
  (schema) => `
  CREATE TABLE ${schema}.jobs (
    seq bigint PRIMARY KEY,
    product text NOT NULL,
    id text NOT NULL,
    stage text NOT NULL,
    phase text NOT NULL,
    epoch bigint NOT NULL,
    factory text,
    held boolean NOT NULL,
    lease_expires_at bigint,
    priority smallint NOT NULL,
    shelf integer NOT NULL,
    waits_for text NOT NULL,
    retries smallint NOT NULL,
    enqueued_at bigint NOT NULL,
    queued_at bigint NOT NULL,
    not_before bigint NOT NULL,
    attempts integer NOT NULL,
    failures integer NOT NULL,
    checkpoint text,
    last_write text,
    reason text,
    events integer NOT NULL,
    order_key bigint NOT NULL,
    ready boolean NOT NULL,
    claimable_at bigint,
    due_at bigint
  ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000);
  CREATE SEQUENCE ${schema}.arrivals OWNED BY ${schema}.jobs.seq;
  CREATE UNIQUE INDEX jobs_by_id ON ${schema}.jobs (product, id);
  CREATE INDEX jobs_by_phase ON ${schema}.jobs (product, phase, seq);
  CREATE INDEX jobs_ready ON ${schema}.jobs (shelf, order_key, seq) WHERE ready;
  CREATE INDEX jobs_due ON ${schema}.jobs (due_at) WHERE due_at IS NOT NULL;

  CREATE TABLE ${schema}.bodies (seq bigint PRIMARY KEY, body_md bytea NOT NULL);

  CREATE TABLE ${schema}.shelves (
    shelf integer PRIMARY KEY,
    product text NOT NULL,
    requires text NOT NULL
  );

  CREATE TABLE ${schema}.waits (
    product text NOT NULL,
    need text NOT NULL,
    seq bigint NOT NULL,
    PRIMARY KEY (product, need, seq)
  );

  CREATE TABLE ${schema}.declines (
    seq bigint NOT NULL,
    factory text NOT NULL,
    until bigint NOT NULL,
    PRIMARY KEY (seq, factory)
  );

  CREATE TABLE ${schema}.events (
    seq bigint NOT NULL,
    n integer NOT NULL,
    at bigint NOT NULL,
    kind text NOT NULL,
    epoch bigint NOT NULL,
    factory text,
    from_stage text,
    to_stage text,
    PRIMARY KEY (seq, n)
  ) WITH (autovacuum_vacuum_insert_scale_factor = 0.5);

  CREATE TABLE ${schema}.runs (
    seq bigint NOT NULL,
    epoch bigint NOT NULL,
    factory text NOT NULL,
    started_at bigint NOT NULL,
    ended_at bigint,
    stage text NOT NULL,
    ended_by text,
    PRIMARY KEY (seq, epoch)
  ) WITH (fillfactor = 70);

  CREATE TABLE ${schema}.factories (
    product text NOT NULL,
    factory text NOT NULL,
    capabilities text NOT NULL,
    health text NOT NULL,
    load double precision NOT NULL,
    first_seen_at bigint NOT NULL,
    last_seen_at bigint NOT NULL,
    PRIMARY KEY (product, factory)
  ) WITH (fillfactor = 50);

  CREATE TABLE ${schema}.tokens (
    hash text PRIMARY KEY,
    kind text NOT NULL,
    product text,
    factory text,
    created_at bigint NOT NULL,
    expires_at bigint,
    used_at bigint
  );
  CREATE INDEX tokens_of_factory ON ${schema}.tokens (product, factory) WHERE kind = 'factory';

  CREATE TABLE ${schema}.keys (
    scope text NOT NULL,
    key text NOT NULL,
    fingerprint text NOT NULL,
    job text,
    epoch bigint,
    at bigint NOT NULL,
    PRIMARY KEY (key, scope)
  );
  -- Keys come in the order of time, so a few numbers for every hundred pages tell which of them are old.
  CREATE INDEX keys_by_age ON ${schema}.keys USING brin (at) WITH (pages_per_range = 16);
  `,
];

/**
 * Several coordinators may start at once: one migrates, the others wait for it. With nothing to do, nothing is asked
 * for that a role without the right to create could not do.
 * @throws UserError `newer-database`: nothing in it was changed.
 */
export async function migrate(client: ClientBase, schema: string): Promise<void> {
  if ((await versionOf(client, schema)) === MIGRATIONS.length) return;
  await client.query('BEGIN ISOLATION LEVEL READ COMMITTED');
  try {
    await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`${schema} migrations`]);
    const version = await versionOf(client, schema);
    if (version > MIGRATIONS.length) throw newer();
    if (version === 0)
      await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema};
        CREATE TABLE IF NOT EXISTS ${schema}.migrations (version integer PRIMARY KEY, applied_at timestamptz NOT NULL)`);
    for (const [index, sql] of MIGRATIONS.entries()) {
      if (index < version) continue;
      await client.query(sql(schema));
      await client.query(`INSERT INTO ${schema}.migrations VALUES ($1, clock_timestamp())`, [index + 1]);
    }
    await client.query('COMMIT');
  } catch (error) {
    // A connection that is gone has rolled it back by itself.
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

async function versionOf(client: ClientBase, schema: string): Promise<number> {
  const table = `${schema}.migrations`;
  // Not to_regclass: it answers from a cache, which does not learn of what was made while this waited for the lock.
  const { rows } = await client.query<{ there: boolean }>(
    `SELECT EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relname = 'migrations') AS there`,
    [schema],
  );
  if (rows[0]?.there !== true) return 0;
  const found = await client.query<{ version: number | null }>(
    `SELECT max(version) AS version FROM ${table}`,
  );
  return found.rows[0]?.version ?? 0;
}

function newer(): UserError {
  return new UserError(
    'newer-database',
    'The coordinator’s database was written by a newer version of this program. Nothing in it was changed.',
    'Start the newer version, or name another database with --database.',
  );
}
