/** Programs that are broken on purpose: each has to be found, or the judge is blind. */
import type { Mutation } from './programs.ts';

export interface Variant {
  readonly what: string;
  readonly mutations: readonly Mutation[];
}

export const WITHOUT_PERMISSION: Variant = {
  what: 'ships without asking for permission',
  mutations: [
    {
      file: 'src/fleet/fleet.ts',
      from: "if (claim === undefined || claim.mayLand === true) return 'accepted';",
      to: "if (claim === undefined || claim.jobId !== '') return 'accepted';",
    },
  ],
};

export const VARIANTS: readonly Variant[] = [
  WITHOUT_PERMISSION,
  {
    what: 'takes every epoch for the current one, at the coordinator',
    mutations: [
      {
        file: 'src/coordinator/rules/fence.ts',
        from: 'if (call.epoch !== job.epoch) return',
        to: "if (call.epoch > 0) return 'holds';\n  if (call.epoch !== job.epoch) return",
      },
    ],
  },
  {
    what: 'answers before it has committed',
    mutations: [
      {
        file: 'src/coordinator/sqlite/store.ts',
        from: "    this.#database.exec('BEGIN IMMEDIATE');",
        to: "    if (!this.#database.isTransaction) {\n      this.#database.exec('BEGIN IMMEDIATE');\n      setTimeout(() => this.#database.exec('COMMIT'), 700);\n    }",
      },
      {
        file: 'src/coordinator/sqlite/store.ts',
        from: "      this.#database.exec('COMMIT');\n      return",
        to: '      return',
      },
    ],
  },
  {
    what: 'gives a repeated claim another job',
    mutations: [
      {
        file: 'src/coordinator/operations/leases.ts',
        from: '    keep(transaction, key, job.id, job.epoch);',
        to: '',
      },
    ],
  },
  {
    what: 'lets a person requeue what has shipped',
    mutations: [
      {
        file: 'src/coordinator/rules/stages.ts',
        from: "return stage !== 'shipped';",
        to: "return stage !== 'queued';",
      },
    ],
  },
  {
    what: 'keeps its outbox in memory only',
    mutations: [
      {
        file: 'src/fleet/outbox.ts',
        from: 'if (box !== undefined) return writeDurable(file, `${JSON.stringify(box)}\\n`);',
        to: 'if (box !== undefined) return;',
      },
    ],
  },
  {
    what: 'takes a job that another has shipped for its own',
    mutations: [
      {
        file: 'src/fleet/shipping.ts',
        from: "return job.value.stage === 'shipped' && job.value.epoch === epoch;",
        to: "return job.value.epoch !== epoch || job.value.stage === 'shipped';",
      },
    ],
  },
  {
    what: 'goes on with a job whose epoch is stale',
    mutations: [
      {
        file: 'src/fleet/exchange.ts',
        from: "    if (outcome.kind === 'unreachable' || outcome.kind === 'unauthorized') return this.failed(outcome);\n    const mine",
        to: "    if (outcome.kind !== 'refused') return this.failed({ kind: 'unreachable', why: 'it is ignored' });\n    const mine",
      },
    ],
  },
  {
    what: 'gives engines its whole environment',
    mutations: [
      {
        file: 'src/runner/steps/prompt.ts',
        from: '{ ...command.env, AQ_JOB_ID: state.id }',
        to: '{ ...(shop.env as Record<string, string>), ...command.env, AQ_JOB_ID: state.id }',
      },
    ],
  },
];
