import { describe, expect, test } from 'vitest';
import { SimulatedCluster } from '../../tools/simulated-cluster.ts';

const HOUR_MS = 3_600_000;
const CALM_MS = 60_000;
/** `SEED=7 npx vitest ...` replays one. */
const SEEDS = process.env.SEED ? [Number(process.env.SEED)] : [1, 2, 3];

describe('an hour of two streams among eight servers where everything goes wrong', () => {
  test.each(SEEDS)(
    'seed %i: every reader sees each chunk once and in order, or is told of a gap',
    async (seed) => {
      const cluster = new SimulatedCluster(seed);
      await cluster.run(HOUR_MS, CALM_MS);
      const readers = cluster.servers.flatMap((server) => server.readers);
      if (process.env.SEED) console.log(cluster.log.join('\n'));
      console.log(
        seed,
        JSON.stringify(cluster.counts),
        readers.map((r) => `${r.read}/${r.gaps}/${r.longestWaitMs}`).join(' '),
      );
      expect(cluster.faults, `replay with SEED=${seed}`).toEqual([]);
      for (const { name, broadcaster, origin } of cluster.streams) {
        for (const server of cluster.servers) {
          const feed = server.feeds.get(name, 'source');
          expect(
            feed?.next,
            `${server.id} has all of ${name} of ${origin.id}; replay with SEED=${seed}`,
          ).toBeGreaterThanOrEqual(broadcaster.next - 1);
        }
      }
    },
  );
});
