/**
 * What must hold, whatever went wrong: judged from what is seen from outside, and from nothing that a program says of
 * itself. Pure. Each finding is a sentence that names the job, if it is about one.
 */
import type { Evidence, JobEvent, Lock, RecordedJob } from './evidence.ts';
import { givenBy, isAccepted, type Message } from './message.ts';
import { MACHINES, type Machine } from './plan.ts';

const ENDS = new Set(['shipped', 'failed', 'dead_letter', 'blocked']);
/** Where a claimed job may lie in a home when all is over. */
const RESTS = new Set(['shipped', 'failed', 'dead_letter', 'quarantine']);

/** The keys of each body, by the contract's table. */
const NAMES: Readonly<Record<Message['call'], readonly string[]>> = {
  heartbeat: ['factoryId', 'capabilities', 'health', 'load'],
  claim: ['factoryId', 'capabilities', 'waitSec'],
  report: ['stage', 'checkpoint', 'leaseEpoch'],
  renew: ['leaseEpoch'],
  release: ['leaseEpoch'],
  look: [],
};

/** @returns what does not hold; nothing: all is well */
export function judge(evidence: Evidence): string[] {
  return [
    ...evidence.record.flatMap((job) => [
      ...landsOnce(job, evidence),
      ...epochsRise(job),
      ...hasEnded(job, evidence),
      ...comesFromMessages(job, evidence),
    ]),
    ...acceptedIsRecorded(evidence),
    ...repeatsAreOne(evidence),
    ...saysNoMore(evidence),
    ...losesNothing(evidence),
    ...leavesNothing(evidence),
  ];
}

/** At most once ever, and under the epoch for which the coordinator has accepted it; once, where it has. */
function landsOnce({ id, events }: RecordedJob, { landings }: Evidence): string[] {
  const own = landings.filter(({ job }) => job === id);
  const shipped = events.filter(({ to }) => to === 'shipped').map(({ leaseEpoch }) => leaseEpoch);
  const found = own
    .filter(({ epoch }) => !shipped.includes(epoch))
    .map(
      ({ epoch, where }) =>
        `${id} landed at ${where} under epoch ${epoch}, for which nobody had accepted that.`,
    );
  if (own.length > 1) {
    const each = own.map(({ where, epoch, commit }) => `${where} (epoch ${epoch}, ${commit.slice(0, 8)})`);
    found.push(`${id} landed ${own.length} times: at ${each.join(', ')}.`);
  }
  if (shipped.length > 1) found.push(`${id} was accepted as shipped ${shipped.length} times.`);
  if (shipped.length > 0 && own.length === 0) found.push(`${id} was accepted as shipped, and never landed.`);
  return found;
}

/** One by one, by claims only, and never back. */
function epochsRise({ id, events, leaseEpoch }: RecordedJob): string[] {
  const found: string[] = [];
  let epoch = 0;
  for (const [index, event] of events.entries()) {
    if (event.n !== index + 1) found.push(`${id}: event ${event.n} stands in the place of ${index + 1}.`);
    const expected = event.kind === 'claimed' ? epoch + 1 : epoch;
    if (event.leaseEpoch !== expected)
      found.push(
        `${id}: event ${event.n} (${event.kind}) is under epoch ${event.leaseEpoch}, not ${expected}.`,
      );
    epoch = event.leaseEpoch;
  }
  if (leaseEpoch !== epoch) found.push(`${id} is under epoch ${leaseEpoch}, its last event under ${epoch}.`);
  return found;
}

function hasEnded({ id, stage, holder }: RecordedJob, { planned }: Evidence): string[] {
  const found: string[] = [];
  if (!ENDS.has(stage))
    found.push(`${id} has not come to its end: it is ${stage}${holder ? ` at ${holder}` : ''}.`);
  const isMeantToFail = planned.some((job) => job.id === id && job.fails);
  if (stage === 'shipped' && isMeantToFail) found.push(`${id} failed, and was shipped.`);
  if (stage === 'blocked' || (stage === 'failed' && !isMeantToFail))
    found.push(`${id} is ${stage}, though nothing is wrong with it.`);
  return found;
}

/** Nothing is in the record that nobody has said. */
function comesFromMessages({ id, events }: RecordedJob, { messages }: Evidence): string[] {
  return events.flatMap((event) => {
    if (event.factoryId === null || !['claimed', 'reported', 'released'].includes(event.kind)) return [];
    const said = MACHINES.filter((machine) => machine === event.factoryId).flatMap(
      (machine) => messages[machine],
    );
    const isSaid = said.some((message) =>
      event.kind === 'claimed' ? message.call === 'claim' : isWordOf(message, id, event),
    );
    return isSaid ? [] : [`${id}: nobody has said what event ${event.n} (${event.kind} ${event.to}) tells.`];
  });
}

function isWordOf(message: Message, id: string, { kind, leaseEpoch, to }: JobEvent): boolean {
  if (message.job !== id || message.epoch !== leaseEpoch) return false;
  return kind === 'released' ? message.call === 'release' : message.call === 'report' && message.stage === to;
}

/** What the coordinator has accepted it knows afterwards, whatever became of it and of the answer meanwhile. */
function acceptedIsRecorded({ messages, record }: Evidence): string[] {
  return MACHINES.flatMap((machine) =>
    messages[machine].filter(isAccepted).flatMap((message) => {
      const given = givenBy(message);
      const { job, epoch, call, stage } = { ...message, ...given };
      if (job === undefined || epoch === undefined || call === 'renew') return [];
      const events = record.find(({ id }) => id === job)?.events ?? [];
      const isRecorded = events.some((event) => {
        if (event.leaseEpoch !== epoch || event.factoryId !== machine) return false;
        if (call === 'claim') return event.kind === 'claimed';
        if (call === 'release') return event.kind === 'released';
        return event.to === stage || (stage === 'failed' && ['retried', 'exhausted'].includes(event.kind));
      });
      if (isRecorded) return [];
      return [
        `${job}: the accepted ${stage ?? call} of ${machine} under epoch ${epoch} is not in the record.`,
      ];
    }),
  );
}

/** A claim that is repeated under its key gives the same job, or none. */
function repeatsAreOne({ messages }: Evidence): string[] {
  return MACHINES.flatMap((machine) => {
    const claims = messages[machine].filter(({ call }) => call === 'claim');
    return [...Map.groupBy(claims, ({ key }) => key)].flatMap(([key, repeats]) => {
      const given = new Set(
        repeats.flatMap((message) => {
          const { job, epoch } = givenBy(message) ?? {};
          return job === undefined ? [] : [`${job} under epoch ${epoch}`];
        }),
      );
      if (key === undefined) return [`A claim of ${machine} has no key.`];
      return given.size > 1 ? [`One claim of ${machine} was given ${[...given].join(' and ')}.`] : [];
    });
  });
}

function saysNoMore({ messages }: Evidence): string[] {
  return MACHINES.flatMap((machine) =>
    messages[machine].flatMap(({ call, names }) => {
      const more = names.filter((name) => !NAMES[call].includes(name));
      return more.length === 0 ? [] : [`A ${call} of ${machine} holds what it must not: ${more.join(', ')}.`];
    }),
  );
}

/** Finished work lies in one place, is still there, and nothing is set aside that was good. */
function losesNothing({ homes, record }: Evidence): string[] {
  return homes.flatMap(({ machine, jobs, finished, outbox }) => {
    const found = outbox.map((name) => `The outbox of ${machine} still has ${name}.`);
    for (const id of new Set([...finished, ...jobs.map((job) => job.id)])) {
      const places = jobs.filter((job) => job.id === id);
      const [place] = places;
      if (place === undefined || places.length > 1) {
        found.push(
          `${id} of ${machine} lies in ${places.length} stages (${places.map(({ stage }) => stage)}).`,
        );
        continue;
      }
      const { stage, reason, job, epoch, isKept } = place;
      if (!RESTS.has(stage))
        found.push(`${id} of ${machine} still lies in ${stage} (${reason ?? 'no reason'}).`);
      if (finished.includes(id) && !isKept) found.push(`The finished work of ${id} at ${machine} is gone.`);
      const end = record.find((each) => each.id === job)?.runs.find((run) => run.leaseEpoch === epoch)?.end;
      if (stage === 'quarantine' && (reason === 'refused' || end === null || end === 'shipped'))
        found.push(`${id} of ${machine} is in quarantine (${reason}), though its claim ${end ?? 'goes on'}.`);
      if (stage === 'shipped' && end !== 'shipped')
        found.push(`${id} is shipped at ${machine}, and ${end ?? 'under way'} at the coordinator.`);
    }
    return found;
  });
}

function leavesNothing({ leaks, locks, processes, remarks, powerCuts }: Evidence): string[] {
  return [
    ...leaks.map((where) => `A token was seen ${where}.`),
    ...locks
      .filter((lock) => !isOfPowerCut(lock, powerCuts))
      .map(({ machine, file }) => `The lock ${file} is left in the clone of ${machine}.`),
    ...processes.map((command) => `A process is left: ${command}`),
    ...remarks.map((remark) => `${remark}.`),
  ];
}

/**
 * A git that was killed leaves the lock that it had; in the person's own part of the repository it is not ours to
 * remove, because the git of a person may have it.
 */
export function isOfPowerCut({ machine, file }: Lock, powerCuts: readonly Machine[]): boolean {
  return powerCuts.includes(machine) && !file.includes('/agent-queue/');
}
