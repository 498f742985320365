// Servers that beat to a real Redis as servers do, and do nothing else.

import type { Redis } from 'ioredis';
import { sleep, systemClock } from '../../../network/clock.ts';
import { BEAT_MS } from '../../../network/state/liveness.ts';
import type { RedisAddress } from '../../../network/state/redis/redis-client.ts';
import { RedisState } from '../../../network/state/redis/state-redis.ts';
import type { ServerRecord, StreamRecord } from '../../../network/state/state.ts';
import { holding, serverRecord, streamRecord } from '../../tools/cluster/cluster-records.ts';
import { RedisServer } from '../../tools/cluster/redis-server.ts';
import { keepingLogger } from '../../tools/world/keeping-logger.ts';
import type { Size } from '../network-model.ts';

/** Each stream is held by its origin and two others. */
const HOLDERS = 3;
/** All servers are one process here, and wait for each other. */
const PATIENCE_MS = 10_000;

export interface Simulated {
  readonly state: RedisState;
  readonly origin: readonly string[];
  readonly holds: readonly string[];
  readonly id: string;
}

/** A Redis, and servers that have all beaten once. */
export class SimulatedServers implements AsyncDisposable {
  readonly admin: Redis;
  readonly servers: readonly Simulated[];
  readonly #redis: RedisServer;
  readonly #address: RedisAddress;
  readonly #opened = new AsyncDisposableStack();

  private constructor(redis: RedisServer, size: Size) {
    this.#redis = redis;
    this.#address = redis.address();
    this.admin = redis.client();
    this.servers = simulate(size, () => this.connect());
  }

  static async start(size: Size): Promise<SimulatedServers> {
    const simulated = new SimulatedServers(await RedisServer.start(), size);
    for (const server of simulated.servers) await beat(server, 0);
    return simulated;
  }

  /** One more client. */
  connect(): RedisState {
    const options = { clock: systemClock, logger: keepingLogger(), timeoutMs: PATIENCE_MS };
    return this.#opened.use(new RedisState({ address: this.#address, ...options }));
  }

  /** Each beats once a second, all that changes from beat to beat changed. Gives how long each beat took, in ms. */
  async beat(seconds: number): Promise<number[]> {
    const { servers } = this;
    const took: number[] = [];
    const running = servers.map(async (server, index) => {
      await sleep(systemClock, (index / servers.length) * BEAT_MS);
      for (let beats = 1; beats <= seconds; beats++) {
        const [ms] = await Promise.all([beat(server, beats), sleep(systemClock, BEAT_MS)]);
        took.push(ms);
      }
    });
    await Promise.all(running);
    return took;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.admin.disconnect();
    await this.#opened.disposeAsync();
    await this.#redis[Symbol.asyncDispose]();
  }
}

function simulate(size: Size, connect: () => RedisState): Simulated[] {
  const all = Array.from({ length: size.servers }, (_, index) => ({ id: `server-${index}`, index }));
  const perServer = size.streams / size.servers;
  return all.map(({ id, index }) => {
    const streamsOf = (server: number) =>
      Array.from(
        { length: perServer },
        (_, at) => `stream-${((server + size.servers) % size.servers) * perServer + at}`,
      );
    const holds = Array.from({ length: HOLDERS }, (_, distance) => streamsOf(index - 7 * distance)).flat();
    return { state: connect(), id, origin: streamsOf(index), holds };
  });
}

function describe(server: Simulated, beats: number): [ServerRecord, StreamRecord[]] {
  const holdings = server.holds.map((stream, at) =>
    holding(stream, { viewers: at + beats, next: 77 * beats }),
  );
  const streams = server.origin.map((stream) =>
    streamRecord(stream, server.id, 1_800_000_000_000, { lastMsn: beats }),
  );
  return [serverRecord(server.id, { sentMbps: beats, holdings }), streams];
}

async function beat(server: Simulated, beats: number): Promise<number> {
  const [record, streams] = describe(server, beats);
  const startedAt = performance.now();
  await server.state.beat(record, streams);
  return performance.now() - startedAt;
}
