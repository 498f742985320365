import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CodedError } from '../../../network/errors.ts';
import { MAX_SIGNAL_BYTES, Splitter } from '../../../network/media/splitter.ts';
import { readSignal, type Signal, writeSignal } from '../../../network/relay/signal.ts';

const path = Array.from({ length: 100 }, (_, index) => `server-${index}.site.example`);

describe('signals', () => {
  test.each<[string, Signal]>([
    ['a heartbeat', { kind: 'heartbeat', path: ['o', 'a'], isFed: true, next: 4711 }],
    ['a heartbeat by way of a hundred servers', { kind: 'heartbeat', path, isFed: false, next: 0 }],
    ['an end', { kind: 'end', reason: 'the broadcaster went home: „tschüß“' }],
  ])('%s comes through a byte stream as it was', (_, signal) => {
    const bytes = writeSignal(signal);
    const pieces = [...new Splitter().push(bytes)];
    expect(pieces.map((piece) => piece.kind === 'signal' && readSignal(piece.bytes))).toEqual([signal]);
    expect(bytes.length).toBeLessThan(MAX_SIGNAL_BYTES);
  });

  test('whatever else is in a free box is refused with a clear error', () => {
    const refuse = (json: string): void => {
      const bytes = Buffer.concat([Buffer.alloc(8), Buffer.from(json)]);
      expect(() => readSignal(bytes)).toThrow(CodedError);
    };
    for (const json of [
      '',
      'null',
      '[]',
      '{"kind":"heartbeat"}',
      '{"kind":"end","reason":7}',
      '{"kind":"x"}',
    ])
      refuse(json);
    fc.assert(fc.property(fc.json(), refuse));
  });
});
