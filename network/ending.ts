// When a process ends: at a signal, or once it is emptied.

import type { Clock } from './clock.ts';
import type { Draining } from './state/draining.ts';

export interface EndingOptions {
  /** Of the server in this process, if there is one. */
  readonly draining: Pick<Draining, 'emptied' | 'order'> | undefined;
  /** Whether others could play on for its viewers. */
  readonly isOneOfSeveral: boolean;
  /** From SIGTERM until broadcasts that are still there have to go; null: never. */
  readonly deadlineMs: number | null;
  readonly clock: Clock;
}

/**
 * Resolves with why the process is to end. A server of a cluster is emptied on SIGTERM before: others play on for its viewers. One
 * that is alone would only keep whoever asks it to end waiting, and so does every process on SIGINT, for which somebody sits at a
 * terminal. A second signal ends it in any case.
 */
export async function untilEnd(options: EndingOptions): Promise<string> {
  const { draining, isOneOfSeveral, deadlineMs, clock } = options;
  const emptied = draining?.emptied.then(() => 'empty') ?? new Promise<string>(() => {});
  const first = await Promise.race([nextSignal(), emptied]);
  if (first !== 'SIGTERM' || !draining || !isOneOfSeveral) return first;
  draining.order(deadlineMs === null ? null : clock.now() + deadlineMs);
  return Promise.race([nextSignal(), emptied]);
}

/** Resolves with the name of the signal that asks this process to end. */
export function nextSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT']) process.once(name, resolve);
  });
}
