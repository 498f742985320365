// The door to names of hosts: an address that was found once stays known, for when a resolver fails or is slow.

import { type LookupAddress, lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { Clock, Timer } from '../clock.ts';

/** A resolver is given so long where its last answer is known. */
export const PATIENCE_MS = 300;
/** Past so many the one that was found first is forgotten. */
const MAX_NAMES = 1_000;

type Found = readonly [address: string | LookupAddress[], family?: number | undefined];

/** As the system resolves, but that what it said last counts where it says nothing in time, or fails. */
export function rememberingLookup(
  clock: Pick<Clock, 'after'>,
  ask: LookupFunction = lookup as LookupFunction,
): LookupFunction {
  const known = new Map<string, Found>();
  const keep = (name: string, found: Found): void => {
    known.set(name, found);
    if (known.size > MAX_NAMES) known.delete(known.keys().next().value!);
  };
  return (hostname, options, callback) => {
    const name = `${hostname} ${options.family ?? 0} ${options.all ?? false}`;
    const last = known.get(name);
    let patience: Timer | undefined;
    let isTold = false;
    const tell: typeof callback = (...answer) => {
      if (isTold) return;
      isTold = true;
      patience?.cancel();
      callback(...answer);
    };
    if (last) patience = clock.after(PATIENCE_MS, () => tell(null, ...last));
    ask(hostname, options, (error, ...found) => {
      if (!error) keep(name, found);
      if (error && last) tell(null, ...last);
      else tell(error, ...found);
    });
  };
}
