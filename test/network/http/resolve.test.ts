import { createServer } from 'node:http';
import type { AddressInfo, LookupFunction } from 'node:net';
import { expect, test } from 'vitest';
import { getText } from '../../../network/http/dial.ts';
import { PATIENCE_MS, rememberingLookup } from '../../../network/http/resolve.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';

type Callback = Parameters<LookupFunction>[2];

/** A resolver that answers when it is told to, and what those who asked by way of its memory heard. */
function resolver() {
  const clock = new ManualClock();
  const asked: Callback[] = [];
  const heard: (string | undefined)[] = [];
  const lookup = rememberingLookup(clock, (_, __, callback) => void asked.push(callback));
  const ask = (name = 'edge.example', options = {}): void =>
    lookup(name, options, (error, address) => heard.push(error?.code ?? String(address)));
  const answer = (address: string): void => asked.shift()!(null, address, 4);
  const fail = (): void => asked.shift()!(Object.assign(new Error('no'), { code: 'EAI_AGAIN' }), '', 0);
  return { clock, heard, ask, answer, fail };
}

test('what a resolver says goes on as it says it', () => {
  const { heard, ask, answer, fail } = resolver();
  ask();
  fail();
  ask();
  answer('10.0.0.1');
  ask();
  answer('10.0.0.2');
  expect(heard).toEqual(['EAI_AGAIN', '10.0.0.1', '10.0.0.2']);
});

test('when it fails, what it said last counts, of the same name and kind alone', () => {
  const { heard, ask, answer, fail } = resolver();
  ask();
  answer('10.0.0.1');
  for (const [name, options] of [
    ['edge.example', {}],
    ['other.example', {}],
    ['edge.example', { family: 6 }],
  ] as const) {
    ask(name, options);
    fail();
  }
  expect(heard).toEqual(['10.0.0.1', '10.0.0.1', 'EAI_AGAIN', 'EAI_AGAIN']);
});

test('when it is slow, what it said last counts after a moment, and its answer the next time', () => {
  const { clock, heard, ask, answer, fail } = resolver();
  ask();
  clock.advance(PATIENCE_MS);
  expect(heard).toEqual([]);
  answer('10.0.0.1');
  ask();
  clock.advance(PATIENCE_MS - 1);
  expect(heard).toEqual(['10.0.0.1']);
  clock.advance(1);
  expect(heard).toEqual(['10.0.0.1', '10.0.0.1']);
  answer('10.0.0.2');
  ask();
  fail();
  expect(heard).toEqual(['10.0.0.1', '10.0.0.1', '10.0.0.2']);
  expect(clock.pending).toBe(0);
});

test('of a thousand names more than the last are forgotten', () => {
  const { heard, ask, answer, fail } = resolver();
  for (let index = 0; index <= 1_000; index++) {
    ask(`edge-${index}.example`);
    answer('10.0.0.1');
  }
  ask('edge-0.example');
  fail();
  ask('edge-1.example');
  fail();
  expect(heard.slice(-2)).toEqual(['EAI_AGAIN', '10.0.0.1']);
});

test('requests of ours resolve by it', async () => {
  await using server = createServer((_, response) => response.end('here')).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  expect(await getText(`http://localhost:${port}/`, 5_000, 100)).toEqual({ status: 200, text: 'here' });
});
