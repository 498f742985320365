import { describe, expect, test } from 'vitest';
import { findStreams, streamCard } from '../../usher/player/page/stream-cards.ts';
import { agoText, countText, lengthText, secondsText, viewersText } from '../../usher/player/page/words.ts';
import type { StreamInfo } from '../../usher/player/usher.ts';

const MINUTE_MS = 60_000;
const NOW_MS = Date.parse('2026-11-21T12:00:00Z');

describe('what viewers read', () => {
  test.each([
    [0, 'just now'],
    [59_999, 'just now'],
    [MINUTE_MS, '1 minute ago'],
    [59 * MINUTE_MS, '59 minutes ago'],
    [60 * MINUTE_MS, '1 hour ago'],
    [49 * 60 * MINUTE_MS, '2 days ago'],
  ])('%i ms ago is %s', (ms, text) => expect(agoText(ms)).toBe(text));

  test('lengths, delays and counts are short', () => {
    expect([lengthText(-5), lengthText(65_000), lengthText(3_723_000)]).toEqual(['0:00', '1:05', '1:02:03']);
    expect([secondsText(321), secondsText(12_400)]).toEqual(['0.3 s', '12 s']);
    expect([viewersText(1), viewersText(1_234)]).toEqual(['1 viewer', '1,234 viewers']);
    expect(countText(12_345)).toBe('12.3K');
  });
});

describe('the list of streams', () => {
  const stream = (name: string, viewers: number, others: Partial<StreamInfo> = {}): StreamInfo => ({
    ...{ name, viewers, live: true, startedAt: '2026-11-21T11:58:00Z', thumbnail: null, renditions: [] },
    ...others,
  });

  test('has those first whom most watch, and of as many those first in the alphabet', () => {
    const found = findStreams([stream('b', 1), stream('a', 1), stream('c', 5)], '');
    expect(found.map(({ name }) => name)).toEqual(['c', 'a', 'b']);
  });

  test('is searched for all words in any order and in any case', () => {
    const all = [stream('Chess-Final', 0), stream('chess', 0), stream('final', 0)];
    expect(findStreams(all, ' FINAL chess ').map(({ name }) => name)).toEqual(['Chess-Final']);
  });

  test('asks for a picture again only when there may be a new one', () => {
    const live = stream('a', 0, { thumbnail: 'http://m/thumb/t/a.jpg' });
    const pictureAt = (nowMs: number): string | undefined => streamCard(live, nowMs).picture;
    expect(pictureAt(NOW_MS)).toBe(pictureAt(NOW_MS + 9_999));
    expect(pictureAt(NOW_MS)).not.toBe(pictureAt(NOW_MS + 10_000));
    expect(streamCard(stream('a', 0), NOW_MS).picture).toBeUndefined();
  });

  test('says how long a stream has been live, and when its broadcaster is away', () => {
    expect(streamCard(stream('a', 0), NOW_MS)).toMatchObject({ length: '2:00', about: 'no viewers yet' });
    expect(streamCard(stream('a', 3, { live: false }), NOW_MS)).toMatchObject({
      label: 'Away',
      kind: 'away',
    });
  });
});
