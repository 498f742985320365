// Fuzzed: headers and bodies of requests that are more than a word.

import { sendEntity } from '../../../network/http/entity.ts';
import { MemoryKeyBook } from '../../../network/keys/keybook-memory.ts';
import { RedisKeyBook } from '../../../network/keys/keybook-redis.ts';
import { readTraceContext, writeTraceparent } from '../../../network/trace/trace-context.ts';
import { keyRoutes } from '../../../usher/api/keys.ts';
import { serverRoutes } from '../../../usher/api/servers.ts';
import { cookieIn } from '../../../usher/operators/cookies.ts';
import type { Operators } from '../../../usher/operators/operators.ts';
import { safeNext } from '../../../usher/operators/request-origin.ts';
import { seal, unseal } from '../../../usher/operators/sealed.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';
import { fakeExchange } from '../fake-exchange.ts';
import { onText, type Target, texts } from '../target.ts';

const SECRETS = ['a-secret-of-some-length'];
const clock = new ManualClock();
const NOW_MS = clock.now();
const VIEWS = [Buffer.alloc(70, 1), Buffer.alloc(30, 2)];
const BYTES = 100;

/** Whatever range is asked for, what is sent is as long as the head says, and no longer than what there is. */
export const range: Target = {
  name: 'range',
  reads: '`Range`, `If-Range`, `If-None-Match`',
  seeds: texts('bytes=0-9', 'bytes=-5', 'bytes=50-', 'bytes=0-0,5-9', 'bytes=0-9\n"e"', '\n\nW/"e", "f"'),
  words: ['bytes=', '-', ',', '=', '"e"', 'W/', '*', '99999999999999999999', '-0', 'e9', '0x1'],
  run: onText((text) => {
    const [range = '', condition = '', known = ''] = text.split('\n');
    const given = { range, 'if-range': condition, 'if-none-match': known };
    const headers = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ''));
    const { exchange, answer } = fakeExchange({ headers });
    sendEntity(exchange, { views: VIEWS, type: 'video/mp4', etag: '"e"', cacheControl: 'no-store' });
    const said = Number(answer.headers['Content-Length']);
    const isEmpty = answer.status === 304 || answer.status === 416;
    if (answer.bytes > BYTES || answer.bytes !== (isEmpty ? 0 : said))
      throw new Error(`${answer.status} says ${said} bytes and has ${answer.bytes}`);
    if (!isEmpty && answer.bytes === 0) throw new Error('a range of nothing');
  }),
};

/** What is read of a trace is passed on in a form that the next reads the same. */
export const trace: Target = {
  name: 'trace',
  reads: '`traceparent` and `tracestate`',
  seeds: texts(
    '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\nrojo=00f067aa0ba902b7,congo=t61rcWkgMzE',
    '01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03-more\na@b=1 2 ,, c=3',
  ),
  words: ['00-', 'ff-', '-01', '0000000000000000', ',', '=', '@', '\t'],
  run: onText((text) => {
    const [traceparent = '', tracestate = ''] = text.split('\n');
    const context = readTraceContext(traceparent, tracestate);
    if (!context) return;
    const next = readTraceContext(writeTraceparent(context, context.parentId), context.tracestate);
    if (JSON.stringify(next) !== JSON.stringify(context)) throw new Error('the next one reads it otherwise');
  }),
};

const COOKIE = seal(SECRETS, 'operator', 'ann', NOW_MS + 60_000);

/** What is changed in it makes it worthless. */
export const cookie: Target = {
  name: 'cookie',
  reads: "an operator's cookie",
  seeds: texts(`headwater_operator=${COOKIE}`, `a=b; headwater_operator=${COOKIE}; c=d`),
  words: ['headwater_operator=', ';', '=', '.', '"'],
  run: onText((text) => {
    const sealed = cookieIn(text, 'headwater_operator');
    if (unseal(SECRETS, 'operator', sealed, NOW_MS) && sealed !== COOKIE)
      throw new Error(`what was never sealed signs somebody in: ${text}`);
    if (unseal(SECRETS, 'sign-in', sealed, NOW_MS)) throw new Error('it is taken for something else');
  }),
};

/** Whatever a link says, signing in leads to a page of the console. */
export const next: Target = {
  name: 'next',
  reads: 'where to go after signing in',
  seeds: texts('/console/streams/alice?x=1', '/console', '//evil.example/console', '/console/../..//evil'),
  words: ['/console', '//', '/\\', '..', '%2e', '\t', '\n', '@', 'https:', '?', '#', ';'],
  run: onText((text) => {
    const url = URL.parse(safeNext(text), 'https://usher.example');
    const isOfConsole = url?.origin === 'https://usher.example' && /^\/console(?:\/|$)/.test(url.pathname);
    if (!isOfConsole) throw new Error(`leads to ${url?.href}`);
  }),
};

const operators = { admit: () => ({ name: 'admin', expiresAtMs: NOW_MS }) } as unknown as Operators;
const keyBook = new MemoryKeyBook(clock);
const handlers = [
  ...keyRoutes({ operators, clock, keyBook }),
  ...serverRoutes({ operators, clock, state: { drain: async () => {} } }),
].filter(({ method }) => method === 'POST');

/** Orders of operators are done or refused, and no fault of the server's. */
export const orders: Target = {
  name: 'orders',
  reads: "bodies of operators' orders",
  seeds: texts(
    '{"deadlineS":60}',
    '{"id":"0123456789abcdef","stream":"alice","expiresAtMs":1800000060000}',
    '',
  ),
  words: [
    '"deadlineS":',
    '"id":',
    '"stream":',
    '"expiresAtMs":',
    '"__proto__":',
    'null',
    '1e999',
    '-1',
    '{',
    '[',
  ],
  maxBytes: 1_100,
  async run(body) {
    for (const { handle } of handlers) {
      const { exchange, answer } = fakeExchange({ method: 'POST', body, params: { server: 'edge-1' } });
      await handle(exchange);
      if (![200, 400, 413, 507].includes(answer.status)) throw new Error(`answered with ${answer.status}`);
    }
  },
};

/** What somebody else wrote into Redis is a record or left out. */
export const keybook: Target = {
  name: 'keybook',
  reads: 'stream keys in Redis',
  seeds: texts(
    '{"id":"0123456789abcdef","stream":"alice","madeAtMs":1,"expiresAtMs":1900000000000,"revokedAtMs":null}',
    '{"id":"0123456789abcdef","stream":"alice","madeAtMs":1,"expiresAtMs":1900000000000,"revokedAtMs":7}',
  ),
  words: ['"id":', '"stream":', '"madeAtMs":', '"revokedAtMs":', 'null', '1e999', '"__proto__":', '[]'],
  async run(input) {
    const text = Buffer.from(input).toString('latin1');
    const book = new RedisKeyBook({ transact: async () => [[text]] }, 'fuzz', clock);
    for (const { id, expiresAtMs } of await book.list())
      if (!/^[0-9a-f]{16}$/.test(id) || expiresAtMs <= NOW_MS) throw new Error(`a key called ${id}`);
  },
};
