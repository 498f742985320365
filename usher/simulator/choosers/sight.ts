// What other systems see of a server: means of what it sent, as old as their way of reading them makes them.

import type { Server } from '../world/plant.ts';
import type { Stream } from '../world/stream.ts';

/** One reading of a server. */
export interface Reading {
  /** Mean of what it sent over the window. */
  readonly kbps: number;
  readonly viewers: number;
  /** Those that it has, and how many watch each. */
  readonly streams: ReadonlyMap<Stream, number>;
}

/** Reads one server again and again; its means go back over so many readings. */
export class Sight {
  readonly #server: Server;
  readonly #window: number;
  /** What it had sent in all, oldest first. */
  readonly #sent: { readonly atMs: number; readonly kbit: number }[] = [];

  constructor(server: Server, window: number) {
    this.#server = server;
    this.#window = window;
  }

  read(nowMs: number): Reading {
    const streams = new Map([...this.#server.copies.values()].map((copy) => [copy.stream, copy.viewers]));
    const viewers = streams.values().reduce((sum, count) => sum + count, 0);
    return { kbps: this.readKbps(nowMs), viewers, streams };
  }

  /** For who looks at nothing else: servers may have thousands of streams. */
  readKbps(nowMs: number): number {
    const kbit = this.#server.card.carriedKbit(nowMs);
    const oldest = this.#sent[0] ?? { atMs: 0, kbit: 0 };
    this.#sent.push({ atMs: nowMs, kbit });
    if (this.#sent.length > this.#window) this.#sent.shift();
    const seconds = (nowMs - oldest.atMs) / 1000;
    return seconds > 0 ? (kbit - oldest.kbit) / seconds : 0;
  }
}

/** Servers are read one after another, evenly over the period. */
export function phaseMs(server: Server, servers: readonly Server[], periodMs: number): number {
  return ((server.index + 1) / servers.length) * periodMs;
}
