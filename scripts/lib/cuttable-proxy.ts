/** A network that can be cut: what connects to it reaches the target until it is, and again when it is mended. */
import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';

export class CuttableProxy {
  readonly #target: number;
  readonly #sockets = new Set<Socket>();
  #server: net.Server | undefined;
  #port = 0;

  /** @param target a port on loopback */
  constructor(target: number) {
    this.#target = target;
  }

  get port(): number {
    return this.#port;
  }

  async mend(): Promise<void> {
    const server = net.createServer((socket) => {
      const onward = net.connect(this.#target, '127.0.0.1');
      for (const [one, other] of [
        [socket, onward],
        [onward, socket],
      ] as const) {
        this.#sockets.add(one);
        one.on('error', () => other.destroy());
        one.on('close', () => {
          this.#sockets.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
    });
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Connections break off, and new ones are refused. */
  async cut(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
