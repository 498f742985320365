import { describe, expect, test } from 'vitest';
import { SimulatedCluster } from '../../tools/cluster/simulated-cluster.ts';

const HOUR_MS = 3_600_000;
const CALM_MS = 60_000;
/** While the origin writes, somebody may wait for a plan, for a cable, or for its parent to find out: but not for ever. */
const LONGEST_WAIT_MS = 15_000;
/** `SEED=7 npm test -- simulation` replays one, and prints what happened. */
const SEEDS = process.env.SEED ? [Number(process.env.SEED)] : [1, 2, 3];

describe('an hour of two streams among eight servers where everything goes wrong', () => {
  test.each(SEEDS)(
    'seed %i: every reader gets each chunk once and in order, or is told of a gap',
    async (seed) => {
      const cluster = new SimulatedCluster(seed);
      await cluster.run(HOUR_MS, CALM_MS);
      if (process.env.SEED) console.log(cluster.log.join('\n'));
      const replay = `replay with SEED=${seed}`;
      expect(cluster.faults, replay).toEqual([]);
      for (const reader of cluster.readers) {
        expect(reader.read, replay).toBeGreaterThan(4_000);
        expect(reader.longestWaitMs, replay).toBeLessThanOrEqual(LONGEST_WAIT_MS);
      }
      for (const kind of [
        'kill',
        'freeze',
        'garbage',
        'cut cable',
        'plan in chaos',
        'slow child',
        'origin moved',
      ]) {
        expect(cluster.counts[kind], replay).toBeGreaterThan(10);
      }
      expect(cluster.behind, replay).toEqual([]);
    },
  );

  test('is the same hour each time', async () => {
    const [one, other] = [new SimulatedCluster(42), new SimulatedCluster(42)];
    await one.run(HOUR_MS / 10, CALM_MS);
    await other.run(HOUR_MS / 10, CALM_MS);
    expect(one.log.length).toBeGreaterThan(100);
    expect(other.log).toEqual(one.log);
  });
});
