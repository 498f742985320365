// A cluster of real processes, servers and ushers that meet in a real Redis, and everything that can befall them.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../../network/clock.ts';
import { CodedError } from '../../../network/errors.ts';
import type { LogLevel } from '../../../network/logger.ts';
import { RedisState } from '../../../network/state/redis/state-redis.ts';
import type { Role, Snapshot } from '../../../network/state/state.ts';
import { signToken } from '../../../network/token.ts';
import { FeedReader } from '../media/feed-reader.ts';
import { keepingLogger } from '../world/keeping-logger.ts';
import type { Place } from '../world/namespaces.ts';
import { lastingFolder } from '../world/scratch-folder.ts';
import { TcpProxy } from '../world/tcp-proxy.ts';
import { RedisServer } from './redis-server.ts';
import { FREE_PORTS, ServerProcess } from './server-process.ts';

export const STREAM = 'alice';
const KEY = 'open sesame';
const SECRET = 'the secret of a cluster under test';
const PREFIX = 'headwater';
/** To whoever gets there. */
const REACHABLE = ['--protected-mode', 'no'];
const HOUR_MS = 3_600_000;
const PRESSED = join(import.meta.dirname, 'pressed.ts');
const LOOK_MS = 50;
/** Far more than anything takes on a machine that does much else. */
const PATIENCE_MS = 60_000;

export interface ClusterOptions {
  readonly servers: Readonly<Record<string, ServerPlace>>;
  readonly ushers: readonly string[];
  /** What the configuration of ushers has besides. */
  readonly usherConfig?: object;
  /** What may be published; by default the one stream. */
  readonly streams?: readonly string[];
  /** Where the servers of a site are, if not in this process's network; and by which host all reach Redis. */
  readonly placeOf?: (site: string) => Place;
  readonly stateHost?: string;
  /** What the environment of servers has besides. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Whether servers reach each other and Redis by ways that can be cut. */
  readonly isCuttable?: boolean;
  /** Whether servers can be made busy. */
  readonly isPressable?: boolean;
}

export interface ServerPlace {
  readonly site: string;
  readonly roles: readonly Role[];
  readonly egressMbps?: number;
  /** More than one: as many servers of that machine, the others with ids of their own. */
  readonly cores?: number;
  readonly log?: LogLevel;
  /** What the configuration of a worker has of itself, and that of an origin. */
  readonly transcode?: object;
  readonly archive?: object;
}

export class TestCluster implements AsyncDisposable {
  readonly redis: RedisServer;
  readonly #options: ClusterOptions;
  readonly #folder = lastingFolder();
  readonly #state: RedisState;
  readonly #places: Map<string, ServerPlace>;
  readonly #servers = new Map<string, ServerProcess>();
  readonly #ushers = new Map<string, ServerProcess>();
  /** By server, what stands before its relay, and between it and Redis. */
  readonly #gates = new Map<string, TcpProxy>();
  readonly #stateWays = new Map<string, TcpProxy>();
  /** Servers that are frozen or cut off. */
  readonly #unwell = new Set<string>();

  private constructor(options: ClusterOptions, redis: RedisServer) {
    this.#options = options;
    this.#places = new Map(Object.entries(options.servers));
    this.redis = redis;
    const address = redis.address({ prefix: PREFIX });
    this.#state = new RedisState({ address, clock: systemClock, logger: keepingLogger() });
  }

  static async start(options: ClusterOptions): Promise<TestCluster> {
    const cluster = new TestCluster(options, await RedisServer.start({ settings: REACHABLE }));
    try {
      for (const id of options.ushers) await cluster.startUsher(id);
      await Promise.all(Object.keys(options.servers).map((id) => cluster.startServer(id)));
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Of those that live. */
  get serverIds(): readonly string[] {
    return [...this.#places.keys()].filter((id) => this.#servers.has(id));
  }

  get edgeIds(): readonly string[] {
    return this.serverIds.filter((id) => !this.#places.get(id)!.roles.includes('origin'));
  }

  server(id: string): ServerProcess {
    return this.#servers.get(id)!;
  }

  usher(id: string): ServerProcess {
    return this.#ushers.get(id)!;
  }

  /** That signs the tokens of the cluster. */
  get secret(): string {
    return SECRET;
  }

  /** Where ffmpeg pushes a stream to. */
  publishUrl(id: string, stream = STREAM): string {
    return `${this.server(id).rtmpUrl}/${stream}?key=${encodeURIComponent(KEY)}`;
  }

  /** A stream's media at a server. */
  mediaUrl(id: string, rendition = 'source', stream = STREAM): string {
    const expiresAtMs = Date.now() + HOUR_MS;
    const token = signToken([SECRET], { purpose: 'play', stream, expiresAtMs, session: '' });
    return `${this.server(id).mediaUrl}/play/${token}/${stream}/${rendition}/`;
  }

  read(id: string, rendition?: string, stream?: string): FeedReader {
    return new FeedReader(`${this.mediaUrl(id, rendition, stream)}live.mp4`);
  }

  /** An operator asks for it, by an usher. */
  async drain(id: string): Promise<void> {
    const [usher] = this.#ushers.values();
    const grant = { purpose: 'operate', stream: id, expiresAtMs: Date.now() + HOUR_MS, session: '' } as const;
    const headers = { Authorization: `Bearer ${signToken([SECRET], grant)}` };
    const answer = await fetch(`${usher!.url}/api/servers/${id}/drain`, { method: 'POST', headers });
    if (answer.status !== 200) throw new Error(`${answer.status}: ${await answer.text()}`);
  }

  /** Where players of no server in particular find the stream. */
  get playUrl(): string {
    const [usher] = this.#ushers.values();
    return `${usher!.url}/live/${STREAM}.m3u8`;
  }

  /** A server of the cluster's, anew after it was killed, or one more. */
  async startServer(id: string, place = this.#places.get(id)!): Promise<void> {
    this.#places.set(id, place);
    if (!this.#options.isCuttable) {
      const at = this.#options.placeOf?.(place.site);
      this.#servers.set(
        id,
        await this.#startOne('server', id, { ...place, ...(at && { bind: at.name ?? at.host }) }, at),
      );
      return;
    }
    const [gate, stateWay] = [await TcpProxy.before(), await TcpProxy.before(this.redis.port)];
    this.#gates.set(id, gate);
    this.#stateWays.set(id, stateWay);
    const ways = { relayUrl: gate.url, state: stateAt(stateWay.port) };
    const started = await this.#startOne('server', id, { ...place, ...ways });
    gate.leadTo(started.mediaUrl);
    this.#servers.set(id, started);
  }

  /** Another process with the id and all else of a server that there is; ends when that one ends. */
  async runTwin(id: string): Promise<{ readonly code: number | null; readonly output: string }> {
    return ServerProcess.run(['server', '--config', this.#fileOf(id), ...FREE_PORTS]);
  }

  async startUsher(id: string): Promise<void> {
    this.#ushers.set(id, await this.#startOne('usher', id, this.#options.usherConfig ?? {}));
  }

  /** One that has ended by itself is not there any more. */
  forget(id: string): void {
    this.#servers.delete(id);
  }

  /** A server or an usher ends without a word. */
  async kill(id: string): Promise<void> {
    const one = this.#servers.get(id) ?? this.#ushers.get(id)!;
    const ended = one.end('SIGKILL');
    this.#servers.delete(id);
    this.#ushers.delete(id);
    this.#unwell.delete(id);
    await ended;
    await Promise.all([this.#gates.get(id)?.cut(), this.#stateWays.get(id)?.cut()]);
  }

  /** It keeps its connections and does nothing. */
  freeze(id: string): void {
    this.#unwell.add(id);
    this.server(id).signal('SIGSTOP');
  }

  thaw(id: string): void {
    this.#unwell.delete(id);
    this.server(id).signal('SIGCONT');
  }

  /** Its event loop is busy from now on. */
  press(id: string): void {
    this.server(id).signal('SIGUSR2');
  }

  /** Nothing comes through any more between a server and its parent, nor between it and Redis, and nobody is told. */
  cutOff(id: string, parent: string): void {
    this.#unwell.add(id);
    this.#gates.get(parent)!.freeze(new RegExp(`[?&]as=${id}[& ]`));
    this.#stateWays.get(id)!.freeze();
  }

  mend(id: string, parent: string): void {
    this.#unwell.delete(id);
    this.#gates.get(parent)!.thaw();
    this.#stateWays.get(id)!.thaw();
  }

  /** Rejects while Redis is away. */
  snapshot(): Promise<Snapshot> {
    return this.#state.snapshot();
  }

  /** The usher that has the lead, as far as ushers that live have said. */
  get leader(): string | undefined {
    return [...this.#ushers.keys()].find((id) => {
      const said = this.usher(id).lines.findLast(({ msg }) => msg.startsWith('this usher leads'));
      return said?.msg === 'this usher leads';
    });
  }

  /** Whom a server follows, by its own words. */
  parentOf(id: string): string | undefined {
    const { lines } = this.server(id);
    const joined = lines.findLast(({ msg }) => msg === 'following');
    const parent = joined?.['parent'] as string | undefined;
    const isLeft = lines
      .slice(joined ? lines.indexOf(joined) : 0)
      .some((line) => line.msg === 'parent failed' && line['parent'] === parent);
    return isLeft ? undefined : parent;
  }

  /** Why the plan is not whole: it is when somebody leads, and every edge that lives follows a parent in the plan that lives. */
  async troubles(): Promise<readonly string[]> {
    const { plan } = await this.snapshot();
    const isWell = (id: string): boolean => this.#servers.has(id) && !this.#unwell.has(id);
    const troubles = this.edgeIds.filter(isWell).flatMap((id) => {
      const planned = plan[id]?.follows.find(({ stream }) => stream === STREAM)?.parents[0]?.id;
      const parent = this.parentOf(id);
      return planned !== undefined && planned === parent && isWell(planned)
        ? []
        : [`${id} follows ${parent} and is to follow ${planned}`];
    });
    return this.leader ? troubles : ['nobody leads', ...troubles];
  }

  /** Resolves once the plan is whole. */
  async untilWhole(): Promise<void> {
    let troubles: readonly string[] = [];
    await until(
      () => `the plan is whole: ${troubles}`,
      async () => {
        troubles = await this.troubles().catch((error: unknown) => [String(error)]);
        return troubles.length === 0;
      },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#servers.values(), ...this.#ushers.values()].map((one) => one.end('SIGKILL')));
    const proxies = [...this.#gates.values(), ...this.#stateWays.values()];
    await Promise.all(proxies.map((proxy) => proxy[Symbol.asyncDispose]()));
    await this.#state[Symbol.asyncDispose]();
    await this.redis[Symbol.asyncDispose]();
  }

  async #startOne(command: 'server' | 'usher', id: string, more: object, at?: Place): Promise<ServerProcess> {
    const file = this.#fileOf(id);
    const { streams = [STREAM], isPressable, stateHost } = this.#options;
    const publish = { keys: streams.map((stream) => ({ stream, key: KEY })) };
    const state = stateAt(this.redis.port, stateHost);
    // JSON is YAML.
    writeFileSync(file, JSON.stringify({ id, host: id, secrets: [SECRET], publish, state, ...more }));
    const pressed = isPressable ? { NODE_OPTIONS: `--import ${PRESSED}` } : {};
    const environment = { ...pressed, ...this.#options.environment };
    return ServerProcess.start(['--config', file], environment, [command], at);
  }

  #fileOf(id: string): string {
    return join(this.#folder, `${id}.yaml`);
  }
}

/** Resolves once something holds; rejects with `what` when that takes very long. A Redis that answers late is asked again. */
export async function until(what: () => string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  const holdsNow = async (): Promise<boolean> => holds();
  const notYet = (error: unknown): boolean => {
    if (error instanceof CodedError && error.code === 'state_unavailable') return false;
    throw error;
  };
  while (!(await holdsNow().catch(notYet))) {
    if (performance.now() > deadline) throw new Error(`not within ${PATIENCE_MS} ms: ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

function stateAt(port: number, host = '127.0.0.1'): object {
  return { redis: { addresses: [`${host}:${port}`], prefix: PREFIX } };
}
