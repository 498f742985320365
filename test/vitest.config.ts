import { defineConfig } from 'vitest/config';

// Tests start real servers, ffmpeg and Chromium on a two-core machine: files run two at a time.
export default defineConfig({
  root: import.meta.dirname,
  cacheDir: '../node_modules/.vite',
  test: {
    include: ['**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    maxConcurrency: 10,
    reporters: ['default'],
  },
});
