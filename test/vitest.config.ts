import { defineConfig } from 'vitest/config';

const PLAYING = 'browser/playing.test.ts';
const REAL_TIME = [
  ...['browser/quality.test.ts', 'browser/recovery.test.ts', 'cluster/transcoding.test.ts'],
  ...['e2e/decode.test.ts', 'network/relay/follow.test.ts'],
];

// Three groups, one after the other: a test that watches a stream in real time shares two cores badly with one that
// computes, and one that counts a player's stalls shares them with nobody.
export default defineConfig({
  root: import.meta.dirname,
  cacheDir: '../node_modules/.vite',
  test: {
    setupFiles: ['tools/world/scratch-end.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // What is waited for comes at once on a machine of its own, and late on one that all test files share.
    expect: { poll: { timeout: 10_000 } },
    maxConcurrency: 10,
    reporters: ['default'],
    projects: [
      group('code', 0, 2, { include: ['**/*.test.ts'], exclude: [PLAYING, ...REAL_TIME] }),
      group('real time', 1, 2, { include: REAL_TIME }),
      group('playing', 2, 1, { include: [PLAYING] }),
    ],
  },
});

function group(
  name: string,
  groupOrder: number,
  maxWorkers: number,
  files: { include: string[]; exclude?: string[] },
) {
  return { extends: true as const, test: { name, sequence: { groupOrder }, maxWorkers, ...files } };
}
