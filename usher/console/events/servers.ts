// What happened to servers between two looks: they came, went, and were emptied. Pure.

import { isAlive } from '../../../network/state/liveness.ts';
import type { Drain, KnownServer, Snapshot } from '../../../network/state/state.ts';
import type { Look } from '../figures/look.ts';
import type { Happening } from '../messages.ts';

export function serverHappenings({ snapshot: before }: Look, { snapshot: after }: Look): Happening[] {
  const [old, fresh] = [before, after].map(({ servers }) => new Map(servers.map((each) => [each.id, each])));
  const ids = new Set([...old!.keys(), ...fresh!.keys()]);
  return [...ids].flatMap((id) => {
    const [was, is] = [old!.get(id), fresh!.get(id)];
    return [
      ...presence(was, is, before, after),
      ...(is ? draining(was, is, before, after) : emptiedAsItLeft(was!, before)),
    ];
  });
}

function presence(
  was: KnownServer | undefined,
  is: KnownServer | undefined,
  before: Snapshot,
  after: Snapshot,
): Happening[] {
  const { id: server, site } = (is ?? was)!;
  const wasAlive = was !== undefined && isAlive(was.beatAtMs, before);
  const isNowAlive = is !== undefined && isAlive(is.beatAtMs, after);
  if (!was) return isNowAlive ? [{ kind: 'server-joined', server, site }] : [];
  if (!is) return wasAlive ? [{ kind: 'server-gone', server, site, how: 'left' }] : [];
  if (wasAlive && !isNowAlive) return [{ kind: 'server-gone', server, site, how: 'silent' }];
  const isBack = isNowAlive && (!wasAlive || was.instance !== is.instance);
  return isBack ? [{ kind: 'server-back', server, site }] : [];
}

function draining(
  was: KnownServer | undefined,
  is: KnownServer,
  before: Snapshot,
  after: Snapshot,
): Happening[] {
  const [order, now] = [was && drainOf(was, before), drainOf(is, after)];
  const { id: server } = is;
  if (!now) return order && isAlive(is.beatAtMs, after) ? [{ kind: 'drain-ended', server }] : [];
  const ordered: Happening = {
    kind: 'drain-ordered',
    server,
    ...(now.deadlineMs === null ? {} : { deadlineMs: now.deadlineMs }),
    isWished: is.drain?.wished ?? true,
  };
  const wasEmpty = was !== undefined && order !== undefined && isEmpty(was, before);
  const isEmptied = isEmpty(is, after) && !wasEmpty;
  return [...(order ? [] : [ordered]), ...(isEmptied ? [{ kind: 'drain-emptied', server } as const] : [])];
}

/** A server whose process was told to end leaves as soon as it is empty. */
function emptiedAsItLeft(was: KnownServer, before: Snapshot): Happening[] {
  const isEmptied = drainOf(was, before) && isAlive(was.beatAtMs, before) && !isEmpty(was, before);
  return isEmptied ? [{ kind: 'drain-emptied', server: was.id }] : [];
}

function drainOf({ id, drain }: KnownServer, { drains }: Snapshot): Drain | undefined {
  return drain ?? (Object.hasOwn(drains, id) ? drains[id] : undefined);
}

/** Nobody watches there, takes a feed from there or broadcasts there. */
function isEmpty({ id, holdings }: KnownServer, { servers, streams }: Snapshot): boolean {
  return (
    holdings.every(({ viewers }) => viewers === 0) &&
    streams.every(({ origin }) => origin !== id) &&
    servers.every((other) => other.holdings.every(({ parent }) => parent !== id))
  );
}
