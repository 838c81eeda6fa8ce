/**
 * Seeds that have found something, and what it was: run again by every `npm test`. What a seed is follows from plan.ts:
 * the first four are from before its last change, and are other runs by now.
 */
export const FOUND: readonly (readonly [seed: number, what: string])[] = [
  [18, 'a job that may land, given up by a person, stayed among the leases for ever'],
  [81, 'the same, given up before its fenced report was answered'],
  [11, 'a claim was sent whose request id a full disk had not taken'],
  [297, 'the end of a job was not told when a crash came before its report'],
  [10098, 'a job whose fenced report was accepted, unheard, was sent back and then quarantined'],
  [10165, 'a job adopted from quarantine waited for jobs that only the coordinator knows'],
  [1130, 'a lease was given back while it was fenced, and its release lay in the outbox for ever'],
  [1709, 'a job that was fenced while the disk was full stayed where it was'],
  [2045, 'a laptop that slept while a file was written did not notice it'],
  [2262, 'a job that may land, sent back by a person, failed and could not be taken up again'],
  [4863, 'a job was in work twice: the fleet asked for it while a new runner took it up'],
  [
    5599,
    'a job was accepted as shipped, unheard; with fleet mode off its intent was dropped, and then it was fenced',
  ],
  [
    7386,
    'a claim was answered again after its job had come to its end with fleet mode off: the lease was renewed for ever',
  ],
  [
    275,
    'a job whose worktree had been given back when its runner was killed was sent back, and went on in it',
  ],
  [1597, 'a lease was given back by a person while its job was being reported as shipped'],
  [5142, 'a job was taken again while the work that had put it back was not quite over, and was not begun'],
  [2754, 'a job whose push had been cut off, sent back, was pushed to a second branch'],
  [8247, 'a person approved a job before its runner had attached to the fleet, and that was never told'],
  [7651, 'a job was taken away while the disk was full: its runner tried again without a pause'],
  [8566, 'a claim was answered again while its job was being moved: it was made a second time, in assigned'],
  [9214, 'the same, by a runner that had just started'],
  [12544, 'the answer to a claim from before a sleep was taken for a certain lease'],
  [54, 'a job that had landed when its runner was killed was sent back, and landed again'],
];
