/**
 * How a process that is not the runner asks the runner for something: a request file in `commands/`, answered by
 * a file beside it. Both survive a crash: a request that waits is carried out by the next runner, or taken back by
 * the asker; one that a runner had begun with when it died is answered by the next one, which says so.
 */
import { randomUUID } from 'node:crypto';
import { readdir, readFile, rename, rm, unlink } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod/mini';
import { errnoOf, isDiskTrouble } from '../../platform/errors.ts';
import { readIfThere, writeDurable } from '../../platform/files.ts';
import type { Command, CommandAnswer } from '../board.ts';
import type { Layout } from './layout.ts';

const jobCommandSchema = z.object({
  verb: z.enum([
    'run',
    'cancel',
    'retry',
    'sendBack',
    'approve',
    'reject',
    'ship',
    'adopt',
    'requeue',
    'discard',
    'restore',
  ]),
  id: z.string(),
  text: z.optional(z.string()),
  files: z.optional(z.array(z.string())),
});

const fleetCommandSchema = z.object({
  fleet: z.enum(['drain', 'leave', 'resume', 'release', 'claim']),
  id: z.optional(z.string()),
});

const commandSchema = z.union([jobCommandSchema, fleetCommandSchema]);

const answerSchema = z.object({
  ok: z.boolean(),
  message: z.string(),
  action: z.optional(z.string()),
  code: z.optional(z.string()),
});

const REQUEST = '.request.json';
/** A request that a runner is carrying out. */
const TAKEN = '.taken.json';
const ANSWER = '.answer.json';

type CarryOut = (command: Command) => Promise<CommandAnswer>;
/** Before a disk that took no answer is tried again; false: the runner stops, and the next one answers. */
type Pause = (trouble: unknown) => Promise<boolean>;

export class Mailbox {
  readonly directory: string;

  constructor(layout: Layout) {
    this.directory = layout.commands;
  }

  /** Posts a request; returns the ticket that its answer will carry. */
  async post(command: Command): Promise<string> {
    const ticket = randomUUID();
    await writeDurable(this.#file(ticket, REQUEST), JSON.stringify(command));
    return ticket;
  }

  /** Takes a request back. False: it has been taken up already, an answer will come or has come. */
  async withdraw(ticket: string): Promise<boolean> {
    try {
      // Not `rm`, which of several at once lets each believe that it was the one.
      await unlink(this.#file(ticket, REQUEST));
      return true;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return false;
      throw error;
    }
  }

  /** The answer, if there is one; it is removed by being read. */
  async collect(ticket: string): Promise<CommandAnswer | undefined> {
    const file = this.#file(ticket, ANSWER);
    const text = await readIfThere(file);
    if (text === undefined) return undefined;
    await rm(file, { force: true });
    const parsed = answerSchema.safeParse(parseJson(text));
    return parsed.success ? (parsed.data as CommandAnswer) : undefined;
  }

  /**
   * For the runner: takes up every waiting request, oldest first. What can't be read as one is answered so.
   * Resolves when all are answered: an answer that a full disk does not take is given when there is room.
   */
  async takeAll(carryOut: CarryOut, pause: Pause): Promise<void> {
    const names = await readdir(this.directory);
    const tickets = names
      .filter((name) => name.endsWith(REQUEST))
      .map((name) => name.slice(0, -REQUEST.length));
    await Promise.all(tickets.map((ticket) => this.#take(ticket, carryOut, pause)));
  }

  /** For a new runner: answers what an earlier one took up and did not live to answer; it may be half done. */
  async answerAbandoned(answer: CommandAnswer): Promise<void> {
    const names = await readdir(this.directory);
    const tickets = names.filter((name) => name.endsWith(TAKEN)).map((name) => name.slice(0, -TAKEN.length));
    await Promise.all(tickets.map((ticket) => this.#answer(ticket, answer)));
  }

  async #take(ticket: string, carryOut: CarryOut, pause: Pause): Promise<void> {
    const request = this.#file(ticket, REQUEST);
    const text = await readFile(request, 'utf8').catch(() => undefined);
    if (text === undefined || !(await isRenamed(request, this.#file(ticket, TAKEN)))) return;
    const parsed = commandSchema.safeParse(parseJson(text));
    const answer = parsed.success
      ? await carryOut(parsed.data as Command)
      : { ok: false, code: 'bad-request', message: 'The request could not be read; nothing was done.' };
    for (;;) {
      try {
        return await this.#answer(ticket, answer);
      } catch (error) {
        if (!isDiskTrouble(error) || !(await pause(error))) throw error;
      }
    }
  }

  async #answer(ticket: string, answer: CommandAnswer): Promise<void> {
    await writeDurable(this.#file(ticket, ANSWER), JSON.stringify(answer));
    await rm(this.#file(ticket, TAKEN), { force: true });
  }

  #file(ticket: string, ending: string): string {
    return path.join(this.directory, `${ticket}${ending}`);
  }
}

/** False: it is no longer there. Of several who try, one gets true. */
async function isRenamed(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
