// Reads the tags of an FLV file (Adobe FLV 10.1, annex E) out of its bytes. Pure.

import { CodedError } from '../../network/errors.ts';
import { viewOf } from '../../network/media/boxes.ts';
import type { RtmpMessage } from '../media.ts';

const SIGNATURE = 'FLV';
const FILE_HEADER_BYTES = 9;
const TAG_HEADER_BYTES = 11;
const PREVIOUS_TAG_SIZE_BYTES = 4;
const TYPES: Readonly<Record<number, RtmpMessage['type']>> = { 8: 'audio', 9: 'video', 18: 'data' };

/** All whole tags, as the messages that RTMP carries them in; a tag that is cut off at the end is left out. */
export function readFlvTags(bytes: Uint8Array): RtmpMessage[] {
  const view = viewOf(bytes);
  if (
    new TextDecoder('latin1').decode(bytes.subarray(0, 3)) !== SIGNATURE ||
    bytes.length < FILE_HEADER_BYTES
  ) {
    throw new CodedError('bad_flv', `${bytes.length} bytes that do not begin with an FLV header`);
  }
  const messages: RtmpMessage[] = [];
  let offset = view.getUint32(5) + PREVIOUS_TAG_SIZE_BYTES;
  while (offset + TAG_HEADER_BYTES <= bytes.length) {
    const end = offset + TAG_HEADER_BYTES + (view.getUint32(offset) & 0xffffff);
    const type = TYPES[view.getUint8(offset)];
    if (!type) throw new CodedError('bad_flv', `a tag of type ${view.getUint8(offset)} at byte ${offset}`);
    if (end > bytes.length) break;
    messages.push({
      type,
      timestampMs: timestamp(view, offset + 4),
      payload: bytes.subarray(offset + TAG_HEADER_BYTES, end),
    });
    offset = end + PREVIOUS_TAG_SIZE_BYTES;
  }
  return messages;
}

/** E.4.1: 24 bits, and behind them the upper 8. */
function timestamp(view: DataView, offset: number): number {
  return ((view.getUint8(offset + 3) << 24) | (view.getUint32(offset) >>> 8)) >>> 0;
}
