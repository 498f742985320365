// Which network (ASN) an address is of, by files that say it: a dump of a BGP table, or ranges.

import { CodedError, reasonOf } from '../../errors.ts';
import { runInThread } from '../../process/thread.ts';
import type { Address } from '../address.ts';
import type { RoutesRead } from './route-reader.ts';
import { RouteTable } from './route-table.ts';

export interface Routes {
  /** Undefined when the address is of no known network. */
  asnOf(address: Address): number | undefined;
  readonly read: RoutesRead;
}

/**
 * Reads files beside the event loop. Rejects with `bad_routes` when one of them can't be read, when they hold no routes, and when more
 * than 1 % of their lines make no sense.
 */
export async function readRoutes(files: readonly string[]): Promise<Routes> {
  const read = await inThread(files);
  const ipv4 = new RouteTable(read.ipv4);
  const ipv6 = new RouteTable(read.ipv6);
  return { asnOf: (address) => (address.length === 1 ? ipv4 : ipv6).lookup(address) || undefined, read };
}

async function inThread(files: readonly string[]): Promise<RoutesRead> {
  try {
    return await runInThread<RoutesRead>(new URL('route-thread.ts', import.meta.url), files);
  } catch (error) {
    throw new CodedError('bad_routes', reasonOf(error), { cause: error });
  }
}
