import { expect, test } from 'vitest';
import { Recent } from '../../../usher/cdn/recent.ts';

test('of many keys at least the newest half of what is kept is known, and what was forgotten is not', () => {
  const recent = new Recent<number, string>(10);
  for (let key = 0; key < 23; key++) recent.set(key, `value ${key}`);
  expect([18, 19, 20, 21, 22].map((key) => recent.get(key))).toEqual(
    [18, 19, 20, 21, 22].map((key) => `value ${key}`),
  );
  expect([0, 5, 12].map((key) => recent.get(key))).toEqual([undefined, undefined, undefined]);
});

test('a key that is set anew is as new as one that was not there, and has its new value', () => {
  const recent = new Recent<string, number>(4);
  for (const [key, value] of Object.entries({ a: 1, b: 2, c: 3 })) recent.set(key, value);
  recent.set('a', 4);
  recent.set('d', 5);
  expect([recent.get('a'), recent.get('b')]).toEqual([4, undefined]);
});
