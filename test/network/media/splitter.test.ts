import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CodedError } from '../../../network/errors.ts';
import { MAX_PIECE_BYTES, MAX_SIGNAL_BYTES, type Piece, Splitter } from '../../../network/media/splitter.ts';
import { SyntheticBroadcast } from '../../tools/viewers/progressive-feed.ts';

const init = initFromFfmpeg();
const broadcast = new SyntheticBroadcast({ gop: 5, frameBytes: 700 });
broadcast.push(20);
const chunks = broadcast.bytesFrom(0);
const stream = Buffer.concat([init, chunks, init, chunks]);

describe('a splitter', () => {
  test('finds the same pieces however the bytes are cut', () => {
    const whole = describePieces([...new Splitter().push(stream)]);
    expect(whole.filter((piece) => piece.startsWith('init'))).toHaveLength(2);
    expect(whole).toHaveLength(42);
    expect(describePieces(split(stream, () => 1))).toEqual(whole);
    fc.assert(
      fc.property(fc.infiniteStream(fc.integer({ min: 1, max: 3000 })), (sizes) => {
        expect(describePieces(split(stream, () => sizes.next().value!))).toEqual(whole);
      }),
      { numRuns: 30 },
    );
  });

  test('hands out pieces as soon as their last byte is there, and shares no memory between them', () => {
    const splitter = new Splitter();
    const [one] = [...splitter.push(stream.subarray(0, init.length))];
    expect(one?.kind).toBe('init');
    expect(splitter.heldBytes).toBe(0);
    const [two, three] = [...splitter.push(chunks)].map((piece) =>
      piece.kind === 'chunk' ? piece.chunk : undefined,
    );
    expect(two!.bytes).toEqual(new Uint8Array(broadcast.chunks[0]!.bytes));
    expect(two!.bytes.buffer).not.toBe(three!.bytes.buffer);
  });

  test('hands out signals between the pieces as they came', () => {
    const signal = Buffer.concat([box('free', 12), Buffer.from('{  }')]);
    const pieces = split(Buffer.concat([signal, init, signal, chunks, signal]), () => 7);
    const kinds = pieces.map(({ kind }) => kind);
    expect(kinds).toEqual(['signal', 'init', 'signal', ...broadcast.chunks.map(() => 'chunk'), 'signal']);
    for (const piece of pieces) if (piece.kind === 'signal') expect(signal.equals(piece.bytes)).toBe(true);
  });

  test.each([
    ['a box that does not belong', box('skip', 8), 'bad_stream'],
    [
      'a signal in the middle of a piece',
      Buffer.concat([chunks.subarray(0, 40), box('free', 8)]),
      'bad_stream',
    ],
    ['a signal beyond the bound', box('free', MAX_SIGNAL_BYTES + 1), 'bad_stream'],
    ['a fragment without its mark', box('moof', 8), 'bad_stream'],
    ['an impossible size', Buffer.from([0, 0, 0, 3, ...Buffer.from('ftyp')]), 'bad_box'],
    ['HTML', Buffer.from('<!doctype html><html>'), 'bad_stream'],
    ['a size beyond the bound', box('uuid', MAX_PIECE_BYTES + 1), 'bad_stream'],
    ['an init without tracks', Buffer.concat([box('ftyp', 8), box('moov', 8)]), 'bad_init'],
  ])('refuses %s', (_, bytes, code) => {
    expect(codeOf(() => [...new Splitter().push(bytes)])).toBe(code);
  });

  test('ends with a clear error, and never holds more than one piece, whatever comes', () => {
    const splitter = new Splitter();
    const endless = box('uuid', MAX_PIECE_BYTES - 100);
    [...splitter.push(endless)];
    const filler = Buffer.alloc(1024 * 1024);
    expect(codeOf(() => pushUntilError(splitter, filler))).toBe('bad_box');
    expect(splitter.heldBytes).toBeLessThanOrEqual(MAX_PIECE_BYTES);
  });

  test('turns random bytes and flipped bits into coded errors only', () => {
    fc.assert(
      fc.property(
        fc.nat(stream.length - 1),
        fc.nat(7),
        fc.uint8Array({ maxLength: 64 }),
        (at, bit, noise) => {
          const flipped = Buffer.from(stream);
          flipped[at] = flipped[at]! ^ (1 << bit);
          codeOf(() => [...new Splitter().push(flipped)]);
          codeOf(() => [...new Splitter().push(noise)]);
        },
      ),
      { numRuns: 300 },
    );
  });
});

function split(bytes: Uint8Array, size: () => number): Piece[] {
  const splitter = new Splitter();
  const pieces: Piece[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const end = offset + size();
    pieces.push(...splitter.push(bytes.subarray(offset, end)));
    offset = end;
  }
  return pieces;
}

function describePieces(pieces: readonly Piece[]): string[] {
  return pieces.map((piece) => {
    if (piece.kind === 'signal') return `signal ${piece.bytes.length}`;
    return piece.kind === 'init'
      ? `init ${piece.init.tracks.map((track) => track.codec)} ${piece.init.bytes.length}`
      : `chunk ${piece.chunk.sequence} ${piece.chunk.decodeTime} ${piece.chunk.bytes.length}`;
  });
}

/** The code of the error thrown, or undefined; any other error than a coded one fails the test. */
function codeOf(run: () => void): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(CodedError);
    return (error as CodedError).code;
  }
}

function pushUntilError(splitter: Splitter, bytes: Uint8Array): void {
  for (let count = 0; count < 100; count++) [...splitter.push(bytes)];
}

/** The header of a box of `size` bytes, and nothing of what should be in it. */
function box(type: string, size: number): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32BE(size);
  header.write(type, 4, 'latin1');
  return header;
}

function initFromFfmpeg(): Buffer {
  const sources = ['testsrc2=size=64x64:rate=30', 'sine'].flatMap((source) => ['-f', 'lavfi', '-i', source]);
  const format = ['-t', '0.2', '-c:v', 'libx264', '-c:a', 'aac', '-movflags', 'empty_moov+default_base_moof'];
  const file = execFileSync('ffmpeg', ['-v', 'error', ...sources, ...format, '-f', 'mp4', '-']);
  return file.subarray(0, file.indexOf('moof') - 4);
}
