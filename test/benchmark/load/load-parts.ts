// Low-latency HLS: reloads the playlist blocking, and gets each part as it is listed.

import type { HlsViewer } from './load-hls.ts';

/** Who falls so far behind that a part is gone before it is got begins anew, as players do. */
export async function watchParts(viewer: HlsViewer): Promise<void> {
  while (!viewer.isGone) await follow(viewer);
}

/** From the newest part on. */
async function follow(viewer: HlsViewer): Promise<void> {
  let { parts, next } = await reload(viewer, '');
  let last = parts.at(-1);
  while (!viewer.isGone) {
    ({ parts, next } = await reload(viewer, next));
    for (const uri of parts.slice(parts.indexOf(last ?? '') + 1)) {
      const status = await viewer.media(uri);
      if (status === 404) return;
      if (status !== 200) throw new Error(`${status} for a part`);
      last = uri;
    }
  }
}

/** What a playlist says to who follows it. */
interface Listed {
  readonly parts: readonly string[];
  /** The query for the playlist that has the part behind them. */
  readonly next: string;
}

async function reload(viewer: HlsViewer, query: string): Promise<Listed> {
  const { status, seen } = await viewer.playlist(query, listedIn);
  if (!seen) throw new Error(`${status} for a playlist`);
  return seen;
}

/** Thousands are given the same playlists at the same time: one with the bytes of another is not read again. */
const recent: { readonly body: Buffer; readonly listed: Listed }[] = [];
const RECENT = 8;

function listedIn(body: Buffer): Listed {
  const known = recent.find((each) => each.body.equals(body));
  if (known) return known.listed;
  const listed = read(body.toString('latin1'));
  recent.unshift({ body: Buffer.from(body), listed });
  recent.length = Math.min(recent.length, RECENT);
  return listed;
}

function read(playlist: string): Listed {
  const [, msn, part] = /EXT-X-PRELOAD-HINT:TYPE=PART,URI="[^"]*?(\d+)\.(\d+)\.m4s"/.exec(playlist) ?? [];
  const parts = [...playlist.matchAll(/^#EXT-X-PART:.*?URI="([^"]+)"/gm)].map((match) => match[1]!);
  return { parts, next: `?_HLS_msn=${msn}&_HLS_part=${part}&_HLS_skip=YES` };
}
