import { describe, expect, test } from 'vitest';
import { ParentList, type Present } from '../../../network/relay/parent-list.ts';

const parent = (id: string) => ({ id, relayUrl: `http://${id}` });
const [a, b, c] = [parent('a'), parent('b'), parent('c')];
const fedBy = (one: typeof a): Present => ({ parent: one, isFed: true });

describe('the list of parents', () => {
  test('without a parent each is tried once at once, then in turn with growing pauses', () => {
    const list = new ParentList([a, b, c]);
    const tries: [string, number][] = [];
    for (let count = 0; count < 11; count++) {
      const next = list.next(undefined)!;
      tries.push([next.id, list.pauseMs(undefined)]);
      list.failed(next, false);
    }
    expect(tries.map(([id]) => id).join('')).toBe('abcabcabcab');
    expect(tries.map(([, pauseMs]) => pauseMs)).toEqual([0, 0, 0, 50, 100, 200, 400, 800, 1000, 1000, 1000]);
  });

  test('after a parent that was good comes the next in the list, at once', () => {
    const list = new ParentList([a, b, c]);
    list.joined();
    list.left(a, true);
    expect([list.next(undefined), list.pauseMs(undefined)]).toEqual([b, 0]);
    list.left(c, true);
    expect(list.next(undefined)).toBe(a);
  });

  test('parents that take and fail again and again are not asked without a pause', () => {
    const list = new ParentList([a, b]);
    const pauses: number[] = [];
    for (let count = 0; count < 5; count++) {
      list.joined();
      list.left(list.next(undefined)!, false);
      pauses.push(list.pauseMs(undefined));
    }
    expect(pauses).toEqual([0, 50, 100, 200, 400]);
  });

  test('from the second-best a better one is sought less and less often, from the best none', () => {
    const list = new ParentList([a, b, c]);
    expect(list.next(fedBy(a))).toBeUndefined();
    expect(list.next(fedBy(b))).toBe(a);
    expect(Array.from({ length: 6 }, () => list.seekMs())).toEqual([
      2_000, 4_000, 8_000, 16_000, 32_000, 60_000,
    ]);
  });

  test('a parent that is not in the list is worse than all that are', () => {
    const list = new ParentList([a, b]);
    expect(list.next(fedBy(c))).toBe(a);
    list.failed(a, false);
    expect([list.next(fedBy(c)), list.pauseMs(fedBy(c))]).toEqual([b, 0]);
  });

  test('from a parent that is cut off all others are sought', () => {
    const list = new ParentList([a, b, c]);
    list.left(b, true);
    expect(list.next({ parent: b, isFed: false })).toBe(c);
    list.failed(c, false);
    expect(list.next({ parent: b, isFed: false })).toBe(a);
  });

  test('what is needed is gone once all were asked and one has only what comes later', () => {
    const list = new ParentList([a, b]);
    list.failed(a, true);
    expect(list.verdict(undefined)).toBe('open');
    list.failed(b, false);
    expect(list.verdict(undefined)).toBe('gone');
  });

  test('all having failed is news once for each round', () => {
    const list = new ParentList([a, b]);
    const verdicts = Array.from({ length: 4 }, () => {
      list.failed(list.next(undefined)!, false);
      return list.verdict(undefined);
    });
    expect(verdicts).toEqual(['open', 'exhausted', 'open', 'exhausted']);
  });

  test('only another list is a change', () => {
    const list = new ParentList([a, b]);
    expect(list.replace([parent('a'), parent('b')])).toBe(false);
    expect(list.replace([a])).toBe(true);
    expect(list.replace([{ ...a, relayUrl: 'http://elsewhere' }])).toBe(true);
    expect(list.replace([])).toBe(true);
    expect(list.next(undefined)).toBeUndefined();
  });
});
