/** `node:crypto`, with what is random drawn from the seed. */
import crypto from 'node:crypto';
import { here } from '../world/world.ts';

export const createHash = crypto.createHash.bind(crypto);

export function randomUUID(): string {
  const hex = here().machine.world.chance.hex(32);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}

export function randomBytes(size: number): Buffer {
  return Buffer.from(here().machine.world.chance.hex(size * 2), 'hex');
}
