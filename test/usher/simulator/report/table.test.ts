import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BASELINES } from '../../../../usher/simulator/choosers/baselines.ts';
import { tableOf } from '../../../../usher/simulator/report/table.ts';
import { readScenario } from '../../../../usher/simulator/scenario-file.ts';
import { World } from '../../../../usher/simulator/world/world.ts';

const ROOT = join(import.meta.dirname, '../../../..');

test('the small scenario under all others, with one seed, is the same table', async () => {
  const scenario = readScenario(join(ROOT, 'usher/simulator/scenarios/small.yaml'));
  const results = [...BASELINES.values()].map((make) => new World(scenario, 1, make).run());
  await expect(tableOf({ scenario, seed: 1, results })).toMatchFileSnapshot(
    join(ROOT, 'test/golden/simulation-small.txt'),
  );
});
