// What the kernel has sent from ports of this machine: counters of nftables (needs root, and Debian's nftables).

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export class PortCounters implements AsyncDisposable {
  readonly #table: string;

  private constructor(table: string) {
    this.#table = table;
  }

  static async start(ports: readonly number[]): Promise<PortCounters> {
    const counters = new PortCounters(`headwater_${process.pid}`);
    const table = ['inet', counters.#table];
    await run('nft', ['add', 'table', ...table]);
    await run('nft', ['add', 'chain', ...table, 'out', '{ type filter hook output priority 0; }']);
    for (const port of ports)
      await run('nft', ['add', 'rule', ...table, 'out', 'tcp', 'sport', String(port), 'counter']);
    return counters;
  }

  /** Bytes by port so far, headers of TCP and IP included. */
  async read(): Promise<ReadonlyMap<number, number>> {
    const { stdout } = await run('nft', ['list', 'table', 'inet', this.#table]);
    const lines = stdout.matchAll(/tcp sport (\d+) counter packets \d+ bytes (\d+)/g);
    return new Map([...lines].map(([, port, bytes]) => [Number(port), Number(bytes)]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run('nft', ['delete', 'table', 'inet', this.#table]);
  }
}
