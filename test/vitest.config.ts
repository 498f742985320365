import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const REAL_TIME = [
  ...['cluster/moves.test.ts', 'browser/recovery.test.ts', 'cluster/drain.test.ts'],
  ...['cluster/transcoding.test.ts', 'browser/quality.test.ts', 'e2e/decode.test.ts'],
  ...['browser/playing.test.ts', 'network/relay/follow.test.ts'],
];
/** Has something else in place of a module, which others in its process would have too. */
const ALONE = ['e2e/openapi.test.ts'];
/** What takes ten seconds and more. The longest begin first: one that begins last has the machine wait for it alone. */
const LONGEST = [
  ...REAL_TIME,
  ...['browser/viewers-pages.test.ts', 'browser/console.test.ts', 'docs/commands.test.ts'],
  ...['cluster/cluster.test.ts', 'browser/connection.test.ts', 'browser/refusal.test.ts'],
  ...['install/install.test.ts', 'e2e/publish.test.ts', 'e2e/archive.test.ts'],
  ...['usher/simulator/scenarios.test.ts', 'network/relay/simulation.test.ts'],
  ...['network/state/redis/state-redis-ways.test.ts', 'network/relay/holdings.test.ts'],
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const place = LONGEST.findIndex((path) => moduleId.endsWith(`/test/${path}`));
      return place < 0 ? LONGEST.length : place;
    };
    return (await super.sort(files)).sort((one, other) => rank(one) - rank(other));
  }
}

// What one process has compiled of Headwater is there for the next of the hundred that tests start.
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, '../node_modules/.cache/headwater');

// Two groups, one after the other: a test that watches streams in real time shares two cores badly with one that
// computes. Tests of both wait about a third of their time: three at once keep two cores busy. On a machine of their own
// all pass at once; what a pause of a shared one makes late is asked again, and the report says so.
export default defineConfig({
  root: import.meta.dirname,
  cacheDir: '../node_modules/.vite',
  test: {
    setupFiles: ['tools/world/scratch-end.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // What is waited for comes at once on a machine of its own, and late on one that all test files share.
    expect: { poll: { timeout: 30_000 } },
    maxConcurrency: 10,
    sequence: { sequencer: LongestFirst },
    reporters: ['default'],
    projects: [
      group('alone', 0, 1, { include: ALONE, isolate: true }),
      group('code', 0, 1, { include: ['**/*.test.ts'], exclude: [...REAL_TIME, ...ALONE] }),
      group('real time', 1, 2, { include: REAL_TIME }),
    ],
  },
});

function group(
  name: string,
  groupOrder: number,
  retry: number,
  files: { include: string[]; exclude?: string[]; isolate?: boolean },
) {
  // A process for each of hundreds of files would take more time than what most of them test.
  const shared = { isolate: false, maxWorkers: 3 };
  return { extends: true as const, test: { name, sequence: { groupOrder }, retry, ...shared, ...files } };
}
