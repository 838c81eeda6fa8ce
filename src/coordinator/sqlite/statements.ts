/** Every statement of the embedded store, prepared once. Values are always bound, never part of the text. */
import type { DatabaseSync } from 'node:sqlite';

/** The shelf's first that this factory has not turned down lately. `?1` shelves (JSON), `?2` factory, `?3` now. */
const NOT_DECLINED =
  'NOT EXISTS (SELECT 1 FROM declines d WHERE d.seq = r.seq AND d.factory = ?2 AND d.until > ?3)';

export function prepare(database: DatabaseSync) {
  const sql = (text: string) => database.prepare(text);
  return {
    job: sql('SELECT * FROM jobs WHERE product = ? AND id = ?'),
    body: sql('SELECT body_md FROM bodies WHERE seq = ?'),
    insert:
      sql(`INSERT INTO jobs (product, id, stage, epoch, factory, held, lease_expires_at, priority, shelf,
      waits_for, retries, enqueued_at, queued_at, not_before, attempts, failures, checkpoint, last_write, reason,
      events, order_key, ready, due_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    insertBody: sql('INSERT INTO bodies (seq, body_md) VALUES (?, ?)'),
    /** All that may change. */
    save: sql(`UPDATE jobs SET stage = ?, epoch = ?, factory = ?, held = ?, lease_expires_at = ?, waits_for = ?,
      queued_at = ?, not_before = ?, attempts = ?, failures = ?, checkpoint = ?, last_write = ?, reason = ?,
      events = ?, order_key = ?, ready = ?, due_at = ? WHERE seq = ?`),
    /** Between two stages that are held: the job stays where it is in every index but two. */
    saveHeld:
      sql(`UPDATE jobs SET stage = ?, lease_expires_at = ?, checkpoint = ?, last_write = ?, events = ?,
      ready = ?, due_at = ? WHERE seq = ?`),
    saveLease: sql('UPDATE jobs SET lease_expires_at = ?, ready = ?, due_at = ? WHERE seq = ?'),
    list: sql('SELECT * FROM jobs WHERE product = ? AND seq < ? ORDER BY seq DESC LIMIT ?'),
    listStage: sql(
      'SELECT * FROM jobs WHERE product = ? AND stage = ? AND seq < ? ORDER BY seq DESC LIMIT ?',
    ),
    held: sql('SELECT * FROM jobs WHERE held = 1'),
    due: sql(`UPDATE jobs SET ready = 1, due_at = NULL WHERE due_at IS NOT NULL AND due_at <= ?
      RETURNING shelf`),
    isDue: sql('SELECT 1 FROM jobs WHERE due_at IS NOT NULL AND due_at <= ? LIMIT 1'),
    first: sql(`SELECT j.* FROM json_each(?1) s CROSS JOIN jobs j ON j.seq = (
        SELECT r.seq FROM jobs r WHERE r.shelf = s.value AND r.ready = 1 AND ${NOT_DECLINED}
        ORDER BY r.order_key, r.seq LIMIT 1)
      ORDER BY j.order_key, j.seq LIMIT 1`),
    count: sql(`SELECT count(*) AS count FROM (
      SELECT 1 FROM json_each(?1) s CROSS JOIN jobs r
      WHERE r.shelf = s.value AND r.ready = 1 AND (r.order_key, r.seq) < (?4, ?5) AND ${NOT_DECLINED} LIMIT ?6)`),

    insertWait: sql('INSERT OR IGNORE INTO waits (product, need, seq) VALUES (?, ?, ?)'),
    deleteWait: sql('DELETE FROM waits WHERE product = ? AND need = ? AND seq = ?'),
    waiting: sql('SELECT j.* FROM waits w JOIN jobs j ON j.seq = w.seq WHERE w.product = ? AND w.need = ?'),

    decline: sql('INSERT OR REPLACE INTO declines (seq, factory, until) VALUES (?, ?, ?)'),
    declined: sql('SELECT until FROM declines WHERE seq = ? AND factory = ?'),
    forgetDeclines: sql('DELETE FROM declines WHERE seq = ?'),

    insertEvent: sql(`INSERT INTO events (seq, n, at, kind, epoch, factory, from_stage, to_stage)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`),
    events: sql('SELECT * FROM events WHERE seq = ? AND n > ? ORDER BY n LIMIT ?'),
    beginRun: sql('INSERT INTO runs (seq, epoch, factory, started_at, stage) VALUES (?, ?, ?, ?, ?)'),
    endRun: sql('UPDATE runs SET ended_at = ?, ended_by = ?, stage = ? WHERE seq = ? AND epoch = ?'),
    runs: sql('SELECT * FROM runs WHERE seq = ? ORDER BY epoch'),

    factory: sql('SELECT * FROM factories WHERE product = ? AND factory = ?'),
    saveFactory: sql(`INSERT OR REPLACE INTO factories
      (product, factory, capabilities, health, load, first_seen_at, last_seen_at) VALUES (?, ?, ?, ?, ?, ?, ?)`),
    factories: sql(`SELECT f.*, (SELECT count(*) FROM jobs j
        WHERE j.product = f.product AND j.factory = f.factory AND j.held = 1) AS holds
      FROM factories f WHERE product = ? ORDER BY last_seen_at DESC, factory LIMIT ?`),
    fleetSize: sql('SELECT count(*) AS count FROM factories WHERE last_seen_at > ?'),

    token: sql('SELECT * FROM tokens WHERE hash = ?'),
    saveToken:
      sql(`INSERT OR REPLACE INTO tokens (hash, kind, product, factory, created_at, expires_at, used_at)
      VALUES (?, ?, ?, ?, ?, ?, ?)`),
    isEnrolled: sql(`SELECT 1 FROM tokens WHERE kind = 'factory' AND product = ? AND factory = ? LIMIT 1`),
    endTokens: sql(`DELETE FROM tokens WHERE kind = 'factory' AND product = ? AND factory = ?`),

    key: sql('SELECT * FROM keys WHERE scope = ? AND key = ?'),
    saveKey: sql(`INSERT OR IGNORE INTO keys (scope, key, fingerprint, job, epoch, at)
      VALUES (?, ?, ?, ?, ?, ?)`),
    /** Keys are numbered as they come, so the oldest are the first: no index by age has to be kept. */
    pruneKeys: sql('DELETE FROM keys WHERE n IN (SELECT n FROM keys ORDER BY n LIMIT ?2) AND at < ?1'),
    pruneDeclines: sql('DELETE FROM declines WHERE until <= ?'),

    shelves: sql('SELECT * FROM shelves'),
    insertShelf: sql('INSERT INTO shelves (product, requires) VALUES (?, ?)'),
  };
}

export type Statements = ReturnType<typeof prepare>;
