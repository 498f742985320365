// Server-sent events as bytes (HTML Living Standard 9.2.6), packed once for all who listen.

import { constants, deflateRawSync } from 'node:zlib';
import type { LiveMessages } from '../messages.ts';

/** One or more events. */
export interface Frame {
  readonly plain: Buffer;
  readonly packed: Buffer;
}

export type Packing = keyof Frame;

/** RFC 1952 2.3: no name, no time, no known system. Blocks of deflate follow until the connection ends. */
export const GZIP_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);

/** The name of the event goes by the message's; `id` is what a listener who comes again names. */
export function frameOf<Name extends keyof LiveMessages>(
  name: Name,
  message: LiveMessages[Name],
  id?: string,
): Frame {
  const idLine = id === undefined ? '' : `id: ${id}\n`;
  return packed(`${idLine}event: ${name}\ndata: ${JSON.stringify(message)}\n\n`);
}

/** Nothing changed: neither the page nor a proxy takes a quiet connection for a dead one. Of a comment pages hear nothing. */
export const HEARTBEAT = frameOf('change', {});

/**
 * Blocks that end at a byte (RFC 1951 3.2.4) and look back to nothing before them: whoever has the header can be sent any of them
 * after any other, so that what many listen to is packed once.
 */
function packed(text: string): Frame {
  const plain = Buffer.from(text);
  return { plain, packed: deflateRawSync(plain, { finishFlush: constants.Z_SYNC_FLUSH, level: 4 }) };
}
