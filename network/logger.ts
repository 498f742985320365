// The door to logging: structured lines (pino) on standard output, one JSON object each.

import { pino } from 'pino';
import { traceFields } from './trace/current-trace.ts';

export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** A logger that adds `fields` to each of its lines. */
  child(fields: object): Logger;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** What lets somebody in is not written down, by whatever mistake it would be. */
const SECRETS = ['key', 'token', 'secret', 'password', 'authorization'].flatMap((name) => [
  name,
  `*.${name}`,
]);

/**
 * Errors are put under `err`, where pino writes their type, message, stack and causes. Lines that are written while a request
 * is answered that belongs to a trace say so: `traceId`, `spanId`.
 */
export function createLogger(level: LogLevel): Logger {
  return pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    mixin: traceFields,
    redact: SECRETS,
  });
}
