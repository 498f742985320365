// What a server holds of a rendition, fetched as HLS and put together as one file.

import { readPlaylist } from './read-playlist.ts';

/** The whole segments from one number on, all with the init of the first of them. */
export async function heldMedia(playlistUrl: string, fromMsn = 0): Promise<Uint8Array> {
  const { segments } = readPlaylist(await (await fetch(playlistUrl)).text());
  const whole = segments.filter(({ uri, msn }) => uri !== undefined && msn >= fromMsn);
  const uris = [whole[0]!.map, ...whole.map(({ uri }) => uri!)];
  const pieces = await Promise.all(
    uris.map(async (uri) => (await fetch(new URL(uri, playlistUrl))).arrayBuffer()),
  );
  return Buffer.concat(pieces.map((piece) => new Uint8Array(piece)));
}
