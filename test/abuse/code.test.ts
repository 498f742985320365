// What no test of behaviour shows: how secrets are compared, and who may open a connection to somewhere.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { schema } from '../../network/config/schema/schema.ts';
import { parseYaml } from '../../network/config/yaml.ts';
import { equalSecrets } from '../../network/hash.ts';
import { DEFAULT_HTTP_LIMITS } from '../../network/http/listener.ts';

const ROOT = join(import.meta.dirname, '../..');
const FOLDERS = ['network', 'origin', 'edge', 'transcoder', 'usher'];
/** Modules for browsers hold no secret of ours. */
const IN_BROWSERS = /^usher\/(?:player|console\/page|simulator\/report\/page)\//;

const files = [
  'server.ts',
  ...FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
  ),
]
  .filter((file) => file.endsWith('.ts') && !IN_BROWSERS.test(file))
  .map((file) => ({ file, text: readFileSync(join(ROOT, file), 'utf8') }));

const NAMES = '(?:secret|token|signature|mac|password|key|proof)';
const COMPARED = new RegExp(`\\b${NAMES}\\)? *[!=]==|[!=]== *(?:[\\w$]+\\.)*${NAMES}\\b`, 'i');
/** Whether there is one at all is told in any case. */
const IS_THERE = /[!=]== *(?:undefined|null|'')/g;
/** What is called like a secret and is none: names of objects in stores, ids of keys, keys of maps, the first bytes of a file. */
const NO_SECRETS = [
  /object\.key === key/,
  /\(\{ key \}\) => key === keyOf/,
  /\(\{ id \}\) => id === key/,
  /#?\w+\.get\(key\) === \w+/,
  /decode\(bytes\.subarray\(0, 3\)\) !== SIGNATURE/,
  /String\(item\.key\.value\) === String\(key\)/,
];

test('nothing that is a secret is compared with `===`, which ends at the first letter that differs', () => {
  const found = files.flatMap(({ file, text }) =>
    text
      .split('\n')
      .map((line) => line.replaceAll(IS_THERE, '').trim())
      .filter((line) => COMPARED.test(line) && !/^(?:\/\/|\*|\/\*)/.test(line))
      .filter((line) => !NO_SECRETS.some((harmless) => harmless.test(line)))
      .map((line) => `${file}: ${line}`),
  );
  expect(found).toEqual([]);
  expect(equalSecrets.toString()).toContain('timingSafeEqual');
  const users = files.filter(({ text }) => /\bequalSecrets\(/.test(text)).map(({ file }) => file);
  expect(users.sort()).toEqual([
    'network/config/publish-policy.ts',
    'network/hash.ts',
    'network/token.ts',
    'usher/operators/sealed.ts',
    'usher/steering/pathway-ids.ts',
  ]);
});

/**
 * Nobody outside says where to: URLs are of the configuration (webhook, provider, Redis, store), or of servers that wrote them into
 * the cluster's state. The `tcUrl` of a broadcaster is read for its query and its host name, and `as` of a relay is a name.
 */
test('connections are opened by these alone, and none to where a request says', () => {
  const opens =
    /import \{[^}]*\} from '(?:[./]+network\/|\.\/|\.\.\/)(?:http\/)?dial\.ts'|\bfetch\(|from '(?:undici|ioredis|s3mini|openid-client)'/;
  const openers = files.filter(({ text }) => opens.test(text)).map(({ file }) => file);
  expect(openers.sort()).toEqual([
    'network/archive/storage-s3.ts',
    'network/base.ts',
    'network/http/dial.ts',
    'network/state/redis/redis-client.ts',
    'origin/origin.ts',
    'server.ts',
    'usher/operators/oidc.ts',
    'usher/usher.ts',
  ]);
});

test('what the threat model names as proof is there', () => {
  const page = readFileSync(join(ROOT, 'docs/threat-model.md'), 'utf8');
  const named = [...page.matchAll(/`([\w./-]+\.ts)`/g)].map(([, path]) => path!);
  const tests = named.map((path) => (path.endsWith('.test.ts') ? `test/${path}` : path));
  expect(tests.length).toBeGreaterThan(40);
  expect(tests.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

test('aliases that multiply in a file of YAML are an error and not a machine’s memory', () => {
  const levels = Array.from({ length: 12 }, (_, at) => {
    const below =
      at === 0
        ? 'x'
        : Array(10)
            .fill(`*a${at - 1}`)
            .join(', ');
    return `a${at}: &a${at} [${below}]`;
  });
  expect(() => parseYaml(levels.join('\n'))).toThrow(/alias/i);
  expect(() => parseYaml('['.repeat(50_000))).toThrow();
});

test('what the configuration says of limits is what holds without one', () => {
  const { limits } = schema.parse({});
  const { connections, connectionsPerAddress, readAheadBytes } = DEFAULT_HTTP_LIMITS;
  const readAheadMb = readAheadBytes / 1_000_000;
  expect(limits).toEqual({ connections, connectionsPerAddress, newcomersPerAddress: 4_096, readAheadMb });
});
