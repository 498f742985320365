// What a decision costs, and what it costs to read a snapshot for deciding: two sizes of one network. Time is that of the core, so that others on the machine do not count.

import { place } from '../../usher/placement/place.ts';
import { bookingOf } from '../../usher/placement/promises/booking.ts';
import { Promises } from '../../usher/placement/promises/promises.ts';
import type { PlaceRequest } from '../../usher/placement/request.ts';
import { Kept } from '../../usher/placement/scene/kept.ts';
import { sceneOf } from '../../usher/placement/scene/scene.ts';
import {
  clusterOf,
  Dice,
  nextSnapshot,
  Popularity,
  requestOf,
  SIZES,
  type Size,
  topologyOf,
} from './network-model.ts';
import { percentile, type Report, table } from './report.ts';

/** Decisions between two snapshots: 10,000 viewers come in a second. */
const PER_SNAPSHOT = 2_000;
const WARM_SNAPSHOTS = 10;

export interface Placing extends Size {
  readonly decisionsPerS: number;
  readonly medianUs: number;
  readonly p99Us: number;
  readonly refused: number;
  readonly firstSceneMs: number;
  readonly sceneMs: number;
}

export async function benchmarkPlace({ seconds }: { readonly seconds: number }): Promise<Report> {
  const results = SIZES.map((size) => measurePlacing(size, seconds));
  const rows = results.map((result) => [
    `${result.servers} servers, ${result.streams} streams`,
    String(Math.round(result.decisionsPerS)),
    result.medianUs.toFixed(1),
    result.p99Us.toFixed(1),
    String(result.refused),
    result.firstSceneMs.toFixed(0),
    result.sceneMs.toFixed(1),
  ]);
  const head = ['cluster', 'decisions/s', 'median us', 'p99 us', 'refused', 'first scene ms', 'scene ms'];
  return { data: results, text: table(head, rows) };
}

/** Decides for viewers as they come, snapshot after snapshot, with what was promised booked. */
export function measurePlacing(size: Size, seconds: number): Placing {
  const dice = new Dice(1);
  const topology = topologyOf();
  const popular = new Popularity(size.streams);
  let current = clusterOf(size, popular);
  const promised = new Promises();
  const kept = new Kept();
  const scenesMs: number[] = [];
  const tookUs: number[] = [];
  let [refused, decisions, decidingMs] = [0, 0, 0];
  const arriving = new Map<string, PlaceRequest[]>();
  for (let round = 0; decidingMs < seconds * 1000; round++) {
    const startedAt = process.threadCpuUsage();
    const scene = sceneOf(current, { topology, promised, kept });
    scenesMs.push(msSince(startedAt));
    const requests = Array.from({ length: PER_SNAPSHOT }, (_, at) =>
      requestOf(popular, dice, `${round}-${at}`),
    );
    const before = process.threadCpuUsage();
    for (const request of requests) {
      const decidedAt = performance.now();
      const decision = place(scene, request);
      const choice = decision.kind === 'serve' ? decision.choices[0] : undefined;
      const booking = choice?.kind === 'server' ? bookingOf(scene, request.stream, choice) : undefined;
      if (booking) promised.book(request.viewer, booking, current.nowMs);
      if (round >= WARM_SNAPSHOTS) tookUs.push((performance.now() - decidedAt) * 1000);
      if (booking) arriving.getOrInsertComputed(booking.server, () => []).push(request);
      else refused += 1;
    }
    if (round >= WARM_SNAPSHOTS) {
      decidingMs += msSince(before);
      decisions += PER_SNAPSHOT;
    }
    current = nextSnapshot(current, arriving, round);
  }
  return {
    ...size,
    decisionsPerS: (decisions / decidingMs) * 1000,
    medianUs: percentile(tookUs, 0.5),
    p99Us: percentile(tookUs, 0.99),
    refused,
    firstSceneMs: scenesMs[0]!,
    sceneMs: percentile(scenesMs.slice(1), 0.5),
  };
}

function msSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}
