// Whole broadcasts through the packager: each output is held to the rules of a feed, decoded by ffmpeg and read by mp4box.js.

import { expect, test } from 'vitest';
import { FIRST_NUMBERING } from '../../../network/feed/numbering.ts';
import { readFrame } from '../../../network/media/chunk.ts';
import { readTag } from '../../../origin/flv/flv.ts';
import type { RtmpMessage } from '../../../origin/media.ts';
import { type Packaged, Packager } from '../../../origin/packager/packager.ts';
import { readFlvFile } from '../../tools/media/flv-file.ts';
import { clip, decodeComplaints, picture, probe, sources, tone } from '../../tools/media/media.ts';
import { readMp4File } from '../../tools/media/mp4-file.ts';
import {
  audioBounds,
  durationsS,
  EPOCH_MS,
  type EpochFile,
  endS,
  epochsOf,
  expectSound,
  ofTrack,
  packageAll,
  startS,
} from '../../tools/media/packaged.ts';

const X264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p'];
const AAC = ['-c:a', 'aac', '-ac', '2'];
const EVERY_SECOND = ['-g', '30', '-keyint_min', '30', '-sc_threshold', '0'];

const withBFrames = readFlvFile(
  clip('flv', [...sources({ seconds: 6 }), ...X264, ...EVERY_SECOND, '-bf', '2', ...AAC]),
);
const withoutBFrames = readFlvFile(
  clip('flv', [...sources({ seconds: 6, sampleRate: 48_000 }), ...X264, ...EVERY_SECOND, '-bf', '0', ...AAC]),
);
const videoAlone = withoutBFrames.filter((message) => message.type === 'video');
const audioAlone = withoutBFrames.filter((message) => message.type === 'audio');

test('H.264 with B-frames and AAC at 44.1 kHz comes out exactly 30 Hz, in parts of 200 ms and segments of a second', () => {
  const { packaged } = packageAll(withBFrames);
  const epoch = expectPlayable(packaged);
  expect(epoch.init.tracks.map((track) => track.codec)).toEqual(['avc1.64000d', 'mp4a.40.2']);
  expect(new Set(stepsTicks(epoch))).toEqual(new Set([3000]));
  expect(durationsS(epoch, 'startsSegment')).toEqual([1, 1, 1, 1, 1, 1]);
  expect(durationsS(epoch, 'startsPart').every((durationS) => Math.abs(durationS - 0.2) < 1e-9)).toBe(true);
  const shownTicks = probe(epoch.bytes).packets.flatMap((packet) =>
    packet.codec_type === 'video' ? [packet.pts] : [],
  );
  const sorted = shownTicks.sort((one, other) => one - other);
  expect(sorted.every((ticks, index) => ticks === sorted[0]! + index * 3000)).toBe(true);
  expect(epoch.chunks.at(-1)!.targetDurationS).toBe(1);
});

test.each([
  { rate: '60', steps: [1500], partsMs: 200 },
  { rate: '25', steps: [3600], partsMs: 200 },
  { rate: '24', steps: [3750], partsMs: 208.333 },
  { rate: '50', steps: [1800], partsMs: 200 },
  { rate: '15', steps: [6000], partsMs: 200 },
])('$rate frames per second come out without a tick of jitter', ({ rate, steps, partsMs }) => {
  const args = [...picture({ seconds: 4, rate, size: '160x90' }), ...X264, '-g', rate, '-bf', '0'];
  const epoch = expectPlayable(packageAll(readFlvFile(clip('flv', args))).packaged);
  expect([...new Set(stepsTicks(epoch))]).toEqual(steps);
  const partsS = epochParts(epoch);
  for (const durationS of partsS) expect(durationS * 1000).toBeCloseTo(partsMs, 2);
});

test.each(['30000/1001', '60000/1001', '24000/1001', '27'])(
  '%s frames per second settle to one tick of their period',
  (rate) => {
    const args = [...picture({ seconds: 12, rate, size: '160x90' }), ...X264, '-g', '48', '-bf', '0'];
    const epoch = expectPlayable(packageAll(readFlvFile(clip('flv', args))).packaged);
    const [numerator, denominator = 1] = rate.split('/').map(Number);
    const periodTicks = (90_000 * denominator) / numerator!;
    const settled = stepsTicks(epoch).slice(-100);
    for (const step of settled) expect(Math.abs(step - periodTicks)).toBeLessThanOrEqual(1);
  },
);

test('video alone gets silent AAC that is never ahead of it and never two frames behind', () => {
  const { packaged } = packageAll(videoAlone);
  const epoch = expectPlayable(packaged);
  expect(epoch.init.tracks[1]).toMatchObject({ codec: 'mp4a.40.2', sampleRate: 48_000, channels: 2 });
  const bounds = audioBounds({ ...epoch, chunks: epoch.chunks.slice(0, -1) });
  expect(bounds.ahead).toBeLessThanOrEqual(0);
  expect(bounds.behind).toBeLessThan(0.06);
  expect(endS(epoch.init, ofTrack(epoch, 'video').at(-1)!)).toBeCloseTo(6, 3);
});

test('audio alone has parts of nine AAC frames and segments of two seconds', () => {
  const { packaged } = packageAll(audioAlone);
  const epoch = expectPlayable(packaged);
  expect(epoch.init.tracks.map((track) => track.kind)).toEqual(['audio']);
  const [first, second] = durationsS(epoch, 'startsSegment');
  expect(first).toBeCloseTo(2, 1);
  expect(second).toBeCloseTo(2, 1);
  expect(durationsS(epoch, 'startsPart')[0]).toBeCloseTo((9 * 1024) / 48_000, 6);
});

test('a video that appears in a broadcast of audio is left out, and said once', () => {
  const later = videoAlone.map((message) => shifted(message, 6_000));
  const moreAudio = audioAlone.map((message) => shifted(message, 6_000));
  const { packaged, dropped, numbering } = packageAll([...audioAlone, ...interleaved(later, moreAudio)]);
  const epoch = expectPlayable(packaged);
  expect(ofTrack(epoch, 'audio').length).toBeGreaterThan(560);
  expect(dropped).toEqual(['video in a broadcast that began with audio only']);
  expect(numbering.tracks).toBe('audio');
});

test('a stream that had video refuses a broadcast without, which no player would survive', () => {
  const { numbering } = packageAll(videoAlone);
  expect(() => packageAll(audioAlone, { numbering })).toThrow(/audio alone in a stream that has had video/);
});

test('the first chunk waits half a second for audio, by media time or by the clock', () => {
  const untilFirstChunk = (arrival: (message: RtmpMessage) => number): number => {
    const packager = new Packager({ numbering: FIRST_NUMBERING });
    return videoAlone.findIndex((message) => packager.push(readTag(message), arrival(message)).length > 0);
  };
  const firstFrameMs = videoAlone[1]!.timestampMs;
  expect(videoAlone[untilFirstChunk(() => EPOCH_MS)]!.timestampMs - firstFrameMs).toBe(500);
  expect(untilFirstChunk(({ timestampMs }) => EPOCH_MS + timestampMs * 20)).toBe(2);
});

test('audio that starts late begins a new epoch at the next key frame, with silence until then', () => {
  const audio = monoAudio().map((message) => shifted(message, 2_500));
  const { packaged } = packageAll(
    interleaved(videoAlone, audio).filter(({ timestampMs }) => timestampMs < 6_000),
  );
  expectSound(packaged);
  const epochs = epochsOf(packaged);
  for (const epoch of epochs) expect(decodeComplaints(epoch.bytes)).toBe('');
  expect(epochs.map(({ init }) => init.tracks[1]!.sampleRate)).toEqual([48_000, 32_000]);
  const [before, after] = epochs as [EpochFile, EpochFile];
  expect(startS(after.init, after.chunks[0]!)).toBeCloseTo(3, 1);
  expect(ofTrack(before, 'audio').every((chunk) => chunk.bytes.length === SILENT_CHUNK_BYTES)).toBe(true);
  expect(
    ofTrack(after, 'audio').filter((chunk) => chunk.bytes.length > SILENT_CHUNK_BYTES).length,
  ).toBeGreaterThan(90);
});

test('audio that starts late in the very format of the silence needs no new epoch', () => {
  const fillerConfig = {
    type: 'audio' as const,
    timestampMs: 2_500,
    payload: Uint8Array.of(0xaf, 0, 0x11, 0x90),
  };
  const audio = audioAlone.filter(({ timestampMs }) => timestampMs > 2_500);
  const epoch = expectPlayable(packageAll(interleaved(videoAlone, [fillerConfig, ...audio])).packaged);
  const heardFrom = ofTrack(epoch, 'audio').find((chunk) => chunk.bytes.length > SILENT_CHUNK_BYTES)!;
  expect(startS(epoch.init, heardFrom)).toBeCloseTo(2.5, 1);
  expect(largestHoleS(epoch, ofTrack(epoch, 'audio'))).toBeLessThan(1024 / 48_000);
});

test('audio that stops is replaced by silence after half a second, and is back when it comes back', () => {
  const gap = audioAlone.filter(({ timestampMs }) => timestampMs < 2_000 || timestampMs >= 4_000);
  const epoch = expectPlayable(packageAll(interleaved(videoAlone, gap)).packaged);
  const audio = ofTrack(epoch, 'audio');
  const missingS = largestHoleS(epoch, audio);
  expect(missingS).toBeLessThan(1024 / 48_000);
  expect(audioBounds(epoch).behind).toBeLessThan(0.56);
  const silentS = audio.filter((chunk) => chunk.bytes.length === SILENT_CHUNK_BYTES).length * (1024 / 48_000);
  expect(silentS).toBeCloseTo(2, 1);
});

test('a gap in the audio of a broadcast without video is filled with silence', () => {
  const gap = audioAlone.filter(({ timestampMs }) => timestampMs < 2_000 || timestampMs >= 3_000);
  const epoch = expectPlayable(packageAll(gap).packaged);
  expect(largestHoleS(epoch, epoch.chunks)).toBeLessThan(1024 / 48_000);
  expect(endS(epoch.init, epoch.chunks.at(-1)!)).toBeCloseTo(6, 1);
});

test('another resolution begins a new epoch with both tracks ended at one time, and both decode', () => {
  const larger = clip('flv', [
    ...sources({ seconds: 3, size: '640x360' }),
    ...X264,
    ...EVERY_SECOND,
    '-bf',
    '2',
    ...AAC,
  ]);
  const second = readFlvFile(larger).map((message) => shifted(message, 6_000));
  const { packaged } = packageAll([...withBFrames, ...second]);
  expectSound(packaged);
  const epochs = epochsOf(packaged);
  expect(epochs.map(({ init }) => init.lead.width)).toEqual([320, 640]);
  for (const epoch of epochs) expect(decodeComplaints(epoch.bytes)).toBe('');
  expect(largestStepS(epochs)).toBeLessThan(0.12);
});

test('a broadcaster who comes back continues the numbers and the timeline', () => {
  const first = packageAll(withBFrames.filter(({ timestampMs }) => timestampMs < 3_400));
  const second = packageAll(withoutBFrames, {
    numbering: first.numbering,
    arrival: ({ timestampMs }) => EPOCH_MS + 20_000 + timestampMs,
  });
  const packaged = [...first.packaged, ...second.packaged];
  expectSound(packaged);
  const epochs = epochsOf(packaged);
  expect(epochs.map(({ chunks }) => chunks[0]!.epoch)).toEqual([EPOCH_MS / 1000, EPOCH_MS / 1000 + 20]);
  for (const epoch of epochs) expect(decodeComplaints(epoch.bytes)).toBe('');
  expect(second.numbering).toMatchObject({ msn: 10, discontinuitySequence: 2, targetDurationS: 1 });
  expect(second.numbering.epoch).toBe(EPOCH_MS / 1000 + 20);
});

test('an interrupted short first segment does not fix the target duration', () => {
  const first = packageAll(withBFrames.filter(({ timestampMs }) => timestampMs < 700));
  expect(first.numbering.targetDurationS).toBe(0);
  const second = packageAll(twoSecondGops(), { numbering: first.numbering });
  expect(second.numbering.targetDurationS).toBe(2);
  expectSound([...first.packaged, ...second.packaged]);
});

test.each([
  { what: 'start near the wrap of 2^32 ms', change: (ms: number) => ms + 2 ** 32 - 2_345 },
  { what: 'jump ahead by an hour', change: (ms: number) => (ms < 3_100 ? ms : ms + 3_600_000) },
  { what: 'jump back by ten minutes', change: (ms: number) => 700_000 + (ms < 3_100 ? ms : ms - 600_000) },
  { what: 'start over from zero', change: (ms: number) => (ms < 3_100 ? ms + 50_000 : ms - 3_100) },
  { what: 'go back by 400 ms', change: (ms: number) => (ms < 3_100 ? ms + 1_000 : ms + 600) },
])('timestamps that $what leave a contiguous timeline with the sound in step', ({ change }) => {
  const messages = withBFrames.map((message) => ({
    ...message,
    timestampMs: change(message.timestampMs) % 2 ** 32,
  }));
  const { packaged } = packageAll(messages, { arrival: (_message, index) => EPOCH_MS + index * 13 });
  const epoch = expectPlayable(packaged);
  const video = ofTrack(epoch, 'video');
  expect(video.length).toBe(180);
  expect(endS(epoch.init, video.at(-1)!)).toBeCloseTo(6, 1);
  const frames = ofTrack(epoch, 'audio').length;
  expect(Math.abs(frames - 259)).toBeLessThanOrEqual(4);
  expect(largestStepS([epoch])).toBeLessThan(0.08);
});

test('one stray timestamp is absorbed', () => {
  const messages = withBFrames.map((message, index) =>
    index === 200 ? { ...message, timestampMs: 0 } : message,
  );
  const epoch = expectPlayable(packageAll(messages).packaged, { regular: false });
  expect(ofTrack(epoch, 'video').length).toBe(180);
  expect(endS(epoch.init, ofTrack(epoch, 'video').at(-1)!)).toBeCloseTo(6, 1);
});

test('jitter of a few ms is followed and not accumulated', () => {
  const jitter = [0, 4, -3, 6, -5, 2, 7, -6];
  const messages = videoAlone.map((message, index) => ({
    ...message,
    timestampMs: Math.max(0, message.timestampMs + jitter[index % jitter.length]!),
  }));
  const { packaged } = packageAll(messages);
  expectSound(packaged, { regular: false });
  const [epoch] = epochsOf(packaged);
  const frames = messages.filter(({ payload }) => payload[1] === 1);
  for (const [index, chunk] of ofTrack(epoch!, 'video').entries()) {
    const rtmpMs = frames[index]!.timestampMs - frames[0]!.timestampMs;
    expect(Math.abs(chunk.decodeTime / 90 - rtmpMs)).toBeLessThan(2.3);
  }
});

test('frames that the encoder left out leave longer frames, not a slower clock', () => {
  const messages = withoutBFrames.filter(
    ({ type, payload }, index) => type !== 'video' || payload[0] === 0x17 || index < 60 || index % 7 !== 0,
  );
  const { packaged } = packageAll(messages);
  expectSound(packaged, { regular: false });
  const [epoch] = epochsOf(packaged);
  expect(decodeComplaints(epoch!.bytes)).toBe('');
  const shown = ofTrack(epoch!, 'video').map((chunk) => chunk.decodeTime + readFrame(chunk).composition);
  expect(new Set(stepsOf(shown))).toEqual(new Set([3000, 6000]));
});

test('when every frame is a key frame, segments are half a second', () => {
  const args = [...picture({ seconds: 3, size: '160x90' }), ...X264, '-g', '1'];
  const epoch = expectPlayable(packageAll(readFlvFile(clip('flv', args))).packaged);
  expect(durationsS(epoch, 'startsSegment')).toEqual([0.5, 0.5, 0.5, 0.5, 0.5, 0.5]);
});

test('an endless GOP is cut at ten seconds, and later at the target duration', () => {
  const args = [...picture({ seconds: 25, rate: '10', size: '160x90' }), ...X264, '-g', '9999', '-bf', '0'];
  const epoch = expectPlayable(packageAll(readFlvFile(clip('flv', args))).packaged);
  expect(durationsS(epoch, 'startsSegment').map((durationS) => Math.round(durationS * 10))).toEqual([
    100, 104, 46,
  ]);
  expect(epoch.chunks.filter((chunk) => chunk.startsSegment).map((chunk) => chunk.keyframe)).toEqual([
    true,
    false,
    false,
  ]);
  expect(epoch.chunks.at(-1)!.targetDurationS).toBe(10);
});

test('GOPs longer than the first are cut so that none rounds to more than the target duration', () => {
  const second = twoSecondGops().map((message) => shifted(message, 6_000));
  const { packaged } = packageAll([...withoutBFrames, ...second]);
  expectSound(packaged);
  expect(epochsOf(packaged).at(-1)!.chunks.at(-1)!.targetDurationS).toBe(1);
});

test('when the video stops, audio goes on for ten seconds and then waits for it', () => {
  const audio = [0, 6, 12, 18].flatMap((s) =>
    audioAlone.slice(s === 0 ? 0 : 1).map((message) => shifted(message, s * 1000)),
  );
  const back = videoAlone.slice(1).map((message) => shifted(message, 24_000));
  const { packaged, dropped } = packageAll([...interleaved(videoAlone, audio), ...back]);
  expectSound(packaged, { regular: false });
  const [epoch] = epochsOf(packaged);
  expect(audioBounds(epoch!).ahead).toBeLessThan(10.1);
  expect(dropped).toEqual(['audio while the video has stopped']);
  expect(ofTrack(epoch!, 'video').length).toBe(360);
});

test('frames without their configuration are left out, and said once', () => {
  const { packaged, dropped } = packageAll(withBFrames.filter(({ payload }) => payload[1] === 1));
  expect(packaged).toEqual([]);
  expect(dropped.toSorted()).toEqual([
    'aac audio without its configuration',
    'h264 video without its configuration',
  ]);
});

test('timestamps that stand still leave frames a millisecond apart', () => {
  const messages = videoAlone.map((message) => ({ ...message, timestampMs: 7 }));
  const { packaged } = packageAll(messages);
  expectSound(packaged, { regular: false });
  expect(Math.min(...stepsTicks(epochsOf(packaged)[0]!))).toBeGreaterThanOrEqual(90);
});

test('what can not be packaged is refused with its name', () => {
  const packager = new Packager({ numbering: FIRST_NUMBERING, maxFrameBytes: 1_000 });
  const push = (type: RtmpMessage['type'], ...payload: number[]): Packaged[] =>
    packager.push(readTag({ type, timestampMs: 0, payload: Uint8Array.from(payload) }), EPOCH_MS);
  expect(() => push('video', 0x24, 0, 0, 0, 0)).toThrow(/VP6/);
  expect(() => push('audio', 0xb2, 0)).toThrow(/Speex/);
  expect(() => push('audio', 0xaf, 0, 0x11, 0x80)).toThrow(/channel configuration 0/);
  expect(() => push('video', 0x17, 1, 0, 0, 0, ...new Array(1_001).fill(7))).toThrow(
    /1001 bytes; the limit is 1000/,
  );
});

const SILENT_CHUNK_BYTES = 184 + 9;

/** One epoch, sound, without a complaint of ffmpeg's, and read by mp4box.js as what it is. */
function expectPlayable(packaged: readonly Packaged[], options?: { regular: boolean }): EpochFile {
  expectSound(packaged, options);
  const epochs = epochsOf(packaged);
  expect(epochs.length).toBe(1);
  const [epoch] = epochs;
  expect(decodeComplaints(epoch!.bytes)).toBe('');
  const tracks = readMp4File(epoch!.bytes);
  expect(tracks.map((track) => track.codec)).toEqual(epoch!.init.tracks.map((track) => track.codec));
  // mp4box.js adds up durations, which are predictions, and agrees with tfdt only where those come true.
  for (const track of options?.regular === false ? [] : tracks) {
    const chunks = epoch!.chunks.filter((chunk) => chunk.trackId === track.id);
    expect(track.samples.map((sample) => sample.decodeTime).join()).toBe(
      chunks.map((chunk) => chunk.decodeTime).join(),
    );
    expect(track.samples.map((sample) => sample.keyframe).join()).toBe(
      chunks.map((chunk) => chunk.keyframe).join(),
    );
  }
  return epoch!;
}

/** Without the last part of a segment, which is as long as is left. */
function epochParts(epoch: EpochFile): number[] {
  const starts = epoch.chunks.filter((chunk) => chunk.startsPart);
  return durationsS(epoch, 'startsPart').filter(
    (_durationS, index) => starts[index + 1]?.startsSegment === false,
  );
}

function stepsTicks(epoch: EpochFile): number[] {
  return stepsOf(ofTrack(epoch, 'video').map((chunk) => chunk.decodeTime));
}

function stepsOf(times: readonly number[]): number[] {
  return times.slice(1).map((time, index) => time - times[index]!);
}

function largestHoleS({ init }: EpochFile, chunks: readonly EpochFile['chunks'][number][]): number {
  const holes = chunks.slice(1).map((chunk, index) => startS(init, chunk) - endS(init, chunks[index]!));
  return Math.max(...holes);
}

/** The longest distance between the starts of two video frames, across epochs too. */
function largestStepS(epochs: readonly EpochFile[]): number {
  const times = epochs.flatMap((epoch) => ofTrack(epoch, 'video').map((chunk) => startS(epoch.init, chunk)));
  return Math.max(...times.slice(1).map((time, index) => time - times[index]!));
}

function shifted(message: RtmpMessage, byMs: number): RtmpMessage {
  return { ...message, timestampMs: message.timestampMs + byMs };
}

function interleaved(...tracks: readonly RtmpMessage[][]): RtmpMessage[] {
  return tracks.flat().sort((one, other) => one.timestampMs - other.timestampMs);
}

function twoSecondGops(): RtmpMessage[] {
  const args = [...sources({ seconds: 6 }), ...X264, '-g', '60', '-sc_threshold', '0', '-bf', '0', ...AAC];
  return readFlvFile(clip('flv', args));
}

function monoAudio(): RtmpMessage[] {
  const args = [...tone({ seconds: 4, sampleRate: 32_000 }), '-c:a', 'aac', '-ac', '1'];
  return readFlvFile(clip('flv', args)).filter((message) => message.type === 'audio');
}
