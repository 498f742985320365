// Fuzzed: what viewers and their proxies send.

import { readDirectives } from '../../../edge/hls/directives.ts';
import { signature } from '../../../network/hash.ts';
import { parsePrefix } from '../../../network/map/address.ts';
import { clientAddress } from '../../../network/map/client-address.ts';
import { isStreamName } from '../../../network/names.ts';
import { readSession } from '../../../network/session.ts';
import { signToken, verifyToken } from '../../../network/token.ts';
import { readReport } from '../../../usher/quality/report-body.ts';
import { PathwayIds } from '../../../usher/steering/pathway-ids.ts';
import { onText, type Target, texts } from '../target.ts';

const SECRETS = ['a-secret-of-some-length'];
const NOW_MS = 1_795_213_440_000;
const GRANT = { purpose: 'play', stream: 's', expiresAtMs: NOW_MS + 60_000, session: 'abcd' } as const;
const TOKEN = signToken(SECRETS, GRANT);
const PROXIES = ['10.0.0.0/8', '2001:db8::/32'].map((text) => parsePrefix(text)!);

/** What is changed in a token makes it worthless. */
export const token: Target = {
  name: 'token',
  reads: 'tokens of viewers',
  seeds: texts(TOKEN, `${TOKEN}\nother`),
  run: onText((text) => {
    const [sent = '', stream = 's'] = text.split('\n');
    const verdict = verifyToken(SECRETS, sent, { purpose: 'play', stream, nowMs: NOW_MS });
    if (verdict.kind === 'refused') return;
    if (sent !== TOKEN || stream !== 's') throw new Error(`a token that was never signed is valid: ${text}`);
    readSession(verdict.grant.session);
  }),
};

export const directives: Target = {
  name: 'directives',
  reads: "`_HLS_` directives of a playlist's query",
  seeds: texts('_HLS_msn=12&_HLS_part=3', '_HLS_skip=YES', '_HLS_skip=v2&_HLS_msn=1'),
  words: ['_HLS_msn=', '_HLS_part=', '_HLS_skip=', '&', '%', '-1', '1e99', '0x10', '99999999999999999999'],
  run: onText((text) => readDirectives(new URLSearchParams(text))),
};

/** No player finds an id that it was not given: the one that is right is not among what chance makes. */
export const pathways: Target = {
  name: 'pathways',
  reads: 'ids of pathways in a steering request',
  seeds: texts('edge-1-abcdef', 'cdn-fast-edge-1-abcdef'),
  words: ['edge-1', 'cdn-', 'fast', '-', '..'],
  run: onText((text) => {
    const ids = new PathwayIds([(signed) => signature(SECRETS[0]!, signed)]);
    const found = ids.read(text, NOW_MS, { serverOf: () => undefined, cdns: [] });
    if (found) throw new Error(`${text} leads to ${found.kind}`);
  }),
};

/** Whatever headers say, an address comes out, or nothing; what an untrusted peer says never counts. */
export const forwarded: Target = {
  name: 'forwarded',
  reads: '`Forwarded` and `X-Forwarded-For`',
  seeds: texts(
    'for=192.0.2.60;proto=http;by=203.0.113.43',
    'for="[2001:db8::1]:4711", for=198.51.100.17\n10.0.0.3, 192.0.2.1',
  ),
  words: [
    'for=',
    '"[2001:db8::1]"',
    ',',
    ';',
    'unknown',
    '_hidden',
    '10.0.0.1',
    '::ffff:1.2.3.4',
    '%eth0',
    '"',
    '\\',
    '192.0.2.1:80',
  ],
  run: onText((text) => {
    const [header, other] = text.split('\n');
    const headers = { forwarded: header, 'x-forwarded-for': other };
    const told = clientAddress({ remoteAddress: '10.0.0.1', headers }, PROXIES);
    if (!/^[\d.]+$|^[\da-f:]+$/.test(told)) throw new Error(`'${told}' is no address`);
    const peer = '198.51.100.9';
    if (clientAddress({ remoteAddress: peer, headers }, PROXIES) !== peer)
      throw new Error('an untrusted peer was believed');
  }),
};

export const report: Target = {
  name: 'report',
  reads: "players' reports of quality, and CMCD events",
  seeds: texts(
    '{"playedMs":1000,"stalledMs":0,"rttMs":12}',
    'e=ps,sta=r,ts=1795213440000\ne=ps,sta=p,ts=1795213441000',
  ),
  words: [
    '"playedMs":',
    '"stalledMs":',
    '"rttMs":',
    '1e999',
    '-1',
    'null',
    '[',
    '{',
    'sta=',
    'ts=',
    ',',
    '\n',
  ],
  run: onText((text) => {
    readReport('application/json', text);
    readReport('application/cmcd', text);
  }),
};

export const names: Target = {
  name: 'names',
  reads: 'names of streams',
  seeds: texts('sample', 'a.b-c_d'),
  words: ['..', '/', '\0', '%2e', '\\'],
  run: onText((text) => {
    if (isStreamName(text) && (/[^\w.-]/.test(text) || text.startsWith('.')))
      throw new Error(`a stream may be called ${text}`);
  }),
};
