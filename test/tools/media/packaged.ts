// Runs messages through the origin's reader and packager, and states what must hold of every feed that comes out.

import { expect } from 'vitest';
import { PART_MAX_MS } from '../../../network/feed/hls-limits.ts';
import { FIRST_NUMBERING, type Numbering } from '../../../network/feed/numbering.ts';
import type { Chunk } from '../../../network/media/chunk.ts';
import type { Init } from '../../../network/media/init.ts';
import { readTag } from '../../../origin/flv/flv.ts';
import type { RtmpMessage } from '../../../origin/media.ts';
import { type Packaged, Packager } from '../../../origin/packager/packager.ts';

export const EPOCH_MS = 1_700_000_000_000;

export interface Feed {
  readonly packaged: readonly Packaged[];
  readonly numbering: Numbering;
  readonly dropped: readonly string[];
}

/** One connection, from its first message to its end; each message arrives when its timestamp says, unless told. */
export function packageAll(
  messages: readonly RtmpMessage[],
  options: { numbering?: Numbering; arrival?: (message: RtmpMessage, index: number) => number } = {},
): Feed {
  const { numbering = FIRST_NUMBERING, arrival = ({ timestampMs }) => EPOCH_MS + timestampMs } = options;
  const dropped: string[] = [];
  const packager = new Packager({ numbering, onDropped: (reason) => dropped.push(reason) });
  const packaged = messages.flatMap((message, index) =>
    packager.push(readTag(message), arrival(message, index)),
  );
  packaged.push(...packager.end());
  return { packaged, numbering: packager.numbering, dropped };
}

export interface EpochFile {
  readonly init: Init;
  readonly chunks: readonly Chunk[];
  /** The init and all chunks: a whole fragmented MP4 file. */
  readonly bytes: Uint8Array;
}

export function epochsOf(packaged: readonly Packaged[]): EpochFile[] {
  const epochs: { init: Init; chunks: Chunk[] }[] = [];
  for (const item of packaged) {
    if (item.kind === 'init') epochs.push({ init: item.init, chunks: [] });
    else epochs.at(-1)!.chunks.push(item.chunk);
  }
  return epochs.map(({ init, chunks }) => ({
    init,
    chunks,
    bytes: Buffer.concat([init.bytes, ...chunks.map((chunk) => chunk.bytes)]),
  }));
}

export function startS(init: Init, chunk: Chunk): number {
  return chunk.decodeTime / timescaleOf(init, chunk);
}

export function endS(init: Init, chunk: Chunk): number {
  return (chunk.decodeTime + chunk.duration) / timescaleOf(init, chunk);
}

export function ofTrack(epoch: EpochFile, kind: 'video' | 'audio'): Chunk[] {
  const track = epoch.init.tracks.find((candidate) => candidate.kind === kind);
  return epoch.chunks.filter((chunk) => chunk.trackId === track?.id);
}

/** Durations in seconds: the next one's start less its own, the last one's up to the end of the lead track. */
export function durationsS(epoch: EpochFile, of: 'startsSegment' | 'startsPart'): number[] {
  const lead = epoch.chunks.filter((chunk) => chunk.trackId === epoch.init.lead.id);
  const starts = epoch.chunks.filter((chunk) => chunk[of]).map((chunk) => startS(epoch.init, chunk));
  return starts.map((start, index) => (starts[index + 1] ?? endS(epoch.init, lead.at(-1)!)) - start);
}

/** What is true of any feed, over all of its connections. `regular` adds what a constant frame rate allows. */
export function expectSound(packaged: readonly Packaged[], { regular = true } = {}): void {
  const epochs = epochsOf(packaged);
  expectNumbered(epochs);
  expectGrowingTimes(epochs);
  for (const epoch of epochs) expectCutOnLead(epoch, regular);
  for (const epoch of epochs) if (epoch.init.lead.kind === 'video') expectTogether(epoch);
}

function expectNumbered(epochs: readonly EpochFile[]): void {
  let previous: Chunk | undefined;
  for (const [index, { chunks }] of epochs.entries()) {
    expect(chunks[0]).toMatchObject({
      startsEpoch: true,
      startsSegment: true,
      startsPart: true,
      keyframe: true,
    });
    for (const chunk of chunks) {
      expect(chunk.sequence).toBe((previous?.sequence ?? 0) + 1);
      expect(chunk.startsEpoch).toBe(chunk === chunks[0]);
      expect(chunk.discontinuitySequence).toBe(index);
      expect(chunk.epoch).toBe(chunks[0]!.epoch);
      expect(chunk.msn).toBe((previous?.msn ?? -1) + (chunk.startsSegment ? 1 : 0));
      expect(chunk.part).toBe(chunk.startsSegment ? 0 : previous!.part + (chunk.startsPart ? 1 : 0));
      if (previous?.targetDurationS) expect(chunk.targetDurationS).toBe(previous.targetDurationS);
      previous = chunk;
    }
    if (index > 0) expect(chunks[0]!.epoch).toBeGreaterThan(epochs[index - 1]!.chunks[0]!.epoch);
  }
}

/** Decode times grow on each track, within and across epochs, and no frame of audio overlaps the next. */
function expectGrowingTimes(epochs: readonly EpochFile[]): void {
  const last = new Map<string, { startS: number; endS: number }>();
  let feedEndS = 0;
  for (const { init, chunks } of epochs) {
    expect(startS(init, chunks[0]!)).toBeGreaterThanOrEqual(feedEndS - 1e-6);
    for (const chunk of chunks) {
      const { kind } = init.tracks.find((track) => track.id === chunk.trackId)!;
      const times = { startS: startS(init, chunk), endS: endS(init, chunk) };
      const before = last.get(kind);
      if (before) expect(times.startS).toBeGreaterThan(before.startS);
      if (before && kind === 'audio') expect(times.startS).toBeGreaterThanOrEqual(before.endS - 1e-6);
      last.set(kind, times);
      feedEndS = Math.max(feedEndS, times.endS);
    }
  }
}

function expectCutOnLead(epoch: EpochFile, regular: boolean): void {
  const { init, chunks } = epoch;
  for (const chunk of chunks) if (chunk.startsPart) expect(chunk.trackId).toBe(init.lead.id);
  const targetDurationS = chunks.at(-1)!.targetDurationS;
  for (const [index, durationS] of durationsS(epoch, 'startsSegment').entries()) {
    const isBounded = regular && (targetDurationS > 0 || index > 0);
    if (isBounded) expect(Math.round(durationS)).toBeLessThanOrEqual(targetDurationS || 10);
  }
  if (!regular) return;
  for (const durationS of durationsS(epoch, 'startsPart'))
    expect(durationS * 1000).toBeLessThanOrEqual(PART_MAX_MS);
  for (const [index, chunk] of leadOf(epoch).entries()) {
    const next = leadOf(epoch)[index + 1];
    if (next) expect(Math.abs(endS(init, chunk) - startS(init, next))).toBeLessThan(0.003);
  }
}

function leadOf({ init, chunks }: EpochFile): Chunk[] {
  return chunks.filter((chunk) => chunk.trackId === init.lead.id);
}

/** An epoch ends with both tracks, the audio at most one frame longer unless it was ahead; nothing of it precedes the video. */
function expectTogether(epoch: EpochFile): void {
  const audio = ofTrack(epoch, 'audio');
  const video = ofTrack(epoch, 'video');
  const videoStartS = startS(epoch.init, video[0]!);
  for (const chunk of audio) expect(startS(epoch.init, chunk)).toBeGreaterThanOrEqual(videoStartS - 1e-6);
  const hasSilence = ['mp4a.40.2', 'opus'].includes(epoch.init.tracks[1]!.codec);
  if (hasSilence && audio.length > 0)
    expect(endS(epoch.init, audio.at(-1)!)).toBeGreaterThanOrEqual(endS(epoch.init, video.at(-1)!) - 1e-6);
}

/** The largest distance in seconds, as chunk follows chunk, by which audio ended before the video (`behind`) or after it (`ahead`). */
export function audioBounds(epoch: EpochFile): { behind: number; ahead: number } {
  const ends = { video: Number.NaN, audio: startS(epoch.init, epoch.chunks[0]!) };
  const bounds = { behind: 0, ahead: 0 };
  for (const chunk of epoch.chunks) {
    const { kind } = epoch.init.tracks.find((track) => track.id === chunk.trackId)!;
    ends[kind] = endS(epoch.init, chunk);
    bounds.behind = Math.max(bounds.behind, ends.video - ends.audio);
    bounds.ahead = Math.max(bounds.ahead, ends.audio - ends.video);
  }
  return bounds;
}

function timescaleOf(init: Init, chunk: Chunk): number {
  return init.tracks.find((track) => track.id === chunk.trackId)!.timescale;
}
