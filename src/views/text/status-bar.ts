/** The one item in the status bar: what it says at a glance, and the small panel behind it. */
import type { RunnerPlace, Today } from '../../runner/board.ts';
import { COMMANDS } from '../contributions.ts';
import type { Tally } from '../inbox/sections.ts';
import { commandLink, escapeMarkdown } from './markdown.ts';
import { heldUntil, holdSentence, todayText } from './today.ts';
import type { Translate } from './translate.ts';

export interface StatusFacts {
  readonly trusted: boolean;
  readonly tally: Tally;
  /** Undefined until the home has been read. */
  readonly runner: RunnerPlace | undefined;
  /** What has been used today; undefined until the home has been read. */
  readonly today?: Today | undefined;
  /** Where the home is. */
  readonly home: string;
  /** What the fleet adds, e.g. `Fleet on`; absent where no fleet was ever configured: a person without one is not told that it is off. */
  readonly fleet?: string;
}

export interface StatusText {
  readonly text: string;
  /** Markdown, trusted for the commands it links to. */
  readonly tooltip: string;
  /** What a screen reader says. */
  readonly spoken: string;
  /** A person is needed: the item stands out. */
  readonly needsPerson: boolean;
}

export function statusBar(facts: StatusFacts, t: Translate): StatusText {
  const { tally, runner, fleet, trusted, today } = facts;
  const stalled = runner?.kind === 'stopped' && tally.queued > 0;
  const held = tally.queued > 0 && !stalled && today ? heldUntil(today, t) : undefined;
  const parts = [
    fleet,
    tally.waiting > 0 ? needYou(tally.waiting, t) : undefined,
    tally.running > 0 ? t('{0} running', tally.running) : undefined,
    stalled ? t('{0} queued, runner stopped', tally.queued) : undefined,
    held === undefined ? undefined : t('{0} queued, held until {1}', tally.queued, held),
  ].filter((part) => part !== undefined);
  const words = trusted && parts.length > 0 ? parts.join(' · ') : t('Agent Queue');
  const needsPerson = trusted && tally.waiting > 0;
  const icon = needsPerson ? 'bell-dot' : tally.running > 0 && trusted ? 'play-circle' : 'inbox';
  return {
    text: `$(${icon}) ${words}`,
    tooltip: panel(facts, t),
    spoken: parts.length > 0 && trusted ? t('Agent Queue: {0}', parts.join(', ')) : t('Agent Queue'),
    needsPerson,
  };
}

function needYou(count: number, t: Translate): string {
  return count === 1 ? t('1 needs you') : t('{0} need you', count);
}

function panel({ trusted, tally, runner, today, home, fleet }: StatusFacts, t: Translate): string {
  const heading = `**${escapeMarkdown(t('Agent Queue'))}**`;
  if (!trusted) {
    return `${heading}\n\n${escapeMarkdown(t('This workspace is not trusted, so no job is run or shown here.'))}`;
  }
  const used = today && todayText(today, t);
  const hold = today && holdSentence(today, t);
  const facts: (readonly [string, string] | undefined)[] = [
    fleet === undefined ? undefined : [t('Fleet'), fleet],
    [t('Runner'), runnerText(runner, t)],
    [t('Running'), String(tally.running)],
    [t('Waiting for you'), String(tally.waiting)],
    [t('Queued'), String(tally.queued)],
    used === undefined ? undefined : [t('Used today'), used],
    [t('Home'), home],
  ];
  const rows = facts
    .filter((fact) => fact !== undefined)
    .map(([name, value]) => `| ${escapeMarkdown(name)} | ${escapeMarkdown(value)} |`);
  const links = [
    runner?.kind === 'here'
      ? commandLink(t('Stop Runner'), COMMANDS.runnerStop)
      : commandLink(t('Start Runner'), COMMANDS.runnerStart),
    ...(fleet === undefined ? [] : [commandLink(t('Fleet Status'), COMMANDS.fleetStatus)]),
    commandLink(t('New Job…'), COMMANDS.jobNew),
    commandLink(t('Show Output'), COMMANDS.outputShow),
  ];
  const table = ['| | |', '| :-- | :-- |', ...rows].join('\n');
  const zone = hold === undefined ? '' : t('The day is that of the time zone {0}.', today?.timeZone ?? '');
  const why = hold === undefined ? [] : [escapeMarkdown(`${hold} ${zone}`)];
  return [heading, ...why, table, links.join(' · ')].join('\n\n');
}

/** Who runs the jobs of the home, in words. */
export function runnerText(runner: RunnerPlace | undefined, t: Translate): string {
  switch (runner?.kind) {
    case undefined:
      return t('not looked for yet');
    case 'stopped':
      return t('stopped');
    case 'here':
      return t('on, in this window');
    case 'elsewhere':
      return t('on, in another process ({0}, pid {1})', runner.what, runner.pid);
  }
}
