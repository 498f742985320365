// The door to processes of this program: a server for each core, which hears from whoever started it.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { environmentOf } from '../config/config.ts';
import type { Place } from '../config/worker.ts';

export interface WorkerProcess {
  readonly pid: number;
  /** Resolves with why it ended: its exit code or the signal. */
  readonly ended: Promise<string>;
  /** Asks it to end as a signal of that name asks a process that is alone. */
  ask(signal: string): void;
}

/** The same command line once more, for one of several servers. What it prints goes where this process's does. */
export function startWorker(place: Place): WorkerProcess {
  const child = fork(process.argv[1]!, process.argv.slice(2), { env: environmentOf(place) });
  child.on('error', () => {});
  const ended = once(child, 'exit').then(([code, signal]) => String(signal ?? code));
  return {
    pid: child.pid!,
    ended,
    ask: (signal) => {
      if (child.connected) child.send(signal);
    },
  };
}

/**
 * As `nextSignal`, in a process of `startWorker`: signals that a terminal or a service manager sends to all processes at once are
 * left to the one that started it, whose word counts. When that is gone, it is as if it had said SIGTERM.
 */
export function nextOrder(): Promise<string> {
  for (const name of ['SIGTERM', 'SIGINT']) if (process.listenerCount(name) === 0) process.on(name, ignore);
  return new Promise((resolve) => {
    process.once('message', (signal) => resolve(String(signal)));
    process.once('disconnect', () => resolve('SIGTERM'));
    if (!process.connected) resolve('SIGTERM');
    // Whoever waits for a word is no reason to stay.
    process.channel?.unref();
  });
}

function ignore(): void {}
