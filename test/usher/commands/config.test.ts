import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configCommands } from '../../../usher/commands/config.ts';
import { ScratchFolder } from '../../tools/world/scratch-folder.ts';
import { typed } from '../../tools/world/typed.ts';

let scratch: ScratchFolder;
beforeAll(async () => {
  scratch = await ScratchFolder.make();
});
afterAll(() => scratch[Symbol.asyncDispose]());

function fileWith(text: string, name = 'server.yaml'): string {
  const file = join(scratch.path, name);
  writeFileSync(file, text);
  return file;
}

const check = (text: string, ...args: string[]) => typed(configCommands, ['check', fileWith(text), ...args]);

test('a good configuration is said to be good', async () => {
  const { code, out } = await check('site: ams\n');
  expect([code, out]).toEqual([0, `${join(scratch.path, 'server.yaml')} is good\n`]);
});

test('everything that is wrong is told with line and key, also what nobody knows and what is not there', async () => {
  const { code, out, err } = await check(
    'site: ams\negressMpbs: 9\nfeed:\n  windowS: 3\nsecrets:\n  - file:/nowhere\nid: $' + '{NO_SUCH_NAME}\n',
  );
  expect([code, out]).toEqual([2, '']);
  const lines = err.replaceAll(`${scratch.path}/`, '').replace('error: ', '').split('\n');
  expect(lines).toEqual([
    expect.stringMatching(/^server.yaml:6: secrets.0: ENOENT/),
    'server.yaml:7: id: the environment has no NO_SUCH_NAME',
    expect.stringMatching(/^server.yaml:4: feed.windowS: .*got 3/),
    'server.yaml:2: egressMpbs: there is no such key',
    '',
  ]);
});

test('files that it names are checked with it', async () => {
  const policies = fileWith('default: cheepest\n', 'policies.yaml');
  const { code, err } = await check(`policies: ${policies}\nmap: {topology: /nowhere.yaml}\n`);
  expect(code).toBe(2);
  expect(err).toMatch(/nowhere\.yaml: ENOENT/);
  expect(err).toMatch(/policies\.yaml: line 1: default: the policies are .*cheepest/);
});

test('--print says what holds, and no secret, wherever that came from', async () => {
  const secret = fileWith('a secret that nobody sees\n', 'secret');
  process.env['HEADWATER_TEST_PASSWORD'] = 'hush';
  const text = [
    `secrets: ["file:${secret}"]`,
    'publish: {keys: [{stream: alice, key: "12345678"}]}',
    'state: {redis: {addresses: ["10.0.0.1:6379"], username: us, password: "$' +
      '{HEADWATER_TEST_PASSWORD}"}}',
    'trustedProxies: [10.0.0.0/8]',
  ].join('\n');
  const { code, out } = await check(text, '--print');
  delete process.env['HEADWATER_TEST_PASSWORD'];
  expect(code).toBe(0);
  expect(out).not.toMatch(/nobody sees|12345678|hush/);
  for (const line of [
    '  - "***"',
    '    - stream: alice',
    '    password: "***"',
    '    username: us',
    '  - 10.0.0.0/8',
    'rtmpPort: 1935',
  ])
    expect(out).toContain(`${line}\n`);
});

test('the example is that of the golden file', async () => {
  const { code, out } = await typed(configCommands, ['example']);
  expect(code).toBe(0);
  await expect(out).toMatchFileSnapshot('../../golden/commands/config-example.txt');
});
