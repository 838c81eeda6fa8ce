/** What a person may ask of this factory's part in the fleet: carried out where the runner is, which has the leases. */
import { UserError } from '../platform/errors.ts';
import type { Exchange } from './exchange.ts';

interface Desk {
  /** Somebody who waits for a verdict, or who shows what is, should look again. */
  acted(): void;
  /** Wakes the loop. */
  kick(): void;
  claim(): Promise<boolean>;
}

export class Operator {
  readonly #exchange: Exchange;
  readonly #desk: Desk;
  #left = false;

  constructor(exchange: Exchange, desk: Desk) {
    this.#exchange = exchange;
    this.#desk = desk;
  }

  /** Fleet mode is being turned off: this process claims nothing more. */
  get hasLeft(): boolean {
    return this.#left;
  }

  /**
   * Claims at a person's word, whatever rests. True when a job has come; else there was none.
   * @throws UserError `no-runner`, `draining`, `shadow`, `budget` where nothing can be claimed at all
   */
  async claimNow(): Promise<boolean> {
    const { claiming, runner, options } = this.#exchange;
    if (options.shadow)
      throw notNow('shadow', 'Shadow mode only looks: nothing is claimed.', 'Set AQ_FLEET=1 to take part.');
    if (options.claims.isDraining)
      throw notNow(
        'draining',
        'This factory is draining, so nothing is claimed.',
        'Run “Fleet: Resume” first.',
      );
    if (runner === undefined)
      throw notNow(
        'no-runner',
        'No runner is on in this window, so nothing is claimed.',
        'Start the runner first.',
      );
    const held = runner.capacity().held;
    if (held !== undefined)
      throw notNow(
        'budget',
        `Nothing is claimed ${held}.`,
        'Raise the ceiling of a day in the settings (`agentQueue.budget`) first.',
      );
    claiming.desk.wake();
    claiming.giveUpPoll();
    return this.#desk.claim();
  }

  /**
   * Nothing more is claimed; jobs in work go on to their end. Kept in the home until `resume`.
   * @param options.leaving fleet mode is to end when the last lease is settled (rule 1)
   * @throws UserError `no-runner` where the runner is not in this process
   */
  async drain(draining: boolean, options: { readonly leaving?: boolean } = {}): Promise<void> {
    this.#mustRunHere();
    await this.#exchange.options.claims.drain(draining, options.leaving);
    this.#exchange.claiming.interrupted();
    this.#desk.acted();
    await this.#exchange.heartbeat();
    this.#desk.acted();
  }

  /**
   * Nothing more is claimed by this process, and a later one begins without what `drain` said: fleet mode is being turned off.
   * @throws UserError `no-runner`
   */
  async leave(): Promise<void> {
    this.#mustRunHere();
    this.#left = true;
    this.#exchange.claiming.interrupted();
    await this.#exchange.options.claims.drain(false);
  }

  /**
   * Ends the job here and gives its lease back, so that another factory can have it. Its work is kept on its ref.
   * @throws UserError `no-runner`; `no-lease`; `on-its-way` where it may have been accepted as shipped
   */
  async release(id: string): Promise<void> {
    this.#mustRunHere();
    const held = [...this.#exchange.held.values()].find((each) => each.id === id);
    if (held === undefined || held.lease.verdict !== undefined) {
      throw notNow('no-lease', `${id} has no lease that could be given back.`, 'Look at “Fleet: Status”.');
    }
    if (held.shipAsked) {
      throw notNow(
        'on-its-way',
        `${id} was reported as shipped, and the coordinator has not answered yet.`,
        'Wait until it answers: the job then ships, or its result goes into quarantine.',
      );
    }
    const text = 'Its lease was given back by a person. What had been done is kept.';
    held.givenBack = true;
    try {
      await this.#exchange.runner?.revoked(id, { code: 'released', text });
    } catch (error) {
      held.givenBack = false;
      throw error;
    }
    await this.#exchange.claiming.declined(held);
    await this.#exchange.tell(held, 'release');
    this.#desk.kick();
  }

  /** Outbox and claims are the runner's: written from elsewhere they could lose what it has just kept. */
  #mustRunHere(): void {
    if (this.#exchange.runner !== undefined) return;
    throw notNow(
      'no-runner',
      'The runner is not on in this window, so it cannot be told.',
      'Do it in the window that runs the jobs, or start the runner here first.',
    );
  }
}

function notNow(code: string, message: string, action: string): UserError {
  return new UserError(code, `${message} Nothing was changed.`, action);
}
