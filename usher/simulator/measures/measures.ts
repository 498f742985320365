// What is measured of the viewers of one run: who served them for how long, from how far, and what was done to them.

import type { Server } from '../world/plant.ts';
import type { Viewer } from '../world/viewer.ts';
import { Weights } from './weights.ts';

/** Why a session was cut off. */
export type Interruption = 'drain' | 'failure';

export class Measures {
  /** Hours of watching. */
  ownHours = 0;
  cdnHours = 0;
  /** Of the own network: hours times kbps. */
  kbpsHours = 0;
  refusedHours = 0;
  /** Of those: hours times kbps. */
  refusedKbpsHours = 0;
  /** Those that a CDN served although the own network had room when they came to it. */
  needlessCdnViewers = 0;
  /** Who were there when counting began, and who came since. */
  readonly present: number;
  arrived = 0;
  refused = 0;
  refusedWithRoom = 0;
  /** By a server's own guard. */
  turnedAway = 0;
  moves = 0;
  readonly interrupted: Record<Interruption, number> = { drain: 0, failure: 0 };
  readonly km = new Weights(20_040);
  readonly rttMs = new Weights(1_000);
  readonly startMs = new Weights(60_000);
  readonly #sinceMs: number;
  readonly #untilMs: number;

  /** What is watched, or would have been, from then until then counts. */
  constructor(sinceMs: number, untilMs: number, present = 0) {
    this.present = present;
    this.#sinceMs = sinceMs;
    this.#untilMs = untilMs;
  }

  /** A viewer was where it is until now. */
  stayed(viewer: Viewer, nowMs: number): void {
    const hours = (nowMs - Math.max(viewer.sinceMs, this.#sinceMs)) / 3_600_000;
    if (viewer.cdn) this.cdnHours += hours;
    if (!viewer.server) return;
    if (viewer.sinceMs >= this.#sinceMs) this.startMs.add(waitOf(viewer, viewer.server, nowMs), 1);
    this.ownHours += hours;
    this.kbpsHours += hours * viewer.stream.kbps;
    const { km, rttMs } = viewer.group.roads[viewer.server.site.index]!;
    this.km.add(km, hours);
    this.rttMs.add(rttMs, hours);
  }

  refuse(viewer: Viewer, nowMs: number, hadRoom: boolean): void {
    this.refused++;
    if (hadRoom) this.refusedWithRoom++;
    const hours = (Math.min(viewer.leavesAtMs, this.#untilMs) - nowMs) / 3_600_000;
    this.refusedHours += hours;
    this.refusedKbpsHours += hours * viewer.stream.kbps;
  }
}

/** From when it came until its server had first whole segments of the stream, or it went. */
function waitOf({ stream, sinceMs }: Viewer, server: Server, nowMs: number): number {
  const readyAtMs = server.copies.get(stream)?.readyAtMs ?? nowMs;
  return Math.max(0, Math.min(readyAtMs, nowMs) - sinceMs);
}
