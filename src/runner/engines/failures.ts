/** The kinds of failure: how they are told from what an engine says, and what a person does about each. */
import type { EngineDescriptor, FailureCode } from './descriptor.ts';

/** What any engine may say; a descriptor's own `patterns` come first. */
const COMMON_PATTERNS: NonNullable<EngineDescriptor['patterns']> = [
  {
    match:
      'rate.?limit|usage limit|too many requests|quota (exceeded|exhausted)|resource_exhausted|overloaded|(status|code|error)[ :=]*429\\b',
    code: 'rate-limit',
  },
  {
    match:
      'not logged in|not authenticated|authentication[ _]?(failed|error|required)|please (log|sign) ?in|invalid api key|incorrect api key|api key (is )?(missing|not (set|found|valid))|set an auth method|unauthorized|(status|code|error)[ :=]*401\\b',
    code: 'login',
  },
];

const RETRYABLE: Readonly<Record<FailureCode, boolean>> = {
  failed: true,
  'rate-limit': true,
  timeout: true,
  'no-result': true,
  'no-final-event': true,
  'no-session': true,
  interrupted: true,
  login: false,
  input: false,
  limit: false,
  root: false,
  cancelled: false,
  spawn: false,
};

/** What a model service means by the status with which it refuses; 529 is Anthropic's own. */
const STATUSES: Readonly<Record<number, FailureCode>> = {
  401: 'login',
  429: 'rate-limit',
  529: 'rate-limit',
};

/** The kind of failure that a refusal of the model service is, if it is one of the known ones. */
export function failureOfStatus(status: number | undefined): FailureCode | undefined {
  return status === undefined ? undefined : STATUSES[status];
}

/** The kind of failure that a text of the engine tells, if it is one of the known ones. */
export function failureOf(descriptor: EngineDescriptor, text: string): FailureCode | undefined {
  for (const { match, code } of [...(descriptor.patterns ?? []), ...COMMON_PATTERNS]) {
    if (expression(match).test(text)) return code;
  }
  return undefined;
}

/** Whether the same job may be run again as it is; otherwise a person must act first. */
export function isRetryable(code: FailureCode): boolean {
  return RETRYABLE[code];
}

/** What the person does next, as an imperative sentence. */
export function actionFor(descriptor: EngineDescriptor, code: FailureCode): string {
  switch (code) {
    case 'login':
      return descriptor.login === undefined
        ? `Log in to ${descriptor.label}, then retry the job.`
        : `Run \`${descriptor.login}\` in a terminal and log in, then retry the job.`;
    case 'rate-limit':
      return 'Wait until the limit is lifted, then retry the job.';
    case 'spawn':
      return descriptor.install === undefined
        ? `Install ${descriptor.label}, or name another engine, then retry the job.`
        : `Check that ${descriptor.label} is installed (\`${descriptor.install}\`), then retry the job.`;
    case 'root': {
      const containers = Object.entries(descriptor.rootAllowedWith ?? {}).map(
        ([name, value]) => ` In a container that it may change as it likes, set \`${name}=${value}\`.`,
      );
      return `Run Agent Queue as an ordinary user, or take \`yolo: true\` out of the job.${containers.join('')}`;
    }
    case 'timeout':
      return 'Look at the log, then retry the job, with a longer `timeout` if it needs one.';
    case 'input':
      return 'Look at the log, mend the job or the configuration of the engine, then retry the job.';
    case 'limit':
      return 'Make the job smaller or raise the limit in the configuration of the engine, then retry the job.';
    case 'no-result':
      return 'Say in the job what should change or be answered, or allow the engine to act with `yolo: true`, then retry it.';
    case 'cancelled':
      return 'Retry the job when you want it done after all.';
    case 'failed':
    case 'no-final-event':
    case 'no-session':
    case 'interrupted':
      return 'Look at the log, then retry the job.';
  }
}

const expressions = new Map<string, RegExp>();

function expression(source: string): RegExp {
  const known = expressions.get(source);
  if (known !== undefined) return known;
  const made = new RegExp(source, 'i');
  expressions.set(source, made);
  return made;
}
