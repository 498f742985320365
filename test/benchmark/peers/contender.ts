// What is compared: a server in a process of its own, with the recording published to it.

import { rmSync } from 'node:fs';
import { systemClock } from '../../../network/clock.ts';
import { type Grant, signToken } from '../../../network/token.ts';
import { lastingFolder } from '../../tools/world/scratch-folder.ts';
import type { Protocol } from '../load/load.ts';
import { CLIENT_CORE, PinnedProcess } from '../processes.ts';
import { recordingFile } from '../recording.ts';

export interface Contender extends AsyncDisposable {
  readonly server: PinnedProcess;
  readonly protocol: Protocol;
  /** An address for each viewer. */
  readonly urls: (viewers: number) => readonly string[];
}

export const SECRET = 'the secret of the benchmark';
export const STREAM = 'benchmark';

/** To an RTMP listener, or as the bare FLV bytes over TCP. */
export function publish(protocol: 'rtmp' | 'raw', port: number, keyFrameEveryS = 1): PinnedProcess {
  const args = [protocol, String(port), recordingFile(keyFrameEveryS), publishKey()];
  return new PinnedProcess('load/publish.ts', args, { core: CLIENT_CORE });
}

/** The key that Headwater's servers take. */
export function publishKey(): string {
  return tokenFor('publish', '');
}

/** Each viewer is a session of its own; without one the token is for anybody, as caches have it. */
export function tokenFor(purpose: Grant['purpose'], session: string): string {
  const expiresAtMs = systemClock.now() + 3_600_000;
  return signToken([SECRET], { purpose, stream: STREAM, session, expiresAtMs });
}

/** A folder that is gone with what uses it. */
export function temporaryFolder(opened: AsyncDisposableStack): string {
  const folder = lastingFolder();
  opened.defer(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Everybody asks for the same. */
export function sameFor(url: string): Contender['urls'] {
  return (viewers) => Array<string>(viewers).fill(url);
}
