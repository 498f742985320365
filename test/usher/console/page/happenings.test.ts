import { expect, test } from 'vitest';
import type { Happening } from '../../../../usher/console/messages.ts';
import { isAbout } from '../../../../usher/console/page/events/about.ts';
import { plainText, tell } from '../../../../usher/console/page/events/happenings.ts';

const event = (happening: Happening) => ({ id: 1, atMs: 0, happening });

test.each<[Happening, string]>([
  [{ kind: 'server-gone', server: 'e1', site: 'ams', how: 'silent' }, 'e1 at ams is silent'],
  [{ kind: 'server-gone', server: 'e1', site: 'ams', how: 'left' }, 'e1 left ams in order'],
  [
    { kind: 'drain-ordered', server: 'e1', isWished: false },
    'e1 is being drained, because its process was told to end',
  ],
  [
    { kind: 'parents-changed', server: 'e1', copies: 14, streams: ['a', 'b', 'c', 'd', 'e'] },
    '14 copies left e1 for other parents: a, b, c and 2 more',
  ],
  [
    { kind: 'cap-reached', cdn: 'overflow', capMicroUsd: 5e9 },
    'The CDN overflow has cost what it may this month: $5 000',
  ],
  [{ kind: 'leader-changed', planTerm: 4 }, 'Nobody leads'],
])('%j is told as %s', (happening, words) => {
  expect(plainText(tell(event(happening)))).toBe(words);
});

test('an event is about all that it names', () => {
  const moved = event({ kind: 'job-moved', stream: 'alice', from: 'w1', to: 'w2' });
  expect(isAbout(moved, 'stream', 'alice')).toBe(true);
  expect(isAbout(moved, 'server', 'w2')).toBe(true);
  expect(isAbout(moved, 'server', 'alice')).toBe(false);
  const fell = event({ kind: 'overflow-began', cdn: 'overflow', streams: ['alice'] });
  expect(isAbout(fell, 'stream', 'alice')).toBe(true);
});
