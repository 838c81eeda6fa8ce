/** What a laptop may be short of: a fleet hears that it is `degraded` (fleet-protocol.md, "What our coordinator adds"). */
import { readdir, readFile, statfs } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';

/** Less free space than this, in bytes, is short: a worktree and a log need some. */
const LITTLE_DISK = 1024 ** 3;
/** A battery that runs down is short from here on, in per cent. */
const LITTLE_BATTERY = 20;

export interface Battery {
  readonly percent: number;
  /** Nothing charges it. */
  readonly isDischarging: boolean;
}

/** In words; what cannot be found out is not short. */
export async function machineShortages(home: string): Promise<string[]> {
  const [free, battery] = await Promise.all([freeBytes(home), batteryOf(process.platform)]);
  return shortagesOf(free, battery);
}

export function shortagesOf(free: number | undefined, battery: Battery | undefined): string[] {
  return [
    ...(free !== undefined && free < LITTLE_DISK
      ? [`the disk has only ${Math.round(free / 1024 ** 2)} MB left`]
      : []),
    ...(battery?.isDischarging === true && battery.percent <= LITTLE_BATTERY
      ? [`the battery is at ${battery.percent} %`]
      : []),
  ];
}

async function freeBytes(folder: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}

/** Not told on Windows, where asking takes half a second of a processor. */
async function batteryOf(platform: NodeJS.Platform): Promise<Battery | undefined> {
  try {
    if (platform === 'linux') return await linuxBattery('/sys/class/power_supply');
    if (platform === 'darwin') return macBattery((await execa('pmset', ['-g', 'batt'])).stdout);
  } catch {
    // A machine without a battery, or one that does not tell.
  }
  return undefined;
}

/** The kernel's own account: `type`, `capacity` and `status` of each supply (Documentation/ABI/testing/sysfs-class-power). */
export async function linuxBattery(folder: string): Promise<Battery | undefined> {
  for (const name of await readdir(folder)) {
    const fact = async (what: string) =>
      (await readFile(path.join(folder, name, what), 'utf8').catch(() => '')).trim();
    if ((await fact('type')) !== 'Battery' || (await fact('scope')) === 'Device') continue;
    const percent = Number((await fact('capacity')) || Number.NaN);
    if (Number.isFinite(percent)) return { percent, isDischarging: (await fact('status')) === 'Discharging' };
  }
  return undefined;
}

/** Reads `pmset -g batt`, e.g. `-InternalBattery-0 (id=1)	18%; discharging; 0:40 remaining`. */
export function macBattery(text: string): Battery | undefined {
  const [, percent, state] = /\t(\d+)%; ([\w ]+);/.exec(text) ?? [];
  return percent === undefined
    ? undefined
    : { percent: Number(percent), isDischarging: state === 'discharging' };
}
