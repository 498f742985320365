// Pictures of recordings over HTTP: one that shows it, sprites, and the WebVTT file that says what is where in them.

import type { Found } from '../../network/archive/library.ts';
import { SPRITE, THUMBNAIL, thumbnailsVtt } from '../../network/archive/pictures.ts';
import { mainOf } from '../../network/archive/recording.ts';
import type { ShelvedFile } from '../../network/archive/shelf.ts';
import { sha256 } from '../../network/hash.ts';
import { send, sendProblem } from '../../network/http/answers.ts';
import { sendEntity } from '../../network/http/entity.ts';
import type { Exchange } from '../../network/http/exchange.ts';
import { quoted } from '../../network/names.ts';

/** A recording that grows is shown by another picture later. */
const SHORT = 'max-age=60';
/** A sprite is of a file that is complete. */
const FOREVER = 'public, max-age=31536000, immutable';
const ETAG_DIGITS = 16;

export async function sendThumbnail(exchange: Exchange, { files }: Found): Promise<void> {
  const file = [...files.values()].find(({ pictures }) => pictures.includes(THUMBNAIL));
  if (file) await sendJpeg(exchange, await file.readPicture(THUMBNAIL), SHORT);
  else sendProblem(exchange, 404, 'Not Found', 'there is no picture of this recording');
}

export async function sendSprite(exchange: Exchange, { files }: Found): Promise<void> {
  const name = exchange.params['picture']!;
  const file = files.get(name);
  if (file && hasSprite(file)) await sendJpeg(exchange, await file.readPicture(SPRITE), FOREVER);
  else sendProblem(exchange, 404, 'Not Found', `there is no sprite of a file ${quoted(name)}`);
}

export function sendThumbnails(exchange: Exchange, { recording, files }: Found): void {
  const sprites = new Map([...files.values()].filter(hasSprite).map(({ name, index }) => [name, index]));
  send(exchange, 200, 'text/vtt; charset=utf-8', thumbnailsVtt(mainOf(recording).segments, sprites), SHORT);
}

function hasSprite({ pictures }: ShelvedFile): boolean {
  return pictures.includes(SPRITE);
}

async function sendJpeg(exchange: Exchange, jpeg: Uint8Array, cacheControl: string): Promise<void> {
  sendEntity(exchange, {
    views: [jpeg],
    type: 'image/jpeg',
    etag: `"${sha256(jpeg, ETAG_DIGITS)}"`,
    cacheControl,
  });
}
