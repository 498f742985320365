import type { SteeringManifest } from 'hls.js';
import { beforeEach, describe, expect, test } from 'vitest';
import { Detour } from '../../../../usher/player/playback/detour.ts';

const steerFrom = (id: string): string => `https://usher/steer/t/alice?_HLS_pathway=${id}&_HLS_throughput=1`;
const urlAt = (server: string, file = 'index.m3u8'): string =>
  `https://${server}.example/play/token-${server}/alice/720p/${file}`;

function manifest(priority: readonly string[], clones: readonly string[] = []): SteeringManifest {
  return {
    VERSION: 1,
    TTL: 2,
    'PATHWAY-PRIORITY': [...priority],
    'PATHWAY-CLONES': clones.map((id) => ({
      'BASE-ID': 'a',
      ID: id,
      'URI-REPLACEMENT': { 'PER-VARIANT-URIS': { '720p': urlAt(id) } },
    })),
  };
}

let detour: Detour;
beforeEach(() => {
  detour = new Detour();
  for (const id of ['a', 'b']) detour.learn(id, urlAt(id));
});

describe('a player that is steered elsewhere', () => {
  test('asks the other server for the same names, says that it is there, and hls.js stays where it was', () => {
    const answer = manifest(['c', 'a', 'b'], ['c']);
    detour.heed(steerFrom('a'), answer);
    expect(answer['PATHWAY-PRIORITY']).toEqual(['a', 'b', 'c']);
    expect(detour.urlFor(`${urlAt('a')}?_HLS_msn=4&_HLS_part=1`)).toBe(
      `${urlAt('c')}?_HLS_msn=4&_HLS_part=1`,
    );
    expect(detour.urlFor(steerFrom('a'))).toBe(steerFrom('c'));
    expect(detour.urlFor(urlAt('c', '1/4.1.m4s'))).toBe(urlAt('c', '1/4.1.m4s'));
  });

  test('goes back by the same way, and on to a third', () => {
    detour.heed(steerFrom('a'), manifest(['c', 'b'], ['c']));
    detour.heed(steerFrom('a'), manifest(['b', 'c']));
    expect(detour.urlFor(urlAt('a'))).toBe(urlAt('b'));
    detour.heed(steerFrom('a'), manifest(['a', 'b']));
    expect(detour.urlFor(urlAt('a'))).toBe(urlAt('a'));
  });

  test('whose new server fails lets hls.js choose, and goes on from there', () => {
    detour.heed(steerFrom('a'), manifest(['c', 'b', 'a'], ['c']));
    expect(detour.urlFor(urlAt('b'))).toBe(urlAt('b'));
    const answer = manifest(['b', 'c']);
    detour.heed(steerFrom('b'), answer);
    expect(answer['PATHWAY-PRIORITY']).toEqual(['b', 'c']);
    expect(detour.urlFor(urlAt('a'))).toBe(urlAt('a'));
  });

  test('is left to hls.js when it is on a pathway whose address is not known', () => {
    const answer = manifest(['b', 'x']);
    detour.heed(steerFrom('x'), answer);
    expect(answer['PATHWAY-PRIORITY']).toEqual(['b', 'x']);
    expect(detour.urlFor(urlAt('a'))).toBe(urlAt('a'));
  });
});
