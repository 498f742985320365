import { defineConfig } from 'vitest/config';

const REAL_TIME = [
  ...['browser/playing.test.ts', 'browser/quality.test.ts', 'browser/recovery.test.ts'],
  ...['cluster/drain.test.ts', 'cluster/moves.test.ts', 'cluster/transcoding.test.ts'],
  ...['e2e/decode.test.ts', 'network/relay/follow.test.ts'],
];

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
    reporters: ['default'],
    projects: [
      group('code', 0, 1, { include: ['**/*.test.ts'], exclude: REAL_TIME }),
      group('real time', 1, 2, { include: REAL_TIME }),
    ],
  },
});

function group(
  name: string,
  groupOrder: number,
  retry: number,
  files: { include: string[]; exclude?: string[] },
) {
  return { extends: true as const, test: { name, sequence: { groupOrder }, retry, maxWorkers: 3, ...files } };
}
