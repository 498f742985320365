// Ways to a stream for one viewer: what placement chose, as pathways with addresses that only this viewer has.

import { writeSession } from '../../network/session.ts';
import type { KnownServer } from '../../network/state/state.ts';
import { signToken } from '../../network/token.ts';
import { cdnUrl, DAY_MS, sharedExpiryMs } from '../cdn/cdn.ts';
import type { Pathway } from '../multivariant.ts';
import { rendezvous } from '../placement/rendezvous.ts';
import type { CdnChoice, Choice } from '../placement/request.ts';
import type { Destination, Directory, PathwayIds } from './pathway-ids.ts';

/** A viewer of one stream, as its tokens say. */
export interface Guest {
  readonly stream: string;
  /** Id of the session. */
  readonly session: string;
  readonly expiresAtMs: number;
  /** Of a viewer of a recording: when that began, as its id says it. */
  readonly started?: string;
}

export interface WayMaker {
  readonly ids: PathwayIds;
  readonly secrets: readonly string[];
  readonly nowMs: number;
  /** Makes the URL of a server one that whoever asks can use. */
  readonly reach: (mediaUrl: string) => string;
}

/** Where a viewer is sent or is, for log lines. */
export function nameOf(
  to: Destination | Choice,
): { readonly server: string; readonly site: string } | { readonly cdn: string } {
  return to.kind === 'server' ? { server: to.server.id, site: to.server.site } : { cdn: to.cdn.name };
}

/** In the order of the choices. A CDN that is all there is comes by two shields: a player needs somewhere to go. */
export function waysTo(choices: readonly Choice[], guest: Guest, maker: WayMaker): Pathway[] {
  return choices.flatMap((choice) => {
    if (choice.kind === 'server') return wayToServer(choice.server, choice.uplink, guest, maker);
    const { cdn } = choice;
    const isAll = choices.length === 1 && cdn.urlTemplate.includes('{shield}');
    const shields = shieldsFor(guest, choice).slice(0, isAll ? 2 : 1);
    return shields.map((shield) => wayTo({ kind: 'cdn', cdn, shield }, '', guest, maker));
  });
}

/** The way to where a viewer is already; `uplink` is that of a server's site. */
export function wayTo(to: Destination, uplink: string, guest: Guest, maker: WayMaker): Pathway {
  if (to.kind === 'server') return wayToServer(to.server, uplink, guest, maker);
  const { secrets, ids, nowMs } = maker;
  const expiresAtMs = sharedExpiryMs(nowMs);
  const { stream } = guest;
  const urlOf = (rendition: string): string => {
    const token = signToken(secrets, { purpose: 'play', stream, expiresAtMs, session: '' });
    return cdnUrl(to.cdn, to.shield.id, `${pathOf(guest, token)}/${rendition}/index.m3u8`);
  };
  return { id: ids.of(to, expiresAtMs), urlOf };
}

/** Where a pathway that a player names leads: undefined when it was not given to this player, or leads nowhere any more. */
export function readWay(
  id: string,
  guest: Guest,
  directory: Directory,
  maker: WayMaker,
): Destination | undefined {
  const sharedMs = sharedExpiryMs(maker.nowMs);
  // A CDN's address of yesterday is still good.
  for (const expiryMs of [guest.expiresAtMs, sharedMs, sharedMs - DAY_MS]) {
    const to = maker.ids.read(id, expiryMs, directory);
    if (to) return to;
  }
  return undefined;
}

/** A token is signed when the address is asked for: most players are told only the id of a way that they know. */
function wayToServer(server: KnownServer, uplink: string, guest: Guest, maker: WayMaker): Pathway {
  const { stream, expiresAtMs } = guest;
  const makeBase = (): string => {
    const session = writeSession({ id: guest.session, uplink });
    const token = signToken(maker.secrets, { purpose: 'play', stream, expiresAtMs, session });
    return maker.reach(server.mediaUrl) + pathOf(guest, token);
  };
  let base: string | undefined;
  const urlOf = (rendition: string): string => {
    base ??= makeBase();
    return `${base}/${rendition}/index.m3u8`;
  };
  return { id: maker.ids.of({ kind: 'server', server }, expiresAtMs), urlOf };
}

function pathOf({ stream, started }: Guest, token: string): string {
  return started === undefined ? `/play/${token}/${stream}` : `/vod/${token}/${stream}/${started}`;
}

/** Viewers share out the shields; each keeps its own while others come and go. */
function shieldsFor({ session }: Guest, { shields }: CdnChoice): KnownServer[] {
  const ranks = new Map(shields.map((shield) => [shield, rendezvous(session, shield.id)]));
  return shields.toSorted((one, other) => ranks.get(other)! - ranks.get(one)!);
}
