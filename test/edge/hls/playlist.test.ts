import fc from 'fast-check';
import { parse, setOptions, type types } from 'hls-parser';
import { describe, expect, test } from 'vitest';
import { listedSegments } from '../../../edge/hls/playlist.ts';
import { Rendition } from '../../../edge/hls/rendition.ts';
import { Feed, type FeedReader } from '../../../network/feed/feed.ts';
import { Broadcaster } from '../../tools/media/feed.ts';
import { type ReadPlaylist, type ReadSegment, readPlaylist } from '../../tools/viewers/read-playlist.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';

function renditionOf(feed: FeedReader): Rendition {
  return new Rendition({
    feed,
    clock: new ManualClock(),
    onBuilt: () => {},
    reports: () => [],
    onEnd: () => {},
  });
}

function textOf(rendition: Rendition, wantsDelta = false): string {
  return Buffer.from(rendition.playlist(wantsDelta, false).views[0]!).toString();
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

describe('the text of a playlist', () => {
  test.each<[string, () => Broadcaster, delta?: boolean]>([
    ['start', () => new Broadcaster().play(1.05)],
    ['mid', () => new Broadcaster({ gopS: 2 }).play(61.5)],
    ['delta', () => new Broadcaster({ gopS: 1 }).play(61.5), true],
    ['discontinuity', () => new Broadcaster().play(5).silence(20).restart({ width: 480 }).play(2.5)],
    ['discontinuity-hint', () => new Broadcaster().play(5).silence(20).restart({ width: 480 }).frame()],
    ['discontinuity-first', () => new Broadcaster().play(5).restart({ width: 480 }).play(5.5)],
    ['discontinuity-gone', () => new Broadcaster().play(5).restart({ width: 480 }).play(9.5)],
    ['ended', () => new Broadcaster().play(6.5).end()],
    ['endless-gop', () => new Broadcaster({ gopS: 60, cutS: 4 }).play(25)],
    ['audio-only', () => new Broadcaster({ fps: 0 }).play(13)],
    ['24-hz', () => new Broadcaster({ fps: 24 }).play(5.3)],
  ])(
    'is that of playlist-%s.m3u8, and an independent parser reads it',
    async (name, broadcast, delta = false) => {
      const text = textOf(renditionOf(broadcast().feed), delta);
      await expect(text).toMatchFileSnapshot(`../../golden/playlist-${name}.m3u8`);
      // The parser takes a hint for a segment, and counts segments where the standard counts target durations.
      setOptions({ strictMode: name !== 'discontinuity-hint', silent: true });
      const parsed = parse(text) as types.MediaPlaylist;
      const read = delta ? undefined : readPlaylist(text);
      expect(parsed.isMasterPlaylist).toBe(false);
      expect(parsed.lowLatencyCompatibility).toMatchObject({ canBlockReload: true, partHoldBack: 0.675 });
      if (read) expect(parsed.segments.length).toBeGreaterThanOrEqual(read.segments.length);
    },
  );

  test('is the same from a server that came late and one that was there from the start', () => {
    const feed = new Feed();
    const early = renditionOf(feed);
    const broadcaster = new Broadcaster({ fps: 29.97 }, feed).play(40).restart({ width: 480 }).play(20.3);
    expect(textOf(early)).toBe(textOf(renditionOf(feed)));
    broadcaster.end();
    expect(textOf(early)).toBe(textOf(renditionOf(feed)));
    expect(textOf(early, true)).toBe(textOf(renditionOf(feed), true));
  });

  test('of a stream that ended before its first segment closed has a target duration that fits', () => {
    const read = readPlaylist(textOf(renditionOf(new Broadcaster({ gopS: 4 }).play(3.2).end().feed)));
    expect(read).toMatchObject({ targetDurationS: 3, hasEnded: true, hints: [] });
    expect(read.segments.map(({ durationUs }) => durationUs)).toEqual([3_200_000]);
  });
});

describe('what a playlist lists', () => {
  test.each([
    { gopS: 1, playS: 90, listed: 15 },
    { gopS: 2, playS: 90, listed: 7 },
    { gopS: 4, playS: 120, listed: 4 },
    { gopS: 8, playS: 160, listed: 4 },
    { gopS: 1, playS: 3.5, listed: 3 },
  ])('with GOPs of $gopS s after $playS s are $listed segments', ({ gopS, playS, listed }) => {
    const { segments } = renditionOf(new Broadcaster({ gopS }).play(playS).feed);
    expect(listedSegments(segments)).toHaveLength(listed);
  });

  test('is never shorter than three target durations once it was as long', () => {
    const broadcaster = new Broadcaster({ gopS: 6 }).play(6).restart({ gopS: 0.5 });
    const rendition = renditionOf(broadcaster.feed);
    broadcaster.play(40.2);
    const listed = listedSegments(rendition.segments);
    expect(rendition.segments.targetDurationS).toBe(6);
    expect(listed.length).toBeGreaterThan(30);
    expect(sum(listed.map(({ startUs, endUs }) => endUs - startUs))).toBeGreaterThanOrEqual(18_000_000);
  });
});

/** What can happen to a broadcast; target durations stay as the first segment has made them. */
const events = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({ kind: fc.constant('play' as const), s: fc.integer({ min: 1, max: 9 }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('silence' as const), s: fc.integer({ min: 1, max: 70 }) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('restart' as const),
        fps: fc.constantFrom(10, 15, 24, 25, 29.97, 30, 60),
        gopS: fc.constantFrom(0.5, 1, 2, 7),
        width: fc.constantFrom(320, 640),
      }),
    },
  ),
  { minLength: 3, maxLength: 14 },
);

describe('over any broadcast', () => {
  test('durations sum, numbers only grow, deltas add up, and what was listed stays downloadable for its time', () => {
    let deltas = 0;
    const broadcasts = fc.record({
      gopS: fc.constantFrom(1, 2, 4),
      fps: fc.constantFrom(12, 25, 30),
      events,
    });
    fc.assert(
      fc.property(broadcasts, ({ gopS, fps, events }) => {
        const feed = new Feed();
        const broadcaster = new Broadcaster({ gopS, fps, cutS: gopS, frameBytes: 8 }, feed).play(gopS);
        const rendition = renditionOf(feed);
        const watcher = new Watcher(rendition);
        feed.subscribe(() => watcher.look());
        for (const event of events) {
          if (event.kind === 'play') broadcaster.play(event.s);
          else if (event.kind === 'silence') broadcaster.silence(event.s);
          else broadcaster.restart({ fps: event.fps, gopS: event.gopS, width: event.width });
        }
        broadcaster.end();
        deltas += watcher.deltas;
      }),
      { numRuns: 25 },
    );
    expect(deltas).toBeGreaterThan(0);
  });
});

/** Looks at the playlist after every change, as a player that misses none. */
class Watcher {
  readonly #rendition: Rendition;
  readonly #neededUntilUs = new Map<string, number>();
  /** Delta updates that left something out. */
  deltas = 0;
  #last: ReadPlaylist | undefined;
  #text = '';
  #longestUs = 0;

  constructor(rendition: Rendition) {
    this.#rendition = rendition;
  }

  look(): void {
    if (!this.#rendition.isPlayable) return;
    const text = textOf(this.#rendition);
    if (text === this.#text) return;
    this.#text = text;
    const playlist = readPlaylist(text);
    if (this.#last) this.#compare(this.#last, playlist);
    this.#checkTimes(playlist);
    this.#checkMedia(playlist);
    this.#last = playlist;
  }

  #compare(last: ReadPlaylist, playlist: ReadPlaylist): void {
    hold(playlist.targetDurationS === last.targetDurationS, 'the target duration stays');
    hold(playlist.mediaSequence >= last.mediaSequence, 'the media sequence number grows');
    hold(playlist.discontinuitySequence >= last.discontinuitySequence, 'the discontinuity sequence grows');
    for (const before of last.segments) {
      const now = playlist.segments.find(({ msn }) => msn === before.msn);
      if (before.uri && now) expect(withoutParts(now)).toEqual(withoutParts(before));
    }
    const delta = readPlaylist(textOf(this.#rendition, true), last);
    this.deltas += delta.skipped > 0 ? 1 : 0;
    expect({ ...delta, skipped: 0 }).toEqual(playlist);
  }

  #checkTimes({ segments, targetDurationS, isIndependent }: ReadPlaylist): void {
    for (const { msn, durationUs, parts, discontinuitySequence } of segments) {
      const actual = this.#rendition.segments.find(msn)!;
      const sumUs = sum(parts.map((part) => part.durationUs));
      if (durationUs !== undefined) {
        hold(Math.round(durationUs / 1_000_000) <= targetDurationS, `EXTINF of ${msn} is ${durationUs} us`);
        hold(
          parts.length === 0 || sumUs === durationUs,
          `parts of ${msn} sum to ${sumUs}, not ${durationUs}`,
        );
      }
      const independent = parts.map((part) => part.isIndependent);
      hold(!independent.includes(true, 1), `a part of ${msn} that is not its first is independent`);
      hold(parts.length === 0 || independent[0] === actual.isIndependent, `part 0 of ${msn} is independent`);
      hold(!isIndependent || actual.isIndependent, `segment ${msn} is independent`);
      hold(discontinuitySequence === actual.discontinuitySequence, `discontinuity sequence of ${msn}`);
    }
  }

  /** RFC 8216bis 6.2.2: a segment for its duration and the longest playlist from when it appeared, a part three target durations. */
  #checkMedia({ segments, targetDurationS }: ReadPlaylist): void {
    const { closed, open } = this.#rendition.segments;
    const nowUs = (open ?? closed.at(-1)!).endUs;
    this.#longestUs = Math.max(this.#longestUs, sum(segments.map(({ durationUs = 0 }) => durationUs)));
    for (const { uri, durationUs = 0, parts, map } of segments) {
      hold(this.#rendition.init(map.slice(5, 15)), `${map} is served`);
      if (uri && !this.#neededUntilUs.has(uri))
        this.#neededUntilUs.set(uri, nowUs + durationUs + this.#longestUs);
      for (const part of parts) this.#neededUntilUs.set(part.uri, nowUs + 3 * targetDurationS * 1_000_000);
    }
    const listed = new Set(segments.flatMap(({ uri, parts }) => [uri, ...parts.map((part) => part.uri)]));
    for (const [uri, untilUs] of this.#neededUntilUs) {
      if (untilUs >= nowUs || listed.has(uri)) hold(this.#isServed(uri), `${uri} is served at ${nowUs} us`);
      else this.#neededUntilUs.delete(uri);
    }
  }

  #isServed(uri: string): boolean {
    const [epoch, msn, part] = uri.replace('.m4s', '').split(/[/.]/).map(Number);
    return part === undefined
      ? this.#rendition.segment(epoch!, msn!) !== undefined
      : this.#rendition.part(epoch!, { msn: msn!, part }) !== undefined;
  }
}

/** As `expect`, which is too slow for so many. */
function hold(isTrue: unknown, claim: string): void {
  if (!isTrue) throw new Error(`not so: ${claim}`);
}

function withoutParts({ msn, discontinuitySequence, map, programDateTime, uri, durationUs }: ReadSegment) {
  return { msn, discontinuitySequence, map, programDateTime, uri, durationUs };
}
