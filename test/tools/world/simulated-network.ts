// A network in memory: processes that can be frozen or killed, and connections between them that can break in every way.

import { EventEmitter } from 'node:events';
import type { Clock, Timer } from '../../../network/clock.ts';
import type { AnswerEvents, Dial } from '../../../network/http/dial.ts';
import type { Exchange } from '../../../network/http/exchange.ts';
import type { SimulatedClock } from './simulated-clock.ts';

/** What runs in a process runs when the process does: not while it is frozen, and never after it was killed. */
export class SimulatedProcess implements Clock {
  readonly #world: SimulatedClock;
  #held: (() => void)[] = [];
  #isFrozen = false;
  #isDead = false;

  constructor(world: SimulatedClock) {
    this.#world = world;
  }

  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  now(): number {
    return this.#world.now();
  }

  monotonic(): number {
    return this.#world.monotonic();
  }

  after(delayMs: number, run: () => void): Timer {
    let isCancelled = false;
    const timer = this.#world.after(delayMs, () => this.run(() => isCancelled || run()));
    return {
      cancel: () => {
        isCancelled = true;
        timer.cancel();
      },
    };
  }

  every(periodMs: number, run: () => void): Timer {
    return this.#world.every(periodMs, () => this.run(run));
  }

  run(task: () => void): void {
    if (this.#isDead) return;
    if (this.#isFrozen) this.#held.push(task);
    else task();
  }

  freeze(): void {
    this.#isFrozen = true;
  }

  thaw(): void {
    this.#isFrozen = false;
    for (const task of this.#held.splice(0)) this.run(task);
  }

  kill(): void {
    this.#isDead = true;
    this.#held = [];
  }
}

/** Answers requests: what stands behind a URL's host. */
export interface Host {
  readonly process: SimulatedProcess;
  answer(exchange: Exchange): void;
}

export class SimulatedNetwork {
  readonly #world: SimulatedClock;
  readonly #random: () => number;
  readonly #hosts = new Map<string, Host>();
  readonly connections = new Set<Connection>();
  /** Pairs of ids between which nothing goes. */
  readonly cuts = new Set<string>();

  constructor(world: SimulatedClock, random: () => number) {
    this.#world = world;
    this.#random = random;
  }

  listen(id: string, host: Host): void {
    this.#hosts.set(id, host);
  }

  /** As a host of that name, from its process. */
  dialAs(id: string, process: SimulatedProcess): Dial {
    return (url, headers, events) => {
      const { hostname, pathname, searchParams } = new URL(url);
      const delayMs = 1 + Math.floor(this.#random() * 40);
      const connection = new Connection({
        world: this.#world,
        from: id,
        to: hostname,
        process,
        events,
        delayMs,
      });
      const isCut = this.cuts.has(pairOf(id, hostname));
      if (!isCut) this.#world.after(delayMs, () => this.#accept(connection, pathname, searchParams, headers));
      return { abort: () => connection.abort() };
    };
  }

  /** As when a machine stops: its connections break, some before what was under way has come; who asks for it is refused. */
  kill(id: string): void {
    this.#hosts.delete(id);
    for (const connection of this.connections) {
      if (!connection.joins(id)) continue;
      if (this.#random() < 0.5) connection.lose();
      connection.break();
    }
  }

  /** As when a cable is pulled: nothing goes between two, and neither is told. What is under way is lost. */
  cut(one: string, other: string, forMs: number): void {
    const pair = pairOf(one, other);
    this.cuts.add(pair);
    for (const connection of this.connections) {
      if (pairOf(connection.from, connection.to) === pair) connection.silence();
    }
    this.#world.after(forMs, () => this.cuts.delete(pair));
  }

  #accept(connection: Connection, path: string, query: URLSearchParams, headers: object): void {
    const host = this.#hosts.get(connection.to);
    if (!host || host.process.isDead) {
      connection.break();
      return;
    }
    this.connections.add(connection);
    connection.socket.once('close', () => this.connections.delete(connection));
    host.process.run(() => host.answer(exchangeOver(connection, path, query, headers)));
  }
}

interface ConnectionOptions {
  readonly world: SimulatedClock;
  readonly from: string;
  readonly to: string;
  /** The process that asked, and what it wants to be told. */
  readonly process: SimulatedProcess;
  readonly events: AnswerEvents;
  readonly delayMs: number;
}

/** One request and its long answer. */
export class Connection {
  readonly socket: SimulatedSocket;
  readonly #options: ConnectionOptions;
  #isClosed = false;
  #isSilent = false;
  #hasLost = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.socket = new SimulatedSocket(this);
  }

  get from(): string {
    return this.#options.from;
  }

  get to(): string {
    return this.#options.to;
  }

  joins(id: string): boolean {
    return this.from === id || this.to === id;
  }

  deliver(bytes: Uint8Array): void {
    this.#later(() => this.#hasLost || this.#options.events.onBytes(bytes));
  }

  refuse(status: number, text: string): void {
    this.#close(() => this.#options.events.onClose({ kind: 'refused', answer: { status, text } }));
  }

  end(): void {
    this.#close(() => this.#options.events.onClose({ kind: 'ended' }));
  }

  abort(): void {
    this.#isClosed = true;
    if (!this.#isSilent) this.#options.world.after(this.#options.delayMs, () => this.socket.close());
  }

  break(): void {
    this.#close(() => this.#options.events.onClose({ kind: 'failed', error: new Error('connection reset') }));
    this.socket.close();
  }

  /** What is under way does not arrive. */
  lose(): void {
    this.#hasLost = true;
  }

  /** Half-open for ever: nothing comes any more, and nobody is told. */
  silence(): void {
    this.#isSilent = true;
  }

  #close(tell: () => void): void {
    this.#later(() => {
      this.#isClosed = true;
      tell();
    });
  }

  /** Everything takes the same time, so that it comes in order. */
  #later(run: () => void): void {
    const { world, delayMs, process } = this.#options;
    world.after(delayMs, () => {
      if (!this.#isSilent) process.run(() => this.#isClosed || run());
    });
  }
}

/** The giving end's socket, as far as it is used. */
export class SimulatedSocket extends EventEmitter {
  readonly #connection: Connection;
  writableNeedDrain = false;
  writableEnded = false;
  destroyed = false;

  constructor(connection: Connection) {
    super();
    this.#connection = connection;
  }

  write(bytes: Uint8Array): boolean {
    if (!this.destroyed) this.#connection.deliver(bytes);
    return !this.writableNeedDrain;
  }

  destroySoon(): void {
    this.writableEnded = true;
    this.destroy();
  }

  destroy(): void {
    if (!this.destroyed) this.#connection.end();
    this.close();
  }

  close(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    queueMicrotask(() => this.emit('close'));
  }

  /** Takes nothing for a while. */
  fill(): void {
    this.writableNeedDrain = true;
  }

  drain(): void {
    this.writableNeedDrain = false;
    if (!this.destroyed) this.emit('drain');
  }
}

/** The few things of Node's request and response that answering takes. */
function exchangeOver(
  connection: Connection,
  path: string,
  query: URLSearchParams,
  headers: object,
): Exchange {
  let status = 0;
  let text = '';
  const response = {
    socket: connection.socket,
    setHeader() {},
    removeHeader() {},
    flushHeaders() {},
    cork() {},
    writeHead(code: number) {
      status = code;
    },
    write(bytes: Uint8Array) {
      text += Buffer.from(bytes).toString();
    },
    end() {
      connection.refuse(status, text);
      connection.socket.close();
    },
  };
  return { request: { method: 'GET', headers }, response, path, query, params: {} } as unknown as Exchange;
}

function pairOf(one: string, other: string): string {
  return [one, other].sort().join(' ');
}
