// What operators and their tools ask of every process: alive, ready and why not, metrics.

import type { Metrics } from '../metrics.ts';
import { send } from './answers.ts';
import type { Exchange } from './exchange.ts';
import type { Route } from './http.ts';

export const CONDITION_CODES = [
  'starting',
  'stopping',
  'draining',
  'failed',
  'state_never_reached',
  'state_away',
  'disks_failed',
  'clock_off',
  'descriptors_low',
] as const;

/** Something that is to be known of this process as it is now. */
export interface Condition {
  readonly code: (typeof CONDITION_CODES)[number];
  readonly detail: string;
  /** Whether it is to get no new work because of that. What it has goes on in any case. */
  readonly blocks: boolean;
}

/** Gives what is so now, or undefined while it is not. */
export type Check = () => Condition | undefined;

export class Health {
  readonly #checks: Check[] = [];

  constructor(metrics: Metrics) {
    metrics.gauge(
      'headwater_ready',
      'Whether this process takes new work: 1 or 0, as /readyz says.',
      [],
      (gauge) => gauge.set(this.isReady ? 1 : 0),
    );
    metrics.gauge(
      'headwater_condition',
      'What /readyz tells of this process besides, by code.',
      ['code'],
      (gauge) => {
        for (const { code } of this.conditions) gauge.set({ code }, 1);
      },
    );
  }

  check(check: Check): void {
    this.#checks.push(check);
  }

  get conditions(): readonly Condition[] {
    return this.#checks.flatMap((check) => check() ?? []);
  }

  get isReady(): boolean {
    return !this.conditions.some(({ blocks }) => blocks);
  }
}

/**
 * `/healthz` answers 200 as long as the process can answer at all: whoever gets no answer may start it anew. `/readyz` answers
 * 503 while it is to get no new work, which is no reason to end it.
 */
export function healthRoutes(health: Health, metrics: Metrics): Route[] {
  return [
    {
      kind: 'healthz',
      method: 'GET',
      pattern: /^\/healthz$/,
      handle: (exchange) => send(exchange, 200, 'text/plain', 'ok\n', 'no-store'),
    },
    {
      kind: 'readyz',
      method: 'GET',
      pattern: /^\/readyz$/,
      handle: (exchange) => sendReadiness(health, exchange),
    },
    {
      kind: 'metrics',
      method: 'GET',
      pattern: /^\/metrics$/,
      handle: async (exchange) => {
        send(exchange, 200, metrics.contentType, await metrics.text(), 'no-store');
      },
    },
  ];
}

function sendReadiness({ conditions, isReady }: Health, exchange: Exchange): void {
  const body = `${JSON.stringify({ ready: isReady, conditions })}\n`;
  send(exchange, isReady ? 200 : 503, 'application/json', body, 'no-store');
}
