// Where broadcasters may push, in the format of Twitch's ingest list, which OBS and other encoders read. Pure.

import { isAlive } from '../network/state/liveness.ts';
import type { KnownServer, Snapshot } from '../network/state/state.ts';
import { rendezvous } from './placement/rendezvous.ts';

/** As https://dev.twitch.tv/docs/video-broadcast/reference/ names the fields. */
export interface Ingest {
  readonly _id: number;
  readonly availability: number;
  readonly default: boolean;
  readonly name: string;
  /** The encoder puts its key, `<stream>?key=<key>`, for `{stream_key}`. */
  readonly url_template: string;
  /** Only where the server takes RTMP over TLS. */
  readonly url_template_secure?: string;
  readonly priority: number;
}

/** Servers that take broadcasts, the emptiest first; encoders try them in this order. `reach` makes URLs usable outside. */
export function ingestList(
  snapshot: Snapshot,
  reach: (rtmpUrl: string) => string,
): { readonly ingests: readonly Ingest[] } {
  const open = snapshot.servers.filter(
    ({ beatAtMs, drain, roles }) => isAlive(beatAtMs, snapshot) && !drain && roles.includes('origin'),
  );
  const ranks = open.map((server) => ({
    server,
    load: loadOf(server),
    streams: streamsOf(server, snapshot),
  }));
  ranks.sort((one, other) => one.load - other.load || one.streams - other.streams);
  return { ingests: ranks.map(({ server }, at) => ingestOf(server, at, reach(server.rtmpUrl))) };
}

function loadOf({ sentMbps, egressMbps }: KnownServer): number {
  return egressMbps > 0 ? sentMbps / egressMbps : 1;
}

function streamsOf({ id }: KnownServer, { streams }: Snapshot): number {
  return streams.filter(({ origin }) => origin === id).length;
}

function ingestOf({ id, site }: KnownServer, at: number, url: string): Ingest {
  const template = `${url}/{stream_key}`;
  return {
    // Readers expect a number, and keep it in 31 bits: one that stays the server's own.
    _id: rendezvous(id) >>> 1,
    availability: 1,
    default: at === 0,
    name: `${site}: ${id}`,
    url_template: template,
    ...(url.startsWith('rtmps:') ? { url_template_secure: template } : {}),
    priority: at + 1,
  };
}
