// Reads an FLV file into RTMP messages, and writes E-RTMP tags, which ffmpeg 5.1 cannot.

import type { RtmpMessage } from '../../../origin/media.ts';

const TYPES: Readonly<Record<number, RtmpMessage['type']>> = { 8: 'audio', 9: 'video', 18: 'data' };

/** The tags of a whole file (Video File Format 10.1 annex E.4.1), in order. */
export function readFlvFile(file: Uint8Array): RtmpMessage[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const messages: RtmpMessage[] = [];
  const previousTagSizeBytes = 4;
  let offset = view.getUint32(5) + previousTagSizeBytes;
  while (offset + 11 <= file.length) {
    const type = TYPES[view.getUint8(offset) & 31];
    const size = view.getUint32(offset) & 0xffffff;
    const timestampMs = ((view.getUint8(offset + 7) << 24) | (view.getUint32(offset + 4) >>> 8)) >>> 0;
    const payload = file.subarray(offset + 11, offset + 11 + size);
    if (type) messages.push({ type, timestampMs, payload });
    offset += 11 + size + previousTagSizeBytes;
  }
  return messages;
}

/** `packetType` of E-RTMP: 0 starts a sequence, 1 is coded frames, 3 is coded frames without composition time. */
export interface EnhancedTag {
  readonly fourCc: string;
  readonly packetType: number;
  readonly timestampMs: number;
  readonly data: Uint8Array;
}

export function enhancedVideo(
  tag: EnhancedTag & { readonly keyframe: boolean; readonly compositionMs?: number },
): RtmpMessage {
  const first = 0x80 | ((tag.keyframe ? 1 : 2) << 4) | tag.packetType;
  const { compositionMs } = tag;
  const composition =
    compositionMs === undefined ? [] : [16, 8, 0].map((shift) => (compositionMs >> shift) & 0xff);
  return {
    type: 'video',
    timestampMs: tag.timestampMs,
    payload: join(first, tag.fourCc, composition, tag.data),
  };
}

export function enhancedAudio(tag: EnhancedTag): RtmpMessage {
  const payload = join(0x90 | tag.packetType, tag.fourCc, [], tag.data);
  return { type: 'audio', timestampMs: tag.timestampMs, payload };
}

function join(first: number, fourCc: string, more: readonly number[], data: Uint8Array): Uint8Array {
  return Uint8Array.from([first, ...Buffer.from(fourCc, 'latin1'), ...more, ...data]);
}

/** The tags as a file: what `readFlvFile` reads. */
export function writeFlvFile(messages: readonly RtmpMessage[]): Uint8Array {
  const header = Buffer.from([0x46, 0x4c, 0x56, 1, 5, 0, 0, 0, 9, 0, 0, 0, 0]);
  return Buffer.concat([header, ...messages.map(writeTag)]);
}

function writeTag({ type, timestampMs, payload }: RtmpMessage): Buffer {
  const tag = Buffer.alloc(11 + payload.length + 4);
  tag[0] = Number(Object.keys(TYPES).find((number) => TYPES[Number(number)] === type));
  tag.writeUIntBE(payload.length, 1, 3);
  tag.writeUIntBE(timestampMs & 0xffffff, 4, 3);
  tag[7] = timestampMs >>> 24;
  tag.set(payload, 11);
  tag.writeUInt32BE(11 + payload.length, 11 + payload.length);
  return tag;
}
