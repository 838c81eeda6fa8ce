/** An engine's seat at the stub of its model service: what it must be told so that it asks there, and nowhere else. */
import type { ScenarioName } from './scenarios/scenario.ts';
import type { Protocol, Turn } from './services/dialect.ts';

export type Call = Extract<Turn, { kind: 'call' }>;

export interface SeatPlace {
  /** The person's HOME, still empty: the configuration is written into it. */
  readonly home: string;
  /** Of the stub. */
  readonly url: string;
  /** False: as on the first day, without credentials. */
  readonly login: boolean;
  /** The person's own rules forbid the engine to edit, whatever a job says. */
  readonly forbidden: boolean;
}

export interface Seating {
  /** The person's environment; what of it the engine sees is up to our allow-list. */
  readonly env: Readonly<Record<string, string>>;
  /** Goes into the entry of the setting `agentQueue.engines`, where any person could put it as well. */
  readonly setEnv?: Readonly<Record<string, string>>;
  /** Other keys of that entry. */
  readonly entry?: Readonly<Record<string, unknown>>;
}

export interface Seat {
  /** The name of the descriptor. */
  readonly engine: string;
  readonly protocol: Protocol;
  prepare(place: SeatPlace): Seating;
  /** The call of a tool by which its model writes a file (absolute path). */
  edit(file: string, content: string): Call;
  /** The same, for an engine whose rules forbid another way of writing than that. */
  forbiddenEdit?(file: string): Call;
  /** The call of a tool by which its model runs a shell command. */
  shell(command: string): Call;
  /** What its events tell. */
  readonly tells: { readonly costUsd: boolean; readonly tokens: boolean; readonly session: boolean };
  /** Failures of the service at which it goes on asking for longer than a job of the kit may take, and how that is known. */
  readonly patience?: Partial<Record<ScenarioName, string>>;
  /** A longer time limit of the job for those after which it gives up by itself, and tells why. */
  readonly givesUpAfter?: Partial<Record<ScenarioName, string>>;
  /** Environment of a person with a subscription, whose limits are told in another way. */
  readonly subscription?: Readonly<Record<string, string>>;
  /** It can't be started twice in a new HOME at the same moment. */
  readonly firstAlone?: string;
  /** What can't be shown here, and why. */
  readonly impossible?: Partial<Record<ScenarioName, string>>;
}
