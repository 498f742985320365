// FLV tag bodies: what each says, what is refused, and that no bytes do harm.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CodedError } from '../../../network/errors.ts';
import { readTag } from '../../../origin/flv/flv.ts';
import type { MediaPacket, RtmpMessage } from '../../../origin/media.ts';

function read(type: RtmpMessage['type'], hex: string): MediaPacket {
  return readTag({ type, timestampMs: 40, payload: Uint8Array.fromHex(hex.replaceAll(' ', '')) });
}

const data = Uint8Array.of(1, 2, 3);
const video = { kind: 'video', timestampMs: 40, compositionMs: 0, keyframe: true, data };
const audio = { kind: 'audio', timestampMs: 40, data };

test.each<{ what: string; type: RtmpMessage['type']; hex: string; packet: unknown }>([
  {
    what: 'AVC config',
    type: 'video',
    hex: '17 00 000000 010203',
    packet: { kind: 'videoConfig', codec: 'h264', config: data },
  },
  { what: 'AVC key frame', type: 'video', hex: '17 01 000000 010203', packet: { ...video, codec: 'h264' } },
  {
    what: 'AVC frame shown before it is decoded',
    type: 'video',
    hex: '27 01 ffffd7 010203',
    packet: { ...video, codec: 'h264', keyframe: false, compositionMs: -41 },
  },
  { what: 'AVC end of sequence', type: 'video', hex: '17 02 000000', packet: { kind: 'nothing' } },
  {
    what: 'HEVC with codec 12',
    type: 'video',
    hex: '1c 01 000021 010203',
    packet: { ...video, codec: 'hevc', compositionMs: 33 },
  },
  { what: 'a command frame', type: 'video', hex: '57 00', packet: { kind: 'nothing' } },
  {
    what: 'hvc1 sequence start',
    type: 'video',
    hex: '90 68766331 010203',
    packet: { kind: 'videoConfig', codec: 'hevc', config: data },
  },
  {
    what: 'hvc1 coded frames with negative composition',
    type: 'video',
    hex: 'a1 68766331 ffffff 010203',
    packet: { ...video, codec: 'hevc', keyframe: false, compositionMs: -1 },
  },
  {
    what: 'avc1 coded frames X',
    type: 'video',
    hex: '93 61766331 010203',
    packet: { ...video, codec: 'h264' },
  },
  {
    what: 'av01 coded frames, which have no composition',
    type: 'video',
    hex: '91 61763031 010203',
    packet: { ...video, codec: 'av1' },
  },
  { what: 'vp09 coded frames', type: 'video', hex: '91 76703039 010203', packet: { ...video, codec: 'vp9' } },
  { what: 'enhanced metadata', type: 'video', hex: '94 68766331 02', packet: { kind: 'nothing' } },
  { what: 'enhanced end of sequence', type: 'video', hex: '92 68766331', packet: { kind: 'nothing' } },
  {
    what: 'AAC config',
    type: 'audio',
    hex: 'af 00 010203',
    packet: { kind: 'audioConfig', codec: 'aac', config: data },
  },
  { what: 'AAC frame', type: 'audio', hex: 'af 01 010203', packet: { ...audio, codec: 'aac' } },
  { what: 'MP3 frame', type: 'audio', hex: '2f 010203', packet: { ...audio, codec: 'mp3' } },
  {
    what: 'Opus sequence start',
    type: 'audio',
    hex: '90 4f707573 010203',
    packet: { kind: 'audioConfig', codec: 'opus', config: data },
  },
  { what: 'E-AC-3 frame', type: 'audio', hex: '91 65632d33 010203', packet: { ...audio, codec: 'eac3' } },
  { what: 'FLAC frame', type: 'audio', hex: '91 664c6143 010203', packet: { ...audio, codec: 'flac' } },
  { what: 'multichannel config', type: 'audio', hex: '94 4f707573 010203', packet: { kind: 'nothing' } },
  { what: 'an empty message', type: 'audio', hex: '', packet: { kind: 'nothing' } },
])('reads $what', ({ type, hex, packet }) => {
  expect(read(type, hex)).toEqual(packet);
});

test.each<{ type: RtmpMessage['type']; hex: string; reason: RegExp }>([
  { type: 'video', hex: '22 00', reason: /H\.263/ },
  { type: 'video', hex: '96 00 68766331', reason: /multitrack/ },
  { type: 'video', hex: '97 00 68766331', reason: /ModEx/ },
  { type: 'video', hex: '90 76766331', reason: /'vvc1'/ },
  { type: 'video', hex: '95 61763031', reason: /MPEG-2 TS/ },
  { type: 'audio', hex: 'b2 00', reason: /Speex/ },
  { type: 'audio', hex: '72 00', reason: /G\.711/ },
  { type: 'audio', hex: '95 00 4f707573', reason: /multitrack/ },
  { type: 'audio', hex: '97 00 4f707573', reason: /ModEx/ },
  { type: 'audio', hex: '90 76726273', reason: /'vrbs'/ },
])('says of $hex what can not be packaged: $reason', ({ type, hex, reason }) => {
  expect(read(type, hex)).toEqual({ kind: 'unsupported', reason: expect.stringMatching(reason) });
});

test.each<{ type: RtmpMessage['type']; hex: string }>([
  { type: 'video', hex: '17 01 00' },
  { type: 'video', hex: '91 6876' },
  { type: 'video', hex: '91 68766331 0000' },
  { type: 'audio', hex: 'af' },
  { type: 'audio', hex: '91 4f' },
])('a header that is cut short ($hex) is a bad tag', ({ type, hex }) => {
  expect(() => read(type, hex)).toThrow(expect.objectContaining({ code: 'bad_tag' }));
});

test('onMetaData is read with and without @setDataFrame', () => {
  const name = '02 000a 6f6e4d65746144617461';
  const values = '08 00000002 0005 7769647468 00 4094000000000000 0006 73746572656f 01 01 000009';
  const expected = { kind: 'metadata', values: { width: 1280, stereo: true } };
  expect(read('data', name + values)).toEqual(expected);
  expect(read('data', `02 000d 40736574446174614672616d65${name}${values}`)).toEqual(expected);
});

test.each([
  { what: 'cut off', hex: '02 000a 6f6e4d65746144617461 08 00000002 0005 7769647468 00 4094' },
  { what: 'another message', hex: '02 0003 616263 05' },
  { what: 'of an unknown type', hex: '02 000a 6f6e4d65746144617461 0f' },
  { what: 'a string', hex: '02 000a 6f6e4d65746144617461 02 0001 61' },
  { what: 'nested without end', hex: `02 000a 6f6e4d65746144617461 ${'03 0001 61'.repeat(50)}` },
])('metadata that is $what is nothing', ({ hex }) => {
  expect(read('data', hex)).toEqual({ kind: 'nothing' });
});

test('whatever the bytes, a tag is a packet or a bad tag', () => {
  const messages = fc.record({
    type: fc.constantFrom<RtmpMessage['type']>('audio', 'video', 'data'),
    timestampMs: fc.integer({ min: 0, max: 0xffffffff }),
    payload: fc.uint8Array({ maxLength: 64 }),
  });
  fc.assert(
    fc.property(messages, (message) => {
      try {
        expect(readTag(message).kind).toBeTypeOf('string');
      } catch (error) {
        expect(error).toBeInstanceOf(CodedError);
      }
    }),
    { numRuns: 2_000 },
  );
});
