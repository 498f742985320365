import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sceneOf } from '../../../usher/placement/scene/scene.ts';
import { type Candidate, Shortlist } from '../../../usher/placement/shortlist.ts';
import { server, snapshot } from '../../tools/cluster/clusters.ts';

const SIZE = 3;
const AWAY_MICRO_USD = 20;

const place = fc.record({ site: fc.constantFrom('a', 'b', 'c'), host: fc.nat(2), price: fc.nat(60) });

function candidatesOf(places: readonly { site: string; host: number; price: number }[]): Candidate[] {
  const servers = places.map(({ site, host }, at) => server(`s${at}`, { site, host: `h${host}` }));
  const scene = sceneOf(snapshot(servers, []));
  return places.map(({ price }, at) => ({ at: scene.servers[at]!, microUsdPerHour: price, rank: at }));
}

function listOf(candidates: readonly Candidate[]): Candidate[] {
  const list = new Shortlist({ size: SIZE, awayMicroUsd: AWAY_MICRO_USD });
  for (const each of candidates) if (each.microUsdPerHour <= list.limit()) list.add(each);
  return list.list();
}

function hostOf({ at }: Candidate): string {
  return `${at.site.name}/${at.server.host}`;
}

test('the first is the cheapest, the second the cheapest of another site that is not too dear, none shares a host in vain', () => {
  fc.assert(
    fc.property(fc.array(place, { minLength: 1, maxLength: 9 }), (places) => {
      const candidates = candidatesOf(places);
      const [first, second, ...others] = listOf(candidates);
      const least = Math.min(...candidates.map(({ microUsdPerHour }) => microUsdPerHour));
      expect(first!.microUsdPerHour).toBe(least);
      const away = candidates.filter(
        ({ at, microUsdPerHour }) => at.site !== first!.at.site && microUsdPerHour <= least + AWAY_MICRO_USD,
      );
      if (away.length > 0) {
        expect(second!.at.site).not.toBe(first!.at.site);
        expect(second!.microUsdPerHour).toBe(Math.min(...away.map((each) => each.microUsdPerHour)));
      }
      const hosts = new Set(candidates.map(hostOf)).size;
      const chosen = [first, second, ...others].filter((each) => each !== undefined);
      expect(chosen.length).toBe(Math.min(SIZE, candidates.length));
      expect(new Set(chosen.map(hostOf)).size).toBe(Math.min(SIZE, hosts));
    }),
  );
});

test('what is left out by its price changes nothing, whatever the order', () => {
  fc.assert(
    fc.property(fc.array(place, { minLength: 1, maxLength: 9 }), (places) => {
      const candidates = candidatesOf(places);
      const names = (list: readonly Candidate[]): string[] => list.slice(0, 2).map(({ at }) => at.server.id);
      expect(names(listOf(candidates.toReversed()))).toEqual(names(listOf(candidates)));
    }),
  );
});
