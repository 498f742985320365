// What operators and their tools ask of every process: alive, ready, metrics.

import type { Metrics } from '../metrics.ts';
import { type Route, send } from './http.ts';

export interface HealthOptions {
  readonly metrics: Metrics;
  /** False while the process starts and once it is ending. */
  readonly isReady: () => boolean;
}

export function healthRoutes(options: HealthOptions): Route[] {
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
      handle: (exchange) => {
        const isReady = options.isReady();
        send(exchange, isReady ? 200 : 503, 'text/plain', isReady ? 'ready\n' : 'not ready\n', 'no-store');
      },
    },
    {
      kind: 'metrics',
      method: 'GET',
      pattern: /^\/metrics$/,
      handle: async (exchange) => {
        send(exchange, 200, options.metrics.contentType, await options.metrics.text(), 'no-store');
      },
    },
  ];
}
