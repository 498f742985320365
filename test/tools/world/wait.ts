// Waiting for an event in tests: as long as a machine that all test files share may take to bring it.

import { vi } from 'vitest';

const PATIENCE = { timeout: 60_000, interval: 20 };

/** Until there is what it gives: resolves with that. */
export function waitUntil<T>(find: () => T | Promise<T>) {
  return vi.waitUntil(find, PATIENCE);
}

/** Until it does not throw: resolves with what it gives. Rejects with what it threw last. */
export function waitFor<T>(attempt: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(attempt, PATIENCE);
}
