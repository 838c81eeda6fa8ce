/**
 * The statements that fetch what is needed, one for each kind of need, prepared once per connection. Each takes all
 * needs of its kind as one JSON text and tells by `n` which row belongs to which. Values are always bound.
 */
import type { NeedKind } from './needs.ts';

export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** The database's clock in ms; a test puts its own in the place of `given`. */
function clock(given: string): string {
  return `coalesce(${given}::bigint, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint)`;
}

/** So many whose time has come are offered at once; the rest with the next group. */
const DUE_AT_ONCE = 1000;

export function readingStatements(schema: string) {
  const from = (columns: string) => `FROM json_to_recordset($1) AS u(n integer, ${columns})`;
  /** Rows of a table for each need. OFFSET 0 keeps the planner from turning it round, and reading all of a small table. */
  const each = (table: string, where: string, columns = '*') =>
    `CROSS JOIN LATERAL (SELECT ${columns} FROM ${schema}.${table} t WHERE ${where} OFFSET 0)`;
  const notDeclined = (factory: string) => `NOT EXISTS (SELECT 1 FROM ${schema}.declines d
    WHERE d.seq = q.seq AND d.factory = ${factory} AND d.until > ${clock('$2')})`;
  const texts = {
    /** In the order of their numbers, whoever asks: two groups never each wait for the other. */
    lock: `SELECT j.* FROM ${schema}.jobs j WHERE j.seq = ANY(ARRAY(
        SELECT k.seq FROM json_to_recordset($1) AS u("productId" text, id text)
          ${each('jobs', 't.product = u."productId" AND t.id = u.id', 'seq')} k
        UNION SELECT w.seq FROM json_to_recordset($2) AS u("productId" text, id text)
          ${each('waits', 't.product = u."productId" AND t.need = u.id', 'seq')} w
        UNION SELECT h.seq FROM ${schema}.jobs h WHERE $3 AND h.phase = 'held'))
      ORDER BY j.seq FOR UPDATE`,
    enrolment: `SELECT pg_advisory_xact_lock(hashtextextended('${schema} enrolment', 0))`,
    /**
     * What the time is, whose time has come, and which shelves are new. After the locks: who has waited for one must
     * not write an earlier time than who held it. A row that somebody has locked is offered by him, or next time.
     */
    look: `WITH clock AS MATERIALIZED (SELECT ${clock('$1')} AS now),
      due AS MATERIALIZED (SELECT seq FROM ${schema}.jobs WHERE due_at <= (SELECT now FROM clock)
        ORDER BY due_at LIMIT ${DUE_AT_ONCE} FOR UPDATE SKIP LOCKED),
      marked AS (UPDATE ${schema}.jobs j SET ready = coalesce(j.claimable_at <= clock.now, false),
          due_at = CASE WHEN j.claimable_at > clock.now THEN j.claimable_at END
        FROM due, clock WHERE j.seq = due.seq RETURNING j.seq, j.shelf, j.ready, j.due_at)
      SELECT now, (SELECT json_agg(marked) FROM marked) AS marked,
        (SELECT json_agg(s ORDER BY s.shelf) FROM ${schema}.shelves s WHERE s.shelf > $2) AS shelves FROM clock`,
    candidates: `SELECT u.n, c.*, b.body_md,
        (SELECT json_agg(d) FROM ${schema}.declines d WHERE d.seq = c.seq) AS declines
      ${from('shelves integer[], "factoryId" text, most integer, "window" integer')}
      CROSS JOIN LATERAL (
        SELECT j.* FROM (
          SELECT r.seq FROM unnest(u.shelves) AS s(shelf) CROSS JOIN LATERAL (
            SELECT q.seq, q.order_key FROM ${schema}.jobs q WHERE q.shelf = s.shelf AND q.ready
              AND (u."factoryId" IS NULL OR ${notDeclined('u."factoryId"')})
            ORDER BY q.order_key, q.seq LIMIT u."window") r
          ORDER BY r.order_key, r.seq LIMIT u."window") w
        JOIN ${schema}.jobs j ON j.seq = w.seq AND j.ready
        ORDER BY j.order_key, j.seq LIMIT u.most FOR UPDATE OF j SKIP LOCKED) c
      ${each('bodies', 't.seq = c.seq')} b ORDER BY u.n, c.order_key, c.seq`,
    others: `SELECT u.n ${from('shelves integer[], "factoryId" text, known bigint[]')}
      WHERE EXISTS (SELECT 1 FROM unnest(u.shelves) AS s(shelf) CROSS JOIN LATERAL (
        SELECT 1 FROM ${schema}.jobs q WHERE q.shelf = s.shelf AND q.ready AND q.seq <> ALL(u.known)
          AND ${notDeclined('u."factoryId"')} ORDER BY q.order_key, q.seq LIMIT 1) r)
        OR EXISTS (SELECT 1 FROM ${schema}.jobs q WHERE q.due_at <= ${clock('$2')} AND q.claimable_at <= ${clock('$2')}
          AND q.shelf = ANY(u.shelves) AND q.seq <> ALL(u.known) AND ${notDeclined('u."factoryId"')})`,
    count: `SELECT u.n, (SELECT count(*) FROM (
        SELECT 1 FROM unnest(u.shelves) AS s(shelf) CROSS JOIN LATERAL (
          SELECT 1 FROM ${schema}.jobs q WHERE q.shelf = s.shelf AND q.ready AND ${notDeclined('u."factoryId"')}
            AND (u."orderKey" IS NULL OR (q.order_key, q.seq) < (u."orderKey", u.seq))
          ORDER BY q.order_key, q.seq LIMIT u.most) r LIMIT u.most) c) AS count
      ${from('shelves integer[], "factoryId" text, most integer, "orderKey" bigint, seq bigint')}`,
    numbers: `SELECT u.n, nextval('${schema}.arrivals') AS seq ${from('count integer')}, generate_series(1, u.count)`,
    waiting: `SELECT u.n, w.seq ${from('"productId" text, id text')}
      ${each('waits', 't.product = u."productId" AND t.need = u.id', 'seq')} w`,
    appeared: `SELECT 1 FROM json_to_recordset($1) AS u("productId" text, need text)
      ${each('jobs', 't.product = u."productId" AND t.id = u.need', 'seq')} j`,
    body: `SELECT u.n, b.body_md ${from('seq bigint')} ${each('bodies', 't.seq = u.seq')} b`,
    declines: `SELECT u.n, d.factory, d.until ${from('seq bigint')} ${each('declines', 't.seq = u.seq')} d`,
    events: `SELECT u.n AS need, e.* ${from('seq bigint, after bigint, "limit" integer')} CROSS JOIN LATERAL (
        SELECT * FROM ${schema}.events e WHERE e.seq = u.seq AND e.n > u.after ORDER BY e.n LIMIT u."limit") e
      ORDER BY u.n, e.n`,
    runs: `SELECT u.n, r.* ${from('seq bigint')} ${each('runs', 't.seq = u.seq')} r ORDER BY u.n, r.epoch`,
    list: `SELECT u.n, j.* ${from('"productId" text, phases text[], stage text, "limit" integer, before bigint')}
      CROSS JOIN LATERAL (
        SELECT p.* FROM unnest(u.phases) AS s(phase) CROSS JOIN LATERAL (
          SELECT * FROM ${schema}.jobs q WHERE q.product = u."productId" AND q.phase = s.phase AND q.seq < u.before
            AND (u.stage IS NULL OR q.stage = u.stage) ORDER BY q.seq DESC LIMIT u."limit") p
        ORDER BY p.seq DESC LIMIT u."limit") j
      ORDER BY u.n, j.seq DESC`,
    key: `SELECT u.n, k.* ${from('scope text, key text')} ${each('keys', 't.key = u.key AND t.scope = u.scope')} k`,
    token: `SELECT u.n, t.* ${from('hash text')} ${each('tokens', 't.hash = u.hash')} t`,
    enrolled: `SELECT u.n ${from('"productId" text, "factoryId" text')} WHERE EXISTS (
        SELECT 1 FROM ${schema}.tokens t
        WHERE t.kind = 'factory' AND t.product = u."productId" AND t.factory = u."factoryId")`,
    factory: `SELECT u.n, f.* ${from('"productId" text, "factoryId" text')}
      ${each('factories', 't.product = u."productId" AND t.factory = u."factoryId"')} f`,
    factories: `SELECT u.n, f.* ${from('"productId" text, "limit" integer')}
      CROSS JOIN LATERAL (SELECT * FROM ${schema}.factories f WHERE f.product = u."productId"
        ORDER BY f.last_seen_at DESC, f.factory COLLATE "C" LIMIT u."limit") f
      ORDER BY u.n, f.last_seen_at DESC, f.factory COLLATE "C"`,
    holds: `SELECT u.n, j.factory, count(*) AS count ${from('"productId" text')}
      JOIN ${schema}.jobs j ON j.product = u."productId" AND j.phase = 'held' GROUP BY u.n, j.factory`,
    fleet: `SELECT u.n, (SELECT count(*) FROM ${schema}.factories f WHERE f.last_seen_at > u.since) AS count
      ${from('since bigint')}`,
    prune: `WITH old AS (DELETE FROM ${schema}.keys k USING json_to_recordset($1) AS u(before bigint, most integer)
        WHERE k.ctid = ANY(ARRAY(SELECT o.ctid FROM ${schema}.keys o WHERE o.at < u.before LIMIT u.most
          FOR UPDATE SKIP LOCKED)) RETURNING 1),
      over AS (DELETE FROM ${schema}.declines WHERE until <= ${clock('$2')})
      SELECT 0 AS n, (SELECT count(*) FROM old) AS count`,
  };
  const named = Object.entries(texts).map(([name, text]) => [name, { name, text }]);
  return Object.fromEntries(named) as Readonly<Record<keyof typeof texts, Statement>>;
}

export type ReadingStatements = ReturnType<typeof readingStatements>;

/** Those whose statement asks for the time. */
export const TIMED: ReadonlySet<NeedKind> = new Set(['candidates', 'others', 'count', 'prune']);
