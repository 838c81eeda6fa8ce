/**
 * The statements that write, each for any number of rows, which it takes as one JSON text. Values are always bound.
 * Updates are also told the numbers of their rows, so that no plan can read more of a table than these.
 */
import type { Statement } from './reading.ts';

const CHANGING: Readonly<Record<string, string>> = {
  stage: 'text',
  phase: 'text',
  epoch: 'bigint',
  factory: 'text',
  held: 'boolean',
  lease_expires_at: 'bigint',
  waits_for: 'text',
  queued_at: 'bigint',
  not_before: 'bigint',
  attempts: 'integer',
  failures: 'integer',
  checkpoint: 'text',
  last_write: 'text',
  reason: 'text',
  events: 'integer',
  order_key: 'bigint',
  ready: 'boolean',
  claimable_at: 'bigint',
  due_at: 'bigint',
};

const FIXED: Readonly<Record<string, string>> = {
  seq: 'bigint',
  product: 'text',
  id: 'text',
  priority: 'smallint',
  retries: 'smallint',
  enqueued_at: 'bigint',
  shelf: 'integer',
};

export function writingStatements(schema: string) {
  const from = (columns: string) => `FROM json_to_recordset($1) AS u(${columns})`;
  const typed = (columns: Readonly<Record<string, string>>) =>
    Object.entries(columns)
      .map(([name, type]) => `${name} ${type}`)
      .join(', ');
  const all = Object.keys({ ...FIXED, ...CHANGING }).join(', ');
  const set = Object.keys(CHANGING).map((name) => `${name} = u.${name}`);
  const texts = {
    insertJobs: `INSERT INTO ${schema}.jobs (${all}) SELECT ${all} ${from(typed({ ...FIXED, ...CHANGING }))}`,
    updateJobs: `UPDATE ${schema}.jobs j SET ${set.join(', ')} ${from(`seq bigint, ${typed(CHANGING)}`)}
      WHERE j.seq = u.seq AND j.seq = ANY($2::bigint[])`,
    insertBodies: `INSERT INTO ${schema}.bodies (seq, body_md) SELECT seq, decode(body, 'base64')
      ${from('seq bigint, body text')}`,
    insertWaits: `INSERT INTO ${schema}.waits (product, need, seq) SELECT "productId", need, seq
      ${from('"productId" text, need text, seq bigint')}`,
    deleteWaits: `DELETE FROM ${schema}.waits w USING json_to_recordset($1) AS u("productId" text, need text, seq bigint)
      WHERE w.product = u."productId" AND w.need = u.need AND w.seq = u.seq`,
    saveDeclines: `INSERT INTO ${schema}.declines (seq, factory, until) SELECT seq, factory, until
      ${from('seq bigint, factory text, until bigint')}
      ON CONFLICT (seq, factory) DO UPDATE SET until = excluded.until`,
    deleteDeclines: `DELETE FROM ${schema}.declines d USING json_to_recordset($1) AS u(seq bigint) WHERE d.seq = u.seq`,
    insertEvents: `INSERT INTO ${schema}.events (seq, n, at, kind, epoch, factory, from_stage, to_stage)
      SELECT seq, n, at, kind, epoch, "factoryId", "from", "to" ${from(
        'seq bigint, n integer, at bigint, kind text, epoch bigint, "factoryId" text, "from" text, "to" text',
      )}`,
    insertRuns: `INSERT INTO ${schema}.runs (seq, epoch, factory, started_at, stage)
      SELECT seq, epoch, "factoryId", "startedAt", stage ${from(
        'seq bigint, epoch bigint, "factoryId" text, "startedAt" bigint, stage text',
      )}`,
    endRuns: `UPDATE ${schema}.runs r SET ended_at = $2, ended_by = u."end", stage = u.stage
      ${from('seq bigint, epoch bigint, "end" text, stage text')} WHERE r.seq = u.seq AND r.epoch = u.epoch
      AND r.seq = ANY($3::bigint[])`,
    saveFactories: `INSERT INTO ${schema}.factories
      (product, factory, capabilities, health, load, first_seen_at, last_seen_at)
      SELECT "productId", "factoryId", capabilities, health, load, "firstSeenAt", "lastSeenAt" ${from(
        '"productId" text, "factoryId" text, capabilities text, health text, load double precision, "firstSeenAt" bigint, "lastSeenAt" bigint',
      )}
      ON CONFLICT (product, factory) DO UPDATE SET capabilities = excluded.capabilities, health = excluded.health,
        load = excluded.load, last_seen_at = excluded.last_seen_at`,
    saveTokens: `INSERT INTO ${schema}.tokens (hash, kind, product, factory, created_at, expires_at, used_at)
      SELECT hash, kind, "productId", "factoryId", "createdAt", "expiresAt", "usedAt" ${from(
        'hash text, kind text, "productId" text, "factoryId" text, "createdAt" bigint, "expiresAt" bigint, "usedAt" bigint',
      )}
      ON CONFLICT (hash) DO UPDATE SET kind = excluded.kind, product = excluded.product, factory = excluded.factory,
        created_at = excluded.created_at, expires_at = excluded.expires_at, used_at = excluded.used_at`,
    deleteTokens: `DELETE FROM ${schema}.tokens t USING json_to_recordset($1) AS u("productId" text, "factoryId" text)
      WHERE t.kind = 'factory' AND t.product = u."productId" AND t.factory = u."factoryId"`,
    insertKeys: `INSERT INTO ${schema}.keys (scope, key, fingerprint, job, epoch, at)
      SELECT scope, key, fingerprint, "jobId", epoch, $2 ${from(
        'scope text, key text, fingerprint text, "jobId" text, epoch bigint',
      )}`,
    notify: 'SELECT pg_notify($1, $2)',
  };
  const named = Object.entries(texts).map(([name, text]) => [name, { name, text }]);
  return Object.fromEntries(named) as Readonly<Record<keyof typeof texts, Statement>>;
}

export type WritingStatements = ReturnType<typeof writingStatements>;
