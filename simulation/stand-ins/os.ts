/** `node:os` of a simulated machine. */
import { here } from '../world/world.ts';

export const homedir = () => '/home/user';
export const tmpdir = () => '/tmp';
export const hostname = () => here().machine.name;
export const userInfo = () => ({ username: 'user' });
export const platform = () => 'linux';
export const cpus = () => [{}, {}];

export default { homedir, tmpdir, hostname, userInfo, platform, cpus };
