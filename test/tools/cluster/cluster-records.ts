// Records of servers and streams, for tests and benchmarks of the cluster state.

import type { UsherReport, Want } from '../../../network/state/lease.ts';
import type { Holding, ServerRecord, StreamRecord } from '../../../network/state/state.ts';

export function serverRecord(id: string, changes: Partial<ServerRecord> = {}): ServerRecord {
  return {
    id,
    instance: `${id}-1`,
    roles: ['origin', 'edge'],
    site: 'fra1',
    host: `host-of-${id}`,
    mediaUrl: `https://${id}.media.example:8081`,
    relayUrl: `http://${id}.relay.example:8082`,
    rtmpUrl: `rtmp://${id}.media.example:1935/live`,
    egressMbps: 10_000,
    sentMbps: 0,
    committedMbps: 0,
    uplinks: {},
    arrived: [],
    copyMs: 0,
    drain: null,
    holdings: [],
    ...changes,
  };
}

export function streamRecord(
  name: string,
  origin: string,
  term: number,
  changes: Partial<StreamRecord> = {},
): StreamRecord {
  return {
    name,
    origin,
    term,
    startedAtMs: 1_800_000_000_000,
    live: true,
    epoch: 1_800_000_000,
    lastMsn: 7,
    numbering: {
      sequence: 1_001,
      msn: 8,
      epoch: 1_800_000_000,
      discontinuitySequence: 1,
      targetDurationS: 2,
      endTicks: 1_440_000,
    },
    renditions: [
      {
        name: 'source',
        codecs: 'avc1.64001f,mp4a.40.2',
        width: 1280,
        height: 720,
        frameRate: 29.97,
        peakBps: 4_200_000,
        averageBps: 4_000_400,
      },
    ],
    ...changes,
  };
}

export function holding(stream: string, changes: Partial<Holding> = {}): Holding {
  return { stream, rendition: 'source', viewers: 0, arrivalsPerS: 0, next: 1, parent: null, ...changes };
}

export function usherReport(
  id: string,
  wants: Readonly<Record<string, Partial<Want>>>,
  changes: Partial<UsherReport> = {},
): UsherReport {
  const nothing = { limitMbps: 0, usedMbps: 0, heldMbps: 0, wantMbps: 0 };
  const whole = Object.entries(wants).map(([resource, want]) => [resource, { ...nothing, ...want }] as const);
  return {
    id,
    sequence: 1,
    asOfMs: 0,
    wants: Object.fromEntries(whole),
    demand: {},
    spentMicroUsd: {},
    month: undefined,
    ...changes,
  };
}
