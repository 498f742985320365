// When a process ends: at a signal, once it is emptied, or because an error was caught by nobody.

import type { Draining } from '../state/draining.ts';
import type { Uncaught } from './uncaught.ts';

export interface EndingOptions {
  /** Of the server in this process, if there is one. */
  readonly draining: Pick<Draining, 'emptied' | 'order'> | undefined;
  readonly uncaught: Pick<Uncaught, 'first' | 'many'>;
  /** Whether others could play on for its viewers. */
  readonly isOneOfSeveral: boolean;
  /** From SIGTERM until broadcasts that are still there have to go; null: never. */
  readonly deadlineMs: number | null;
  /** Resolves with the name of the next signal. */
  readonly nextSignal: () => Promise<string>;
}

/** What is in an unknown state does not wait for ever. */
const FAILED_DEADLINE_MS = 60_000;

/**
 * Resolves with why the process is to end. A server of a cluster is emptied on SIGTERM before: others play on for its viewers. One
 * that is alone would only keep whoever asks it to end waiting, and so does every process on SIGINT, for which somebody sits at a
 * terminal. A second signal ends it in any case.
 *
 * After an error that nobody caught a process of a cluster goes as on SIGTERM, and whoever supervises it starts it anew. One that is
 * alone would end all sessions for the fault of one: it goes on until there are too many.
 */
export async function untilEnd(options: EndingOptions): Promise<string> {
  const { draining, uncaught, isOneOfSeveral, deadlineMs, nextSignal } = options;
  const emptied = draining?.emptied.then(() => 'empty') ?? new Promise<string>(() => {});
  const failed = (isOneOfSeveral ? uncaught.first : uncaught.many).then(() => 'failed');
  const first = await Promise.race([nextSignal(), emptied, failed]);
  if (!['SIGTERM', 'failed'].includes(first) || !draining || !isOneOfSeveral) return first;
  draining.order(first === 'failed' ? FAILED_DEADLINE_MS : deadlineMs);
  return Promise.race([nextSignal(), emptied, uncaught.many.then(() => 'failed')]);
}

/** Resolves with the name of the signal that asks this process to end. */
export function nextSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT']) process.once(name, resolve);
  });
}
