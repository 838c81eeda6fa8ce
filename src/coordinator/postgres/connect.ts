/** Connections to the database: how they are made, what holds in every session, and what their failures mean. */
import { Client, type ClientConfig, DatabaseError, types } from 'pg';
import { SECOND } from '../../platform/clock.ts';
import { errnoOf, messageOf, UserError } from '../../platform/errors.ts';
import { StoreUnavailable } from '../store.ts';

const CONNECT_MS = 5 * SECOND;
/** A statement that is not answered in this time: the connection is given up, and with it what it had locked. */
const ANSWER_MS = 30 * SECOND;

const INT8: number = types.builtins.INT8;

/** Times and numbers here stay below 2^53, so they are numbers, not texts. */
const NUMBERS: NonNullable<ClientConfig['types']> = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === INT8 && format !== 'binary'
      ? Number
      : (types.getTypeParser(oid, format) as unknown)) as typeof types.getTypeParser,
};

/**
 * Every statement finds its rows one by one through an index and in its order, whatever the planner thinks of a table
 * that was empty when it first looked (it keeps its plan), or of how many are wanted of a million (it guesses a
 * tenth, and would sort them all). A process that stands still in the middle of a transaction does not hold up the others for long. And what
 * was answered is on disk, also where the database's own setting would not wait for that.
 */
const SESSION = `
  SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off;
  SET jit = off; SET plan_cache_mode = force_generic_plan;
  SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '30s';
  SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`;

/** @throws UserError `invalid-database`: the address is none. It may hold a password, so it is not repeated. */
export function configOf(url: string): ClientConfig {
  if (!/^postgres(?:ql)?:\/\//i.test(url) || !URL.canParse(url.replace('///', '//localhost/')))
    throw new UserError(
      'invalid-database',
      'The address of the coordinator’s database cannot be read. Nothing was started.',
      'Write it as postgres://user:password@host:5432/database.',
    );
  return {
    connectionString: url,
    application_name: 'agent-queue coordinator',
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: ANSWER_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10 * SECOND,
    pipeline: true,
    types: NUMBERS,
  };
}

export async function prepareSession(client: { query(text: string): Promise<unknown> }): Promise<void> {
  await client.query(SESSION);
}

/** A connection by itself; whoever asked for it ends it. */
export async function connect(url: string): Promise<Client> {
  const client = new Client(configOf(url));
  // It is also told to whatever was under way; without a listener it would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await prepareSession(client);
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}

/** SQLSTATE, of what the database itself said. */
export function stateOf(error: unknown): string | undefined {
  return error instanceof DatabaseError ? error.code : undefined;
}

/** The same may be tried again at once: nothing of it has happened, and another was only in the way. */
export function isCollision(error: unknown): boolean {
  // Serialization, deadlock, a unique key that another has written in this moment.
  return ['40001', '40P01', '23505'].includes(stateOf(error) ?? '');
}

/** The database is away, full or being stopped, rather than in disagreement with what was asked. */
export function asUnavailable(error: unknown): unknown {
  if (error instanceof StoreUnavailable || error instanceof UserError) return error;
  const state = stateOf(error);
  const isAway = state === undefined ? isOfConnection(error) : /^(?:08|53|57P|58|55P03|25P03)/.test(state);
  return isAway ? new StoreUnavailable(messageOf(error), { cause: error }) : error;
}

/** Of the socket, by its code; of the client, which has only words for it. */
function isOfConnection(error: unknown): boolean {
  const code = errnoOf(error);
  return code === undefined
    ? /connect|terminated|timeout|not queryable/i.test(messageOf(error))
    : /^E[A-Z]+$|^ERR_(?:STREAM|SOCKET|TLS|SSL)/.test(code);
}

/** For the person who starts a coordinator. */
export function inWords(error: unknown, url: string): unknown {
  if (error instanceof UserError) return error;
  const where = placeOf(url);
  const state = stateOf(error);
  const [code, message, action] =
    state === '3D000'
      ? [
          'database-not-found',
          `There is no database ${where}.`,
          'Create it, or name another with --database.',
        ]
      : state === '42501' || state?.startsWith('28') === true
        ? [
            'database-denied',
            `The database ${where} does not let this user in, or not create its tables: ${messageOf(error)}.`,
            'Check user and password, and let the user create a schema in the database.',
          ]
        : state === undefined || asUnavailable(error) instanceof StoreUnavailable
          ? [
              'database-unreachable',
              `The database ${where} cannot be reached: ${messageOf(error)}.`,
              'Check that it runs and that the address is right, then start again.',
            ]
          : [undefined, '', ''];
  if (code === undefined) return error;
  return new UserError(code, `${message} Nothing was changed.`, action, { cause: error });
}

/** Never with a password. */
function placeOf(url: string): string {
  const { host, port, database } = new Client(configOf(url));
  return `${database ?? ''} on ${host.startsWith('/') ? host : `${host}:${port}`}`;
}
