/**
 * The tables of the embedded store, and how an older file becomes a newer one. `user_version` in the file says how
 * many of the migrations it has had.
 *
 * What is read with every claim and report is one narrow row per job; bodies, which may have a megabyte, lie apart.
 * A job is `ready` when it may be claimed now, and `due_at` says when it will be by itself (a backoff that ends, a
 * lease that lapses); every batch first moves those whose time has come. Ready jobs stand on shelves, one for each
 * set of requirements, in the order in which they are given out: a claim looks at the first of each shelf, whether
 * there are a thousand jobs behind it or a million. Jobs that are at their end are in none of these indexes, and
 * events and runs are stored by job, so that a long history costs a claim nothing.
 */
import type { DatabaseSync } from 'node:sqlite';
import { UserError } from '../../platform/errors.ts';

const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY,
    product TEXT NOT NULL,
    id TEXT NOT NULL,
    stage TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    factory TEXT,
    held INTEGER NOT NULL,
    lease_expires_at INTEGER,
    priority INTEGER NOT NULL,
    shelf INTEGER NOT NULL,
    waits_for TEXT NOT NULL,
    retries INTEGER NOT NULL,
    enqueued_at INTEGER NOT NULL,
    queued_at INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    checkpoint TEXT,
    last_write TEXT,
    reason TEXT,
    events INTEGER NOT NULL,
    order_key INTEGER NOT NULL,
    ready INTEGER NOT NULL,
    due_at INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX jobs_by_id ON jobs (product, id);
  CREATE UNIQUE INDEX jobs_by_age ON jobs (product, seq);
  CREATE INDEX jobs_by_stage ON jobs (product, stage, seq);
  CREATE INDEX jobs_ready ON jobs (shelf, order_key, seq) WHERE ready = 1;
  CREATE INDEX jobs_due ON jobs (due_at) WHERE due_at IS NOT NULL;
  CREATE INDEX jobs_held ON jobs (product, factory) WHERE held = 1;

  CREATE TABLE bodies (seq INTEGER PRIMARY KEY, body_md TEXT NOT NULL) STRICT;

  CREATE TABLE shelves (
    shelf INTEGER PRIMARY KEY,
    product TEXT NOT NULL,
    requires TEXT NOT NULL,
    UNIQUE (product, requires)
  ) STRICT;

  CREATE TABLE waits (
    product TEXT NOT NULL,
    need TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (product, need, seq)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE declines (
    seq INTEGER NOT NULL,
    factory TEXT NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (seq, factory)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE events (
    seq INTEGER NOT NULL,
    n INTEGER NOT NULL,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    factory TEXT,
    from_stage TEXT,
    to_stage TEXT,
    PRIMARY KEY (seq, n)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE runs (
    seq INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    factory TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    stage TEXT NOT NULL,
    ended_by TEXT,
    PRIMARY KEY (seq, epoch)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE factories (
    product TEXT NOT NULL,
    factory TEXT NOT NULL,
    capabilities TEXT NOT NULL,
    health TEXT NOT NULL,
    load REAL NOT NULL,
    first_seen_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    PRIMARY KEY (product, factory)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE tokens (
    hash TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    product TEXT,
    factory TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    used_at INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX tokens_of_factory ON tokens (product, factory) WHERE kind = 'factory';

  CREATE TABLE keys (
    n INTEGER PRIMARY KEY,
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    job TEXT,
    epoch INTEGER,
    at INTEGER NOT NULL,
    UNIQUE (key, scope)
  ) STRICT;
  `,
];

/** @throws UserError `newer-database`: nothing in it was changed. */
export function migrate(database: DatabaseSync): void {
  const row = database.prepare('PRAGMA user_version').get() as { user_version: number };
  const version = row.user_version;
  if (version > MIGRATIONS.length)
    throw new UserError(
      'newer-database',
      'The coordinator’s database was written by a newer version of this program. Nothing in it was changed.',
      'Start the newer version, or name another file with --database.',
    );
  for (const [index, sql] of MIGRATIONS.entries()) {
    if (index < version) continue;
    database.exec(`BEGIN IMMEDIATE; ${sql}; PRAGMA user_version = ${index + 1}; COMMIT`);
  }
}
