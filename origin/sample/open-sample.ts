// The broadcast that a process pushes to its own server, so that there is something to watch at once.

import type { Base } from '../../network/base.ts';
import { reachableHere } from '../../network/http/reachable.ts';
import type { Draining } from '../../network/state/draining.ts';
import { signToken } from '../../network/token.ts';
import { startSampleBroadcast } from './sample-broadcast.ts';

const NAME = 'sample';
/** Its key is made anew at each start. */
const KEY_MS = 10 * 365 * 86_400_000;

export interface OpenSampleOptions extends Pick<Base, 'config' | 'secrets' | 'clock' | 'logger' | 'opened'> {
  /** Of this process's own RTMP listener. */
  readonly rtmpPort: number;
  readonly draining: Draining;
}

/** Goes on until the server is drained, or ends. */
export function openSample({ config, secrets, rtmpPort, draining, ...tools }: OpenSampleOptions): void {
  const expiresAtMs = tools.clock.now() + KEY_MS;
  const key = signToken(secrets, { purpose: 'publish', stream: NAME, expiresAtMs, session: '' });
  const host = reachableHere(config.bind);
  const sample = startSampleBroadcast({ ...tools, host, port: rtmpPort, name: NAME, key });
  draining.begun.then(() => sample.stop());
  tools.opened.defer(() => sample.stop());
}
