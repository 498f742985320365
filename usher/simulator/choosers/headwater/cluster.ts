// The cluster as Headwater's ushers see it: servers beat once a second, the plan and the streams are as they were written.

import { FIRST_NUMBERING } from '../../../../network/feed/numbering.ts';
import type { Demand } from '../../../../network/state/lease.ts';
import { BEAT_MS } from '../../../../network/state/liveness.ts';
import type { KnownServer, Snapshot, StreamRecord } from '../../../../network/state/state.ts';
import type { Plan } from '../../../planner.ts';
import type { Ground } from '../../world/ground.ts';
import type { Server } from '../../world/plant.ts';
import type { Stream } from '../../world/stream.ts';
import { phaseMs } from '../sight.ts';
import { Calendar } from './calendar.ts';
import { Reporter, wished } from './reporter.ts';

const HOUR_MS = 3_600_000;

export class SimulatedCluster {
  readonly calendar: Calendar;
  readonly #ground: Ground;
  readonly #reporters: ReadonlyMap<Server, Reporter>;
  /** In order of their ids. */
  readonly #ids: readonly string[];
  readonly #records = new Map<string, KnownServer>();
  readonly #streams: StreamRecord[];
  plan: Plan = {};
  #ushers: Snapshot['ushers'] = [];
  accounts: Snapshot['accounts'] = {};
  #spentMicroUsd: Snapshot['spentMicroUsd'] = {};

  constructor(ground: Ground) {
    const { events, plant, streams } = ground;
    this.#ground = ground;
    this.calendar = new Calendar(ground.scenario);
    this.#reporters = new Map(plant.servers.map((server) => [server, new Reporter(server, this.calendar)]));
    this.#ids = plant.servers.map(({ id }) => id).sort();
    this.#streams = streams.map((stream) => recordOf(stream));
    for (const server of plant.servers)
      events.every(BEAT_MS, () => this.beat(server), phaseMs(server, plant.servers, BEAT_MS));
  }

  reporter(server: Server): Reporter {
    return this.#reporters.get(server)!;
  }

  /** At other times than each second, when there is something new. */
  beat(server: Server): void {
    if (!server.isUp) return;
    const reporter = this.reporter(server);
    const known = this.#records.get(server.id);
    if (known && this.calendar.wallMs(this.#ground.events.nowMs) - known.beatAtMs > 2 * BEAT_MS)
      reporter.restarted();
    this.#records.set(server.id, reporter.record(this.#ground.events.nowMs));
  }

  /** What an usher reports: who asks, and what was spent, by the name of the CDN. */
  hear(demand: Demand, spentMicroUsd: Readonly<Record<string, number>>): void {
    this.#ushers = [{ id: 'usher', heardAtMs: this.calendar.wallMs(this.#ground.events.nowMs), demand }];
    for (const [name, more] of Object.entries(spentMicroUsd))
      this.#spentMicroUsd = { ...this.#spentMicroUsd, [name]: (this.#spentMicroUsd[name] ?? 0) + more };
  }

  snapshot(): Snapshot {
    const nowMs = this.calendar.wallMs(this.#ground.events.nowMs);
    return {
      nowMs,
      sinceMs: nowMs - HOUR_MS,
      pausedAtMs: 0,
      servers: this.#ids.flatMap((id) => this.#records.get(id) ?? []),
      streams: this.#ground.streams.map((stream) => this.#record(stream)),
      planTerm: 1,
      plan: this.plan,
      drains: this.#drains(),
      ushers: this.#ushers,
      accounts: this.accounts,
      spentMicroUsd: this.#spentMicroUsd,
    };
  }

  /** The same record as long as nothing changes. */
  #record(stream: Stream): StreamRecord {
    const known = this.#streams[stream.index]!;
    const { origin } = stream;
    const isSame = origin ? known.live && known.term === stream.term : !known.live;
    if (isSame) return known;
    const record = origin ? recordOf(stream) : { ...known, live: false };
    this.#streams[stream.index] = record;
    return record;
  }

  #drains(): Snapshot['drains'] {
    const drained = this.#ground.plant.servers.filter(({ drain }) => drain);
    return Object.fromEntries(drained.map(({ id, drain }) => [id, wished(drain!, this.calendar)]));
  }
}

function recordOf({ name, kbps, origin, term }: Stream): StreamRecord {
  const source = {
    name: 'source',
    codecs: 'avc1.64001f,mp4a.40.2',
    width: 1280,
    height: 720,
    frameRate: 30,
    peakBps: kbps * 1000,
    averageBps: kbps * 1000,
  };
  const live = origin !== undefined;
  const from = { name, origin: origin?.id ?? '', term, startedAtMs: 0, live };
  return { ...from, epoch: term, lastMsn: 100, numbering: FIRST_NUMBERING, renditions: [source] };
}
