/**
 * A laptop that is a member of a fleet, with a real runner, real engines and a coordinator on loopback: what the tests
 * of the seed's list (seed-phase2-slice3.md, TESTS) begin with.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { Fleet } from '../../../src/fleet/fleet.ts';
import type { Factory } from '../../../src/runner/factory.ts';
import type { ExplicitSettings } from '../../../src/runner/settings.ts';
import { closeFactories } from '../../runner/support/factory.ts';
import { scratchHome, scratchRepo } from '../../runner/support/scratch.ts';
import { joinFleet, type Laptop, LaptopClock, PRODUCT, TOKEN, until } from './laptop.ts';
import { OurCoordinator } from './our-coordinator.ts';
import { type Received, StubCoordinator } from './stub-coordinator.ts';

/** The stub with scripted answers alone, and our own coordinator with the same scripts in front of it. */
const COORDINATORS = [
  { of: 'a stub', begin: () => StubCoordinator.start() },
  { of: 'our coordinator', begin: () => OurCoordinator.begin({ token: TOKEN, product: PRODUCT }) },
] as const;

/** Its functions need no `this`: a test takes out of it what it uses. */
class Member {
  readonly stub: StubCoordinator;
  readonly home = scratchHome();
  readonly repo = scratchRepo();
  /** Every message that it logged. */
  readonly log: string[] = [];
  readonly clock = new LaptopClock();
  /** Given by {@link join}, which {@link of} waits for. */
  #laptop!: Laptop;

  /** Joins the fleet of `stub`; its runner is not started. */
  static async of(stub: StubCoordinator): Promise<Member> {
    const member = new Member(stub);
    await member.join();
    return member;
  }

  private constructor(stub: StubCoordinator) {
    this.stub = stub;
  }

  /** Of the newest process: another one after each {@link join}. */
  get fleet(): Fleet {
    return this.#laptop.fleet;
  }

  /** Of the newest process, as {@link fleet}. */
  get factory(): Factory {
    return this.#laptop.factory;
  }

  /** Another process on the same home, as after a restart. */
  join = async (env: NodeJS.ProcessEnv = {}, settings: ExplicitSettings = {}): Promise<void> => {
    const { home, log, clock } = this;
    this.#laptop = await joinFleet({ home, api: this.stub.api, log, clock, env, settings });
  };

  /** Gives the job to the coordinator, and waits until this laptop has claimed it. */
  claimed = async (id: string, text: string): Promise<string> => {
    this.stub.offer(id, text);
    await this.factory.startRunner();
    await until(() => (this.stub.jobs.get(id)?.epoch ?? 0) > 0, 'claimed');
    return `${id}-e${this.stub.jobs.get(id)?.epoch}`;
  };

  /** Has the coordinator accept what was sent, as one whose answer is then lost. */
  accept = async ({ path: where, headers, body }: Received): Promise<void> => {
    const answer = await fetch(`${this.stub.api.replace('/api', '')}${where}`, {
      method: 'PATCH',
      headers: {
        authorization: String(headers.authorization),
        'content-type': 'application/json',
        'x-product-id': PRODUCT,
        'idempotency-key': `${String(headers['idempotency-key'])}-of-the-first`,
      },
      body: JSON.stringify(body),
    });
    assert.equal(answer.status, 200);
  };

  /** The first report has been heard, and its answer too: received is not yet answered. */
  told = async (id: string): Promise<void> => {
    await until(() => this.stub.reported(id).length === 1, 'building');
    await until(() => this.fleet.facts().leases.every(({ waiting }) => waiting === 0), 'the answer');
  };
}

/** Like mocha's `it`, with a laptop of its own for the test. */
type InFleet = (title: string, test: (laptop: Member) => Promise<void>) => void;

/** Has each of the `tests` run in a fleet of either coordinator. */
export function describeInFleets(what: string, tests: (it: InFleet) => void): void {
  for (const { of, begin } of COORDINATORS)
    describe(`${what}, in a fleet of ${of}`, function () {
      this.timeout(30_000);
      let laptop: Member;

      beforeEach(async () => {
        laptop = await Member.of(await begin());
      });
      afterEach(async () => {
        await closeFactories();
        await laptop.stub.end();
      });

      tests((title, test) => it(title, () => test(laptop)));
    });
}

/** The files of unsent reports on disk. */
export function outboxOf(home: string): string[] {
  const dir = path.join(home, 'outbox');
  return existsSync(dir) ? readdirSync(dir).filter((name) => name.endsWith('.reports.json')) : [];
}
