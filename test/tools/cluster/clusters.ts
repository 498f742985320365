// Snapshots of clusters for tests and benchmarks of usher, and what becomes of one whose plan is carried out.

import type {
  AnnouncedDrain,
  Assignment,
  Holding,
  KnownServer,
  RenditionRecord,
  Snapshot,
  StreamRecord,
} from '../../../network/state/state.ts';
import type { Plan } from '../../../usher/planner.ts';

export const NOW_MS = 1_800_000_000_000;

export function server(id: string, changes: Partial<KnownServer> = {}): KnownServer {
  return {
    id,
    instance: `${id}-1`,
    roles: ['edge'],
    site: 'fra1',
    host: `host-of-${id}`,
    mediaUrl: `https://${id}.example:8081`,
    relayUrl: `http://${id}.example:8082`,
    rtmpUrl: `rtmp://${id}.example:1935/live`,
    egressMbps: 1_000,
    sentMbps: 0,
    committedMbps: 0,
    uplinks: {},
    arrived: [],
    copyMs: 0,
    drain: null,
    holdings: [],
    beatAtMs: NOW_MS - 400,
    ...changes,
  };
}

export const DRAIN: AnnouncedDrain = { sinceMs: NOW_MS - 5_000, deadlineMs: null, wished: true };

/** Of 4 Mbps. */
export const SOURCE: RenditionRecord = {
  name: 'source',
  codecs: 'avc1.64001f,mp4a.40.2',
  width: 1280,
  height: 720,
  frameRate: 30,
  peakBps: 4_200_000,
  averageBps: 4_000_000,
};

export function stream(name: string, origin: string, changes: Partial<StreamRecord> = {}): StreamRecord {
  return {
    name,
    origin,
    term: 1,
    startedAtMs: NOW_MS - 60_000,
    live: true,
    epoch: 1_800_000_000,
    lastMsn: 59,
    numbering: {
      sequence: 1_001,
      msn: 60,
      epoch: 1_800_000_000,
      discontinuitySequence: 1,
      targetDurationS: 2,
      endTicks: 1_440_000,
    },
    renditions: [SOURCE],
    ...changes,
  };
}

export function holding(name: string, viewers = 0, changes: Partial<Holding> = {}): Holding {
  return {
    stream: name,
    rendition: 'source',
    viewers,
    arrivalsPerS: 0,
    next: 1_000,
    parent: null,
    ...changes,
  };
}

export function snapshot(
  servers: readonly KnownServer[],
  streams: readonly StreamRecord[],
  changes: Partial<Snapshot> = {},
): Snapshot {
  return {
    nowMs: NOW_MS,
    sinceMs: NOW_MS - 3_600_000,
    pausedAtMs: 0,
    servers: servers.toSorted((one, other) => (one.id < other.id ? -1 : 1)),
    streams: streams.toSorted((one, other) => (one.name < other.name ? -1 : 1)),
    planTerm: 0,
    plan: {},
    drains: {},
    ushers: [],
    accounts: {},
    spentMicroUsd: {},
    ...changes,
  };
}

/** First parents by child, of one rendition. */
export function parentsIn(plan: Plan, name: string, rendition = 'source'): Map<string, string> {
  const found = new Map<string, string>();
  for (const [id, { follows }] of Object.entries(plan))
    for (const follow of follows)
      if (follow.stream === name && follow.rendition === rendition) found.set(id, follow.parents[0]!.id);
  return found;
}

/** The plan is the state's, every server holds what it is to follow and nothing else that nobody watches, and sends it on. */
export function carriedOut(before: Snapshot, plan: Plan): Snapshot {
  const sentBefore = relayedMbps(before, before.plan);
  const sentAfter = relayedMbps(before, plan);
  const origins = new Map(before.streams.map(({ name, origin }) => [name, origin]));
  const servers = before.servers.map((each) => {
    const follows = plan[each.id]?.follows ?? [];
    const isWanted = ({ stream: name, rendition, viewers }: Holding): boolean =>
      viewers > 0 ||
      origins.get(name) === each.id ||
      follows.some((follow) => follow.stream === name && follow.rendition === rendition);
    const isNew = (follow: Assignment['follows'][number]): boolean =>
      !kept.some(({ stream: name, rendition }) => name === follow.stream && rendition === follow.rendition);
    const comesFrom = ({ stream: name, rendition }: Holding): string | null =>
      follows.find((follow) => follow.stream === name && follow.rendition === rendition)?.parents[0]?.id ??
      null;
    const kept = each.holdings.filter(isWanted).map((held) => ({ ...held, parent: comesFrom(held) }));
    const made = follows.filter(isNew).map(({ stream: name, rendition, parents }) => {
      return holding(name, 0, { rendition, parent: parents[0]?.id ?? null });
    });
    const change = (sentAfter.get(each.id) ?? 0) - (sentBefore.get(each.id) ?? 0);
    return { ...each, holdings: [...kept, ...made], sentMbps: Math.max(0, each.sentMbps + change) };
  });
  return { ...before, servers, plan, planTerm: before.planTerm + 1 };
}

function relayedMbps({ servers, streams }: Snapshot, plan: Plan): Map<string, number> {
  const sent = new Map<string, number>();
  const records = new Map(streams.map((record) => [record.name, record]));
  for (const { id } of servers)
    for (const { stream: name, rendition, parents } of plan[id]?.follows ?? []) {
      const record = records.get(name)?.renditions.find((known) => known.name === rendition);
      const parent = parents[0]?.id;
      if (record && parent) sent.set(parent, (sent.get(parent) ?? 0) + record.averageBps / 1e6);
    }
  return sent;
}
