// The ladders of the configuration, by stream. Pure.

import type { Config } from '../network/config/schema/schema.ts';
import type { LadderPolicies, LadderPolicy } from './plan/transcodes.ts';

/** Undefined where nothing is to be transcoded. */
export function laddersOf(config: Config['transcode']): LadderPolicies | undefined {
  const { ladder, when, perStream } = config;
  if (ladder.length === 0 && perStream.every((one) => one.ladder.length === 0)) return undefined;
  const usual: LadderPolicy = { ladder, when };
  return (stream) => perStream.find((one) => fits(one.stream, stream)) ?? usual;
}

function fits(name: string, stream: string): boolean {
  return name.endsWith('*') ? stream.startsWith(name.slice(0, -1)) : stream === name;
}
