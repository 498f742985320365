// The ladder of a stream: which renditions are made of a source, by what is wished for. Pure.

import type { RenditionRecord, Rung } from '../../network/state/state.ts';

/** A rung as it is asked for: `{ name: '720p30' }`, or `audio` for sound alone. The codec is H.264 unless told. */
export interface RungWish {
  readonly name: string;
  readonly codec?: 'h264' | 'hevc' | 'av1' | undefined;
  readonly videoKbps?: number | undefined;
}

/** `720p60`: 720 lines on the shorter side, 60 frames per second at most. */
const NAMED = /^(\d{2,4})p(\d{1,3})$/;
/** A rate of 29.97 is no more than 30. */
const RATE_SLACK = 1.02;
/** What sound takes of a source's bitrate, and what the boxes around each frame take: 47 frames of sound and those of pictures. */
const SOUND_BPS = 128_000;
const SOUND_FRAMES_PER_S = 47;
const FRAME_BOXES_BITS = 200 * 8;

/**
 * The highest first. No rung is larger than its source, has more frames or more bits; one that would be the source again is left
 * out. Of a source that browsers can't play, H.264 of the source's own size goes before all others. Nothing is made of sound
 * alone.
 */
export function ladderOf(source: RenditionRecord, wishes: readonly RungWish[]): readonly Rung[] {
  if (source.height === 0 || wishes.length === 0) return [];
  const wished = isPlayable(source) ? wishes : [asSource(source), ...wishes];
  const rungs = new Map<string, Rung>();
  for (const wish of wished) {
    const rung = rungFor(source, wish, isPlayable(source));
    if (rung && !rungs.has(rung.name)) rungs.set(rung.name, rung);
  }
  return [...rungs.values()].sort(
    (one, other) =>
      other.width * other.height - one.width * one.height || other.maxFrameRate - one.maxFrameRate,
  );
}

/** In every browser: H.264 with AAC, where each GOP can be begun with. */
export function isPlayable({ codecs, opensGops }: RenditionRecord): boolean {
  return (
    opensGops === undefined &&
    codecs.split(',').every((codec) => /^avc1\.|^mp4a\.40\.(?:2|5|29)$/.test(codec))
  );
}

function asSource({ width, height, frameRate }: RenditionRecord): RungWish {
  return { name: `${Math.min(width, height)}p${wholeRate(frameRate)}` };
}

function rungFor(source: RenditionRecord, wish: RungWish, isSourcePlayable: boolean): Rung | undefined {
  if (wish.name === 'audio')
    return { name: 'audio', codec: 'none', width: 0, height: 0, maxFrameRate: 0, videoKbps: 0 };
  const [, lines, rate] = NAMED.exec(wish.name) ?? [];
  if (lines === undefined) return undefined;
  const { width, height, frameRate } = source;
  const sourceLines = Math.min(width, height);
  const shorter = Math.min(Number(lines), sourceLines);
  const maxFrameRate = Math.min(Number(rate), wholeRate(frameRate));
  const isSourceAgain = shorter === sourceLines && frameRate <= maxFrameRate * RATE_SLACK;
  const { codec = 'h264' } = wish;
  if (isSourceAgain && isSourcePlayable && codec === 'h264') return undefined;
  const scale = shorter / sourceLines;
  const size = { width: even(width * scale), height: even(height * scale) };
  const wishedKbps = wish.videoKbps ?? usualKbps(size.width * size.height * maxFrameRate, codec);
  const videoKbps = Math.max(MIN_KBPS, Math.min(wishedKbps, pictureKbps(source)));
  const name = `${shorter}p${maxFrameRate}${codec === 'h264' ? '' : `-${codec}`}`;
  return { name, codec, ...size, maxFrameRate, videoKbps };
}

/** A measured rate is not exact: 30.02 is 30, and so is 29.97. */
function wholeRate(frameRate: number): number {
  return Math.max(1, Math.ceil(frameRate - 0.1));
}

function pictureKbps({ averageBps, frameRate }: RenditionRecord): number {
  const boxesBps = (SOUND_FRAMES_PER_S + frameRate) * FRAME_BOXES_BITS;
  return Math.floor((averageBps - SOUND_BPS - boxesBps) / 1000);
}

const MIN_KBPS = 50;
/** 1280x720 at 60 frames per second. */
const USUAL_PIXELS_PER_S = 1280 * 720 * 60;
const USUAL_KBPS = 4_000;
/** What the others need of H.264's bits for the same picture. */
const THRIFT = { h264: 1, hevc: 0.65, av1: 0.55 };

/** Small pictures need more bits for each pixel: 480p30 1100, 360p30 700, 160p30 200. */
function usualKbps(pixelsPerS: number, codec: keyof typeof THRIFT): number {
  const share = pixelsPerS / USUAL_PIXELS_PER_S;
  return Math.max(MIN_KBPS, Math.round((USUAL_KBPS * share ** 0.85 * THRIFT[codec]) / 10) * 10);
}

/** Encoders take even sizes only. */
function even(pixels: number): number {
  return Math.max(2, Math.round(pixels / 2) * 2);
}
