// Every parser of bytes that come from outside.

import type { Target } from './target.ts';
import * as files from './targets/files.ts';
import * as ingest from './targets/ingest.ts';
import * as planted from './targets/planted.ts';
import * as relay from './targets/relay.ts';
import * as requests from './targets/requests.ts';
import * as rtmp from './targets/rtmp.ts';
import * as viewers from './targets/viewers.ts';

export const TARGETS: readonly Target[] = [ingest, rtmp, relay, viewers, requests, files].flatMap((module) =>
  Object.values<Target>(module),
);

/** Also one of the planted ones. Throws with the names that there are. */
export function targetNamed(name: string): Target {
  const target = [...TARGETS, ...Object.values<Target>(planted)].find((one) => one.name === name);
  if (!target)
    throw new Error(`there is no '${name}' to fuzz, only ${TARGETS.map((one) => one.name).join(', ')}`);
  return target;
}
