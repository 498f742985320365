// A job with real ffmpeg: what it makes of every kind of source has the source's segments and times, whatever befalls it.

import { describe, expect, test } from 'vitest';
import { systemClock } from '../../network/clock.ts';
import { FIRST_NUMBERING } from '../../network/feed/numbering.ts';
import { describeRendition } from '../../network/feed/rendition.ts';
import type { RtmpMessage } from '../../origin/media.ts';
import {
  Bench,
  chunksOf,
  expectAligned,
  fileOf,
  hurried,
  newFeed,
  Publisher,
  publish,
  SMALL,
  shownTicks,
  startsOf,
  transcoded,
  untilChunk,
} from '../tools/cluster/transcoding.ts';
import { readFlvFile } from '../tools/media/flv-file.ts';
import { clip, decodeComplaints, sources } from '../tools/media/media.ts';
import { type SourceKind, sourceOf } from '../tools/media/source-kinds.ts';

const X264 = [
  '-c:v',
  'libx264',
  '-preset',
  'ultrafast',
  '-g',
  '30',
  '-keyint_min',
  '30',
  '-sc_threshold',
  '0',
];
const AAC = ['-c:a', 'aac', '-f', 'flv'];
const SECONDS = 3;
const flv = (...args: readonly (readonly string[])[]): RtmpMessage[] => readFlvFile(clip('flv', args.flat()));
const plain = (): RtmpMessage[] => flv(sources({ seconds: SECONDS }), X264, AAC);

const KINDS: readonly SourceKind[] = [
  'B-frames, sound at 48 kHz',
  'open GOPs, mono sound at 44.1 kHz',
  'a variable frame rate',
  'no sound',
  'HEVC',
];

describe('a job makes rungs', () => {
  test.each(KINDS)('with the segments, times and sound of a source with %s', async (kind) => {
    const source = newFeed();
    publish(source, sourceOf(kind, SECONDS));
    const { bench, record } = await transcoded(source, [SMALL]);
    const rung = bench.rungs.get('90p30')!;
    expect(bench.lines.lines.filter(({ level }) => level !== 'info')).toEqual([]);
    const { opensGops = false } = describeRendition('source', source)!;
    expect(opensGops).toBe(kind.startsWith('open') || kind === 'HEVC');
    expectAligned(rung, source, opensGops);
    expect(shownTicks(rung)).toEqual(shownTicks(source).sort((one, other) => one - other));
    expect(soundOf(rung)).toEqual(soundOf(source));
    expect(decodeComplaints(fileOf(rung))).toBe('');
    expect(record).toMatchObject({
      state: 'running',
      renditions: [{ name: '90p30', codecs: expect.stringMatching(/^avc1\.\w{6},mp4a\.40\.2$/), height: 90 }],
    });
  });

  test.each([
    ['libx265', 'hevc', /^hvc1\.1\.6\.L30\.\w+,mp4a\.40\.2$/],
    ['libaom-av1', 'av1', /^av01\.0\.00M\.08,mp4a\.40\.2$/],
    ['libsvtav1', 'av1', /^av01\.0\.00M\.08,mp4a\.40\.2$/],
  ] as const)('with %s', async (encoder, codec, codecs) => {
    const source = newFeed();
    publish(source, plain());
    const { bench, record } = await transcoded(source, [{ ...SMALL, codec }], { [codec]: encoder });
    const rung = bench.rungs.get(SMALL.name)!;
    expectAligned(rung, source);
    expect(shownTicks(rung)).toEqual(shownTicks(source));
    expect(soundOf(rung)).toEqual(soundOf(source));
    expect(chunksOf(rung, 1).filter(({ keyframe }) => keyframe).length).toBe(startsOf(source).length);
    expect(decodeComplaints(fileOf(rung))).toBe('');
    expect(record.renditions).toMatchObject([{ codecs: expect.stringMatching(codecs), width: 160 }]);
  });

  test('with AAC of a source with MP3', async () => {
    const source = newFeed();
    publish(source, sourceOf('MP3 sound', SECONDS));
    const { bench } = await transcoded(source, [SMALL]);
    const rung = bench.rungs.get('90p30')!;
    expectAligned(rung, source);
    expect(rung.initOf(rung.segments[0]!.epoch)!.tracks[1]!.codec).toBe('mp4a.40.2');
    const [own, wanted] = [rung, source].map((feed) => {
      const rate = feed.initOf(feed.segments[0]!.epoch)!.tracks[1]!.timescale;
      const sound = chunksOf(feed, 2);
      return [sound[0]!.decodeTime / rate, (sound.at(-1)!.decodeTime + sound.at(-1)!.duration) / rate];
    });
    expect(Math.abs(own![0]! - wanted![0]!)).toBeLessThan(0.04);
    expect(Math.abs(own![1]! - wanted![1]!)).toBeLessThan(0.06);
    expect(decodeComplaints(fileOf(rung))).toBe('');
  });

  test('of fewer frames, of sound alone, and of none for sound alone', async () => {
    const source = newFeed();
    publish(source, plain());
    const audio = {
      name: 'audio',
      codec: 'none',
      width: 0,
      height: 0,
      maxFrameRate: 0,
      videoKbps: 0,
    } as const;
    const { bench } = await transcoded(source, [{ ...SMALL, name: '90p10', maxFrameRate: 10 }, audio]);
    const slow = bench.rungs.get('90p10')!;
    expectAligned(slow, source);
    expect(shownTicks(slow)).toEqual(shownTicks(source).filter((_, frame) => frame % 3 === 0));
    const alone = bench.rungs.get('audio')!;
    expect(startsOf(alone).map(({ msn }) => msn)).toEqual(startsOf(source).map(({ msn }) => msn));
    for (const [index, { startMs }] of startsOf(alone).entries()) {
      const lateMs = startMs - startsOf(source)[index]!.startMs;
      expect(lateMs).toBeGreaterThanOrEqual(0);
      expect(lateMs).toBeLessThan(1024 / 44.1);
    }
    expect(soundOf(alone)).toEqual(soundOf(source));
    for (const rung of [slow, alone]) expect(decodeComplaints(fileOf(rung))).toBe('');
  });

  test('of every epoch when the broadcaster comes back, with another size', async () => {
    const source = newFeed();
    const bench = new Bench(source);
    const job = bench.start([SMALL]);
    const rung = await bench.adopt('alice', '90p30');
    const numbering = publish(source, plain());
    await untilChunk(rung, ({ msn }) => msn === 1);
    publish(source, flv(sources({ seconds: 2, size: '256x144' }), X264, AAC), numbering);
    source.end('over');
    await job.done;
    expectAligned(rung, source);
    expect(startsOf(rung).map(({ msn }) => msn)).toEqual(startsOf(source).map(({ msn }) => msn));
    expect(shownTicks(rung)).toEqual(shownTicks(source));
    expect(new Set(startsOf(rung).map(({ epoch }) => epoch)).size).toBe(2);
    await job.close();
  });
});

describe('a job goes on', () => {
  test('where it was when its ffmpeg is killed in the middle of a GOP, with a key frame there', async () => {
    const source = newFeed();
    const bench = new Bench(source);
    const publisher = new Publisher(source);
    const messages = plain();
    publisher.push(messages.filter(({ timestampMs }) => timestampMs < 1_500));
    const job = bench.start([SMALL]);
    const rung = await bench.adopt('alice', '90p30');
    await untilChunk(rung, ({ decodeTime, trackId }) => trackId === 1 && decodeTime >= 1.3 * 90_000);
    process.kill(job.pid!, 'SIGKILL');
    publisher.push(messages.filter(({ timestampMs }) => timestampMs >= 1_500));
    publisher.end();
    source.end('over');
    await job.done;
    expect(bench.lines.lines.filter(({ level }) => level === 'warn')).toMatchObject([
      { fields: { reason: 'ffmpeg was ended by SIGKILL' } },
    ]);
    expectAligned(rung, source);
    expect(shownTicks(rung)).toEqual(shownTicks(source));
    expect(soundOf(rung)).toEqual(soundOf(source));
    expect(chunksOf(rung, 1).filter(({ keyframe }) => keyframe).length).toBe(startsOf(source).length + 1);
    expect(decodeComplaints(fileOf(rung))).toBe('');
    await job.close();
  });

  test.each([
    { what: 'gives it away', how: 'leave', runs: 1 },
    { what: 'ends in the middle of a GOP', how: 'close', runs: 2 },
  ] as const)('with a rung of another worker, encoding ahead until that $what', async ({ how, runs }) => {
    const source = newFeed();
    const publisher = new Publisher(source);
    const messages = plain();
    publisher.push(messages.filter(({ timestampMs }) => timestampMs < 1_500));
    const [bench, nextBench] = [new Bench(source), new Bench(source)];
    const rung = await bench.adopt('alice', SMALL.name);
    const other = bench.start([SMALL]);
    await untilChunk(rung, ({ decodeTime, trackId }) => trackId === 1 && decodeTime >= 1.3 * 90_000);
    const isLeft = Promise.withResolvers<void>();
    nextBench.adopt = async (_, __, onFed) => {
      onFed?.();
      await isLeft.promise;
      return rung;
    };
    const job = nextBench.start([SMALL]);
    await expect.poll(() => job.pid).toBeGreaterThan(0);
    const left = how === 'leave' ? other.leave() : other.close();
    publisher.push(messages.filter(({ timestampMs }) => timestampMs >= 1_500));
    await left;
    expect(shownTicks(rung).length).toBeLessThan(shownTicks(source).length);
    isLeft.resolve();
    publisher.end();
    source.end('over');
    await job.done;
    expectAligned(rung, source);
    expect(shownTicks(rung)).toEqual(shownTicks(source));
    expect(soundOf(rung)).toEqual(soundOf(source));
    expect(chunksOf(rung, 1).filter(({ keyframe }) => keyframe).length).toBe(
      startsOf(source).length + runs - 1,
    );
    expect(decodeComplaints(fileOf(rung))).toBe('');
    expect(nextBench.lines.lines.map(({ message }) => message)).toEqual(Array(runs).fill('transcodes'));
    await job.close();
  });

  test('when its ffmpeg stands still', async () => {
    const source = newFeed();
    const bench = new Bench(source);
    const messages = plain();
    const publisher = new Publisher(source);
    publisher.push(messages.filter(({ timestampMs }) => timestampMs < 1_500));
    let stoppedAtMs = Number.POSITIVE_INFINITY;
    const monotonic = (): number => {
      const nowMs = systemClock.monotonic();
      return nowMs + Math.max(0, nowMs - stoppedAtMs) * 4;
    };
    const clock = { ...systemClock, monotonic };
    const job = bench.start([SMALL], { clock });
    const rung = await bench.adopt('alice', '90p30');
    await untilChunk(rung, () => true);
    process.kill(job.pid!, 'SIGSTOP');
    publisher.push(messages.filter(({ timestampMs }) => timestampMs >= 1_500));
    publisher.end();
    source.end('over');
    stoppedAtMs = systemClock.monotonic();
    await job.done;
    expect(bench.lines.lines.map(({ fields }) => fields['reason'])).toContain('ffmpeg gave nothing for 5 s');
    expect(shownTicks(rung)).toEqual(shownTicks(source));
    await job.close();
  });

  test('in another feed when what it needs next is gone', async () => {
    const source = newFeed();
    publish(source, plain());
    const bench = new Bench(source);
    const stale = newFeed();
    const { bench: before } = await transcoded(sourceOfEpochBefore(), [SMALL]);
    for (const chunk of chunksOf(before.rungs.get('90p30')!)) {
      if (chunk.startsEpoch) stale.begin(before.rungs.get('90p30')!.initOf(chunk.epoch)!);
      stale.append(chunk);
    }
    bench.rungs.set('90p30', stale);
    source.end('over');
    const job = bench.start([SMALL]);
    await job.done;
    expect(bench.cut).toEqual([stale]);
    const rung = bench.rungs.get('90p30')!;
    expectAligned(rung, source);
    expect(rung.first).toBeGreaterThan(stale.next);
    await job.close();
  });

  test('until it has failed too often, and says why', async () => {
    const source = newFeed();
    publish(source, plain());
    for (const [program, why] of [
      ['false', /ended with code 1/],
      ['/no/such/ffmpeg', /ENOENT/],
    ] as const) {
      const bench = new Bench(source);
      const job = bench.start([SMALL], { program, clock: hurried(50) });
      await job.done;
      expect(job.record).toMatchObject({
        state: 'failed',
        reason: expect.stringMatching(why),
        renditions: [],
      });
      expect(bench.lines.lines.filter(({ level }) => level === 'warn').length).toBe(5);
      await job.close();
    }
  });

  test('not with more memory than it may have', async () => {
    const source = newFeed();
    publish(source, plain());
    const bench = new Bench(source);
    const job = bench.start([SMALL], { maxBytes: 1e6, clock: hurried(20) });
    await job.done;
    expect(job.record).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(/MB; the limit is 1 MB/),
    });
    await job.close();
  });
});

/** Other numbers, so that what is made of it is not continued by the source. */
function sourceOfEpochBefore(): ReturnType<typeof newFeed> {
  const source = newFeed();
  publish(source, flv(sources({ seconds: 1 }), X264, AAC), { ...FIRST_NUMBERING, msn: 40 });
  return source;
}

function soundOf(feed: Parameters<typeof chunksOf>[0]): readonly (readonly [number, number])[] {
  return chunksOf(feed, 2).map(({ decodeTime, duration }) => [decodeTime, duration] as const);
}
