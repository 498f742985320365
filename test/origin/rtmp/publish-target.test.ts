// Where a broadcaster publishes, out of the places where encoders put it.

import { expect, test } from 'vitest';
import { readConnect, readPublish, reconnectUrl } from '../../../origin/rtmp/publish-target.ts';

test.each([
  ['OBS', 'live', 'rtmp://a/live', 'alice?key=k'],
  ['ffmpeg, query behind the app', 'live?key=k', 'rtmp://a:1935/live?key=k', 'alice'],
  ['an encoder that keeps the slash', '/live/', 'rtmp://a/live/', 'alice?key=k'],
  ['an encoder with all in its tcUrl', 'live', 'rtmp://a/live/alice?key=k', 'alice'],
  ['a broadcast over TLS', 'live', 'rtmps://a/live', 'alice?key=k'],
])('%s is understood', (_, app, tcUrl, name) => {
  const target = readPublish(readConnect({ app, tcUrl }), name);
  expect(target).toEqual({ app: 'live', name: 'alice', query: { key: 'k' } });
});

test('the query of the name counts before that of the app, and that before the one of tcUrl', () => {
  const connect = readConnect({ app: 'live?a=app&b=app', tcUrl: 'rtmp://h/live?a=url&b=url&c=url' });
  expect(readPublish(connect, 'alice?a=name').query).toEqual({ a: 'name', b: 'app', c: 'url' });
});

test('an app may have an instance', () => {
  expect(readConnect({ app: 'live/studio-1', tcUrl: 'rtmp://h/live/studio-1' }).app).toBe('live/studio-1');
});

test('a query may name anything without harm', () => {
  const { query } = readPublish(
    readConnect({ app: 'live', tcUrl: 'rtmp://h/live' }),
    'a?__proto__=x&key=%00',
  );
  expect(Object.entries(query)).toEqual([
    ['__proto__', 'x'],
    ['key', '\0'],
  ]);
  expect(({} as Record<string, unknown>).x).toBeUndefined();
});

test('a query of over 4,096 characters is rejected', () => {
  const connect = readConnect({ app: 'live', tcUrl: 'rtmp://h/live' });
  expect(() => readPublish(connect, `a?${'k'.repeat(4_097)}`)).toThrow('4097 characters');
});

test.each([
  [0, false],
  [1, true],
  [7, true],
  [undefined, false],
  ['1', false],
])('capsEx %s says whether a broadcaster can be asked to reconnect: %s', (capsEx, can) => {
  expect(readConnect({ app: 'live', tcUrl: 'rtmp://h/live', capsEx }).canReconnect).toBe(can);
});

test.each([
  ['rtmp://b.example:1936/live', 'rtmp://b.example:1936/live/studio?takeover=1'],
  ['rtmp://0.0.0.0:1936/live', 'rtmp://h.example:1936/live/studio?takeover=1'],
  ['rtmp://[::]:1936/live', 'rtmp://h.example:1936/live/studio?takeover=1'],
])('the tcUrl at %s is %s', (rtmpUrl, url) => {
  const connect = readConnect({ app: 'live/studio', tcUrl: 'rtmp://h.example:1935/live/studio' });
  expect(reconnectUrl(connect, rtmpUrl)).toBe(url);
});
