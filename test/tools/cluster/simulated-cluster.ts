// Many servers in a simulated network, two broadcasts that move about, and everything that goes wrong, from one seed.

import { Feeds } from '../../../network/feed/feeds.ts';
import type { Exchange } from '../../../network/http/exchange.ts';
import type { Route } from '../../../network/http/http.ts';
import type { Logger } from '../../../network/logger.ts';
import { Metrics } from '../../../network/metrics.ts';
import { Holdings } from '../../../network/relay/holdings.ts';
import { relayRoutes } from '../../../network/relay/relay-server.ts';
import { RELAY_PATH } from '../../../network/relay/request.ts';
import type { Follow, Parent } from '../../../network/state/state.ts';
import { Broadcaster } from '../media/feed.ts';
import { SimulatedReader, type Truth } from '../viewers/simulated-reader.ts';
import { SimulatedClock } from '../world/simulated-clock.ts';
import { type Host, SimulatedNetwork, SimulatedProcess } from '../world/simulated-network.ts';
import { freeOutflow, roomForAll } from './commitments.ts';

const SECRETS = ['the secret of the cluster'];
const RENDITION = 'source';
const SERVERS = 8;
const STREAMS = ['alice', 'bob'];
const FRAME_MS = 500;
const LIMITS = { windowMs: 20_000, minSegments: 2 };
const MAX_LOG_LINES = 4_000;

interface Stream {
  readonly name: string;
  readonly truth: Truth;
  origin: SimulatedServer;
  /** The origin's process when it became that: it loses the stream with it. */
  process: SimulatedProcess;
  broadcaster: Broadcaster;
  epoch: number;
  /** While the broadcaster is away, or without an origin. */
  silentUntilMs: number;
}

export class SimulatedCluster {
  readonly clock = new SimulatedClock();
  readonly network: SimulatedNetwork;
  readonly servers: SimulatedServer[];
  readonly streams: Stream[];
  readonly log: string[] = [];
  readonly counts: Record<string, number> = {};
  readonly #dice: Dice;
  #plans = 0;
  #isCalm = false;

  constructor(seed: number) {
    this.#dice = new Dice(seed);
    this.network = new SimulatedNetwork(this.clock, () => this.#dice.next());
    this.servers = Array.from({ length: SERVERS }, (_, index) => this.#server(`s${index}`));
    this.streams = STREAMS.map((name, index) => this.#stream(name, this.servers[index]!));
    for (const server of this.servers) server.start();
    for (const stream of this.streams) this.#begin(stream);
    this.clock.every(FRAME_MS, () => this.#frame());
    this.clock.every(1_000, () => this.#look());
    this.#plan(false);
    this.#nextFault();
  }

  /** Random faults for so long, then a time in which everything is to come right. */
  async run(faultsMs: number, calmMs: number): Promise<void> {
    await this.clock.pass(faultsMs);
    this.#isCalm = true;
    this.network.cuts.clear();
    for (const server of this.servers) server.thaw();
    this.#plan(false);
    await this.clock.pass(calmMs);
  }

  get readers(): SimulatedReader[] {
    return this.servers.flatMap(({ readers }) => readers);
  }

  get faults(): string[] {
    return this.readers.flatMap(({ faults }) => faults);
  }

  /** Who has not got a stream up to what its origin wrote, but for what is under way. */
  get behind(): string[] {
    return this.streams.flatMap(({ name, broadcaster }) => {
      const reached = ({ feeds }: SimulatedServer): number => feeds.get(name, RENDITION)?.next ?? 0;
      const late = this.servers.filter((server) => reached(server) < broadcaster.next - 1);
      return late.map((server) => `${server.id} has ${name} up to ${reached(server)} of ${broadcaster.next}`);
    });
  }

  note(line: string): void {
    this.log.push(`${((this.clock.now() - 1_800_000_000_000) / 1000).toFixed(3)} ${line}`);
    if (this.log.length > MAX_LOG_LINES) this.log.shift();
  }

  #server(id: string): SimulatedServer {
    const note = (line: string): void => this.note(`${id}: ${line}`);
    const find = (stream: string): Promise<readonly Parent[] | undefined> =>
      new Promise((resolve) => {
        this.clock.after(this.#dice.upTo(20), () => resolve(this.#holdersOf(stream)));
      });
    return new SimulatedServer(id, { clock: this.clock, network: this.network, find, note });
  }

  /** The origin, and two others who have the stream, as the cluster state would tell. */
  #holdersOf(stream: string): readonly Parent[] | undefined {
    const { origin, process } = this.streams.find(({ name }) => name === stream)!;
    if (process.isDead) return undefined;
    const isHolder = (server: SimulatedServer): boolean =>
      server !== origin && server.isAlive && server.feeds.get(stream, RENDITION) !== undefined;
    const others = this.#dice.shuffle(this.servers.filter(isHolder)).slice(0, 2);
    return [origin, ...others].map(({ parent }) => parent);
  }

  #stream(name: string, origin: SimulatedServer): Stream {
    const broadcaster = new Broadcaster();
    const truth = { name, chunks: new Map() };
    return { name, truth, origin, process: origin.process, broadcaster, epoch: 100, silentUntilMs: 0 };
  }

  /** The origin goes on with what it has of the stream, or begins far behind all that anybody can have. */
  #begin(stream: Stream): void {
    stream.process = stream.origin.process;
    const feed = stream.origin.holdings.adopt(stream.name, RENDITION);
    const last = feed.at(feed.next - 1);
    const known = Math.max(0, ...[...stream.truth.chunks.values()].map(({ sequence }) => sequence));
    const msn = last ? last.msn + 1 : stream.epoch * 1_000;
    const sequence = last ? feed.next : known === 0 ? 1 : known + 1_000;
    stream.epoch++;
    const first = { epoch: stream.epoch, msn, sequence, discontinuitySequence: stream.epoch - 101 };
    stream.broadcaster = new Broadcaster({ fps: 2, gopS: 2, hasAudio: false }, feed, first);
    feed.subscribe((chunk) => chunk && stream.truth.chunks.set(`${chunk.epoch}/${chunk.sequence}`, chunk));
    this.note(`${stream.name} begins on ${stream.origin.id} at ${sequence} in epoch ${stream.epoch}`);
  }

  #frame(): void {
    for (const stream of this.streams) {
      if (this.#isFlowing(stream)) stream.broadcaster.frame();
    }
  }

  /** What the cluster state and the readers do once a second. */
  #look(): void {
    for (const stream of this.streams) {
      if (stream.process.isDead) this.#move(stream);
      const isFlowing = this.#isFlowing(stream);
      for (const server of this.servers) {
        if (server.isRunning) server.readerOf(stream.truth).look(isFlowing);
      }
    }
  }

  #isFlowing({ process, silentUntilMs }: Stream): boolean {
    return !process.isDead && !process.isFrozen && silentUntilMs <= this.clock.now();
  }

  /** The broadcaster reconnects to another server, which follows the stream or not. */
  #move(stream: Stream): void {
    const alive = this.servers.filter((server) => server.isRunning);
    if (alive.length === 0 || this.#dice.isOneIn(3)) return;
    const { origin: before, process } = stream;
    stream.origin = this.#dice.pick(alive);
    this.#count('origin moved');
    this.#begin(stream);
    if (!process.isDead && before !== stream.origin)
      before.process.run(() => before.release(stream.name, stream.origin.parent));
    this.clock.after(this.#dice.upTo(4_000), () => this.#plan(false));
  }

  /** Tells every server what it is to follow, each a little later or earlier. A plan in chaos has loops. */
  #plan(isChaos: boolean): void {
    this.#count(isChaos ? 'plans in chaos' : 'plans');
    const follows = new Map<SimulatedServer, Follow[]>(this.servers.map((server) => [server, []]));
    for (const stream of this.streams) {
      const order = [
        stream.origin,
        ...this.#dice.shuffle(this.servers.filter((one) => one !== stream.origin)),
      ];
      for (const [index, server] of order.entries()) {
        if (index === 0 || (!this.#isCalm && this.#dice.isOneIn(8))) continue;
        const above = isChaos ? order : order.slice(0, index).filter(({ isAlive }) => isAlive);
        const parents = this.#dice.shuffle(above.slice(-4)).slice(0, 2);
        follows
          .get(server)!
          .push({ stream: stream.name, rendition: RENDITION, parents: parents.map((one) => one.parent) });
      }
    }
    const plan = ++this.#plans;
    for (const [server, wanted] of follows) {
      this.clock.after(this.#dice.upTo(1_500), () => server.process.run(() => server.assign(wanted, plan)));
    }
  }

  #nextFault(): void {
    this.clock.after(1_000 + this.#dice.upTo(9_000), () => {
      if (!this.#isCalm) this.#fault();
      this.#nextFault();
    });
  }

  #fault(): void {
    const server = this.#dice.pick(this.servers);
    const faults: Record<string, () => void> = {
      kill: () => this.#kill(server),
      freeze: () => this.#freeze(server),
      'freeze for long': () => this.#freeze(server, 60_000),
      'broken connection': () => this.#connection()?.break(),
      'half-open connection': () => this.#connection()?.silence(),
      garbage: () => this.#connection()?.deliver(this.#dice.bytes(1 + this.#dice.upTo(200))),
      'slow child': () => this.#slow(),
      'cut cable': () =>
        this.network.cut(server.id, this.#dice.pick(this.servers).id, this.#dice.upTo(30_000)),
      'new plan': () => this.#plan(false),
      'plan in chaos': () => this.#plan(true),
      'reconnect of the broadcaster': () => this.#reconnect(),
      demand: () => void server.holdings.demand(this.#dice.pick(STREAMS), RENDITION),
    };
    const kind = this.#dice.pick(Object.keys(faults));
    this.#count(kind);
    this.note(`${kind} (${server.id})`);
    faults[kind]!();
  }

  #kill(server: SimulatedServer): void {
    if (!server.isAlive || this.servers.filter(({ isAlive }) => isAlive).length < 4) return;
    for (const stream of this.streams) if (stream.process === server.process) this.#lastWords(stream);
    server.kill();
    this.network.kill(server.id);
    this.clock.after(500 + this.#dice.upTo(20_000), () => {
      server.start();
      if (this.#dice.isOneIn(2) || this.#isCalm) this.#plan(false);
    });
  }

  /** Not all who follow will get these. */
  #lastWords(stream: Stream): void {
    for (let count = this.#dice.upTo(4); count > 0; count--)
      if (this.#isFlowing(stream)) stream.broadcaster.frame();
  }

  /** Of an origin that is frozen for long, another server takes the stream over. */
  #freeze(server: SimulatedServer, upToMs = 10_000): void {
    if (!server.isRunning) return;
    server.process.freeze();
    this.clock.after(this.#dice.upTo(upToMs), () => server.thaw());
    this.clock.after(4_000, () => {
      for (const stream of this.streams) {
        if (stream.process === server.process && stream.process.isFrozen) this.#move(stream);
      }
    });
  }

  #slow(): void {
    const socket = this.#connection()?.socket;
    socket?.fill();
    this.clock.after(this.#dice.upTo(9_000), () => socket?.drain());
  }

  #reconnect(): void {
    const stream = this.#dice.pick(this.streams);
    stream.silentUntilMs = this.clock.now() + this.#dice.upTo(20_000);
    if (stream.process.isDead || stream.process.isFrozen) return;
    stream.epoch++;
    stream.broadcaster.restart({ width: 320 + this.#dice.upTo(100) });
  }

  #connection() {
    const all = [...this.network.connections];
    return all.length > 0 ? this.#dice.pick(all) : undefined;
  }

  #count(kind: string): void {
    this.counts[kind] = (this.counts[kind] ?? 0) + 1;
  }
}

interface ServerOptions {
  readonly clock: SimulatedClock;
  readonly network: SimulatedNetwork;
  readonly find: (stream: string) => Promise<readonly Parent[] | undefined>;
  readonly note: (line: string) => void;
}

/** One server, with a new process each time that it starts. */
export class SimulatedServer implements Host {
  readonly id: string;
  readonly #options: ServerOptions;
  process: SimulatedProcess;
  feeds = new Feeds(LIMITS);
  holdings!: Holdings;
  readers: SimulatedReader[] = [];
  #routes: readonly Route[] = [];
  #plan = 0;

  constructor(id: string, options: ServerOptions) {
    this.id = id;
    this.#options = options;
    this.process = new SimulatedProcess(options.clock);
  }

  get parent(): Parent {
    return { id: this.id, relayUrl: `http://${this.id}` };
  }

  get isAlive(): boolean {
    return !this.process.isDead;
  }

  get isRunning(): boolean {
    return this.isAlive && !this.process.isFrozen;
  }

  start(): void {
    const { clock, network, find, note } = this.#options;
    this.process = new SimulatedProcess(clock);
    this.feeds = new Feeds(LIMITS);
    const common = { secrets: SECRETS, clock: this.process, logger: loggerTo(note), metrics: new Metrics() };
    const dial = network.dialAs(this.id, this.process);
    const { id, feeds } = this;
    this.holdings = new Holdings({ ...common, id, feeds, dial, find, readersOf: () => 0 });
    const { holdings } = this;
    this.#routes = relayRoutes({
      ...common,
      commitments: roomForAll(),
      outflow: freeOutflow(),
      obtain: (stream, rendition) => holdings.obtain(stream, rendition),
    });
    this.readers = this.readers.map((reader) => reader.restarted(feeds));
    network.listen(this.id, this);
    note('starts');
  }

  /** With a beat comes the plan as it is then: never an older one after a newer. */
  assign(follows: readonly Follow[], plan: number): void {
    if (plan < this.#plan) return;
    this.#plan = plan;
    this.holdings.assign(follows);
  }

  kill(): void {
    this.#options.note('is killed');
    this.process.kill();
  }

  thaw(): void {
    if (this.isAlive && this.process.isFrozen) this.process.thaw();
  }

  readerOf(truth: Truth): SimulatedReader {
    const known = this.readers.find((reader) => reader.truth === truth);
    if (known) return known;
    const reader = new SimulatedReader(`${this.id} ${truth.name}`, truth, this.feeds, this.#options.clock);
    this.readers.push(reader);
    return reader;
  }

  release(stream: string, origin: Parent): void {
    for (const held of this.feeds.all()) {
      if (held.stream === stream) this.holdings.release(stream, RENDITION, held.feed, [origin]);
    }
  }

  answer(exchange: Exchange): void {
    const params = RELAY_PATH.exec(exchange.path)!.groups!;
    void this.#routes[0]!.handle({ ...exchange, params } as Exchange);
  }
}

/** Chance from a seed (mulberry32). */
class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  upTo(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  isOneIn(count: number): boolean {
    return this.upTo(count) === 0;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.upTo(from.length)]!;
  }

  shuffle<T>(values: readonly T[]): T[] {
    const shuffled = [...values];
    for (let index = shuffled.length - 1; index > 0; index--) {
      const other = this.upTo(index + 1);
      [shuffled[index], shuffled[other]] = [shuffled[other]!, shuffled[index]!];
    }
    return shuffled;
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.upTo(256));
  }
}

function loggerTo(note: (line: string) => void, base: object = {}): Logger {
  const write = (fields: object, message: string): void =>
    note(`${message} ${JSON.stringify({ ...base, ...fields })}`);
  return {
    debug: write,
    info: write,
    warn: write,
    error: write,
    child: (fields) => loggerTo(note, { ...base, ...fields }),
  };
}
