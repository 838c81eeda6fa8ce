/**
 * `node test/flag-off/run.ts`: the local factory's tests with real processes, with everything of a fleet set but the
 * flag: address, token, permissions. Whatever connects to that address is a failure (fleet-protocol.md, rule 1). They
 * run as they are without any of it when mocha is given one of them by itself.
 */
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { execa } from 'execa';
import { ROOT } from '../vscode/packages.ts';
import { TRAP_VARIABLE } from './environment.ts';
import { FLAG_OFF_SUITES } from './suites.ts';

let connections = 0;
const trap = net.createServer((socket) => {
  connections += 1;
  socket.destroy();
});
trap.listen(0, '127.0.0.1');
await once(trap, 'listening');
const { port } = trap.address() as AddressInfo;

const mocha = ['node_modules/mocha/bin/mocha.js', '--reporter', 'test/support/reporter.ts', '--forbid-only'];
const { exitCode } = await execa({
  cwd: ROOT,
  node: true,
  reject: false,
  stdin: 'ignore',
  stdout: 'inherit',
  stderr: 'inherit',
  env: { [TRAP_VARIABLE]: `http://127.0.0.1:${port}/api` },
})`${[...mocha, '--parallel', '--jobs', '2', '--timeout', '20000', ...FLAG_OFF_SUITES]}`;
trap.close();
if (connections > 0)
  console.error(`With the flag off, ${connections} connections were made to the coordinator.`);
process.exitCode = connections > 0 ? 1 : (exitCode ?? 1);
