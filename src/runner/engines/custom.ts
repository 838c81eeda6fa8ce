/**
 * Engines from the setting `agentQueue.engines`: an object of descriptors by name. An entry with the name of a
 * built-in engine changes only the keys that it holds. An entry with a fault changes nothing, and says where the
 * fault is; the others are not concerned.
 */
import path from 'node:path';
import * as z from 'zod/mini';
import { SHELL_ENGINE } from './builtin.ts';
import type { EngineDescriptor, FailureCode } from './descriptor.ts';

export const ENGINES_SETTING = 'agentQueue.engines';

/** A fault in the setting. */
export interface EngineProblem {
  /** E.g. `agentQueue.engines.mine.args[2]`. */
  readonly place: string;
  /** E.g. `expected text`. */
  readonly message: string;
}

const FAILURE_CODES = [
  'failed',
  'rate-limit',
  'login',
  'input',
  'limit',
  'root',
  'cancelled',
  'timeout',
  'no-result',
  'no-final-event',
  'no-session',
  'interrupted',
  'spawn',
] as const satisfies readonly FailureCode[];

const text = z.string('expected text');
const texts = z.array(text, 'expected a list of texts');
const flag = z.boolean('expected true or false');
const variables = z.record(text, text, 'expected an object of texts');
const match = z.record(
  text,
  z.union([z.string(), z.number(), z.boolean()], 'expected text, a number, true or false'),
  'expected an object of paths and their values',
);
const matches = z.array(match, 'expected a list of objects');
const source = z.union(
  [
    z.string(),
    z.strictObject({
      path: z.string(),
      when: z.optional(match),
      accumulate: z.optional(z.boolean()),
      plus: z.optional(z.array(z.string())),
      minus: z.optional(z.array(z.string())),
    }),
  ],
  'expected a path, or an object with `path` and perhaps `when`, `accumulate`, `plus` and `minus`',
);
const sources = z.optional(z.array(source, 'expected a list of paths'));
const code = z.enum(FAILURE_CODES, `expected one of ${FAILURE_CODES.join(', ')}`);

const events = z.strictObject(
  {
    final: matches.check(z.minLength(1, 'expected at least one event')),
    failed: z.optional(matches),
    errorFlag: z.optional(text),
    error: sources,
    session: sources,
    text: sources,
    costUsd: sources,
    inputTokens: sources,
    outputTokens: sources,
    usage: z.optional(z.enum(['run', 'session'], 'expected `run` or `session`')),
    limitedUntil: sources,
    status: sources,
    denied: sources,
  },
  { error: objectError },
);

const entrySchema = z.strictObject(
  {
    label: z.optional(text),
    executable: z.optional(
      z.pipe(
        z.union([text, texts], 'expected text, or a list of texts'),
        z.transform((value) => (typeof value === 'string' ? [value] : value)),
      ),
    ),
    versionArgs: z.optional(texts),
    prompt: z.optional(z.enum(['stdin', 'file'], 'expected `stdin` or `file`')),
    args: z.optional(texts),
    yoloArgs: z.optional(texts),
    yoloEnv: z.optional(variables),
    carefulEnv: z.optional(variables),
    yoloRefusedForRoot: z.optional(flag),
    rootAllowedWith: z.optional(variables),
    session: z.optional(z.enum(['given', 'told', 'none'], 'expected `given`, `told` or `none`')),
    resumeArgs: z.optional(texts),
    events: z.optional(events),
    exitCodes: z.optional(
      z.record(
        text.check(z.regex(/^\d+$/, 'expected an exit code')),
        z.strictObject({ code, meaning: text }, { error: objectError }),
        'expected an object by exit code',
      ),
    ),
    patterns: z.optional(
      z.array(
        z.strictObject(
          { match: text.check(z.refine(isExpression, 'expected a regular expression')), code },
          { error: objectError },
        ),
        'expected a list of objects',
      ),
    ),
    env: z.optional(texts),
    setEnv: z.optional(variables),
    lingerMs: z.optional(
      z.int('expected a whole number of milliseconds').check(z.minimum(0, 'expected 0 or more')),
    ),
    claimable: z.optional(flag),
    install: z.optional(text),
    login: z.optional(text),
  },
  { error: objectError },
);

type Entry = z.infer<typeof entrySchema>;

/**
 * The engines of the setting, over the built-in ones.
 * @param setting whatever stands in the setting; `undefined` or `null` for nothing.
 */
export function customEngines(
  setting: unknown,
  builtin: ReadonlyMap<string, EngineDescriptor>,
): { engines: EngineDescriptor[]; problems: EngineProblem[] } {
  const engines: EngineDescriptor[] = [];
  const problems: EngineProblem[] = [];
  if (setting === undefined || setting === null) return { engines, problems };
  if (typeof setting !== 'object' || Array.isArray(setting)) {
    return {
      engines,
      problems: [{ place: ENGINES_SETTING, message: 'expected an object of engines by name' }],
    };
  }
  for (const [name, value] of Object.entries(setting)) {
    const place = `${ENGINES_SETTING}${placeOf([name])}`;
    const parsed = entrySchema.safeParse(value);
    const faults = [
      ...nameFaults(name),
      ...(parsed.error?.issues.map(({ path, message }) => ({ at: placeOf(path), message })) ?? []),
    ];
    const engine =
      parsed.success && faults.length === 0 ? merged(name, parsed.data, builtin.get(name)) : undefined;
    if (engine !== undefined) faults.push(...consistencyFaults(engine));
    if (engine !== undefined && faults.length === 0) engines.push(engine);
    problems.push(...faults.map(({ at, message }) => ({ place: place + at, message })));
  }
  return { engines, problems };
}

interface Fault {
  readonly at: string;
  readonly message: string;
}

function merged(name: string, entry: Entry, base: EngineDescriptor | undefined): EngineDescriptor {
  const standard = {
    label: name,
    executable: [],
    versionArgs: ['--version'],
    prompt: 'stdin' as const,
    args: [],
    session: 'none' as const,
  };
  const given = Object.entries(entry).filter(([, value]) => value !== undefined);
  // With exactOptionalPropertyTypes zod's "perhaps undefined" is not our "perhaps absent": the filter makes it so.
  return { ...(base ?? standard), ...(Object.fromEntries(given) as Partial<EngineDescriptor>), name };
}

function nameFaults(name: string): Fault[] {
  if (name === SHELL_ENGINE)
    return [{ at: '', message: 'the built-in engine `shell` cannot be changed; use another name' }];
  if (/^[a-z0-9][a-z0-9._-]*$/.test(name)) return [];
  return [{ at: '', message: 'expected a name of lower-case letters, digits, dots, dashes and underscores' }];
}

/** What no single key shows: the keys must agree with each other. */
function consistencyFaults(engine: EngineDescriptor): Fault[] {
  const faults: Fault[] = [];
  const expect = (good: boolean, at: string, message: string) => {
    if (!good) faults.push({ at, message });
  };
  const holds = (args: readonly string[], placeholder: string) =>
    args.some((argument) => argument.includes(placeholder));
  const { args, resumeArgs, prompt, session, executable } = engine;
  expect(executable.length > 0, '.executable', 'expected the name of a program');
  for (const [index, program] of executable.entries()) {
    const plain = program !== '' && !/[\\/]/.test(program);
    expect(
      plain || path.isAbsolute(program),
      `.executable[${index}]`,
      'expected a name that is on the PATH, or an absolute path',
    );
  }
  expect(
    prompt === 'stdin' || holds(args, '{promptFile}'),
    '.args',
    'expected `{promptFile}` in it, because `prompt` is `file`',
  );
  expect(
    session !== 'given' || holds(args, '{sessionId}'),
    '.args',
    'expected `{sessionId}` in it, because `session` is `given`',
  );
  expect(
    session === 'given' || !holds(args, '{sessionId}'),
    '.args',
    '`{sessionId}` needs `session` to be `given`',
  );
  if (resumeArgs !== undefined) {
    expect(holds(resumeArgs, '{sessionId}'), '.resumeArgs', 'expected `{sessionId}` in it');
    expect(
      prompt === 'stdin' || holds(resumeArgs, '{promptFile}'),
      '.resumeArgs',
      'expected `{promptFile}` in it, because `prompt` is `file`',
    );
  }
  return faults;
}

function objectError(issue: z.core.$ZodRawIssue): string {
  if (issue.code !== 'unrecognized_keys') return 'expected an object';
  return `unknown: ${issue.keys.map((key) => `\`${key}\``).join(', ')}`;
}

function isExpression(value: string): boolean {
  try {
    return new RegExp(value, 'i') instanceof RegExp;
  } catch {
    return false;
  }
}

function placeOf(path: readonly PropertyKey[]): string {
  return path
    .map((key) => {
      if (typeof key === 'number') return `[${key}]`;
      return /^[\w-]+$/.test(String(key)) ? `.${String(key)}` : `[${JSON.stringify(String(key))}]`;
    })
    .join('');
}
