import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../../../network/config/config.ts';
import type { Flags } from '../../../network/config/options.ts';
import { loadSecrets } from '../../../network/config/secrets.ts';
import { lastingFolder } from '../../tools/world/scratch-folder.ts';

const folder = lastingFolder();

function fileWith(text: string): string {
  const file = join(folder, `${Math.random()}.yaml`);
  writeFileSync(file, text);
  return file;
}

describe('configuration', () => {
  test('has a default for everything', () => {
    expect(readConfig({}, {})).toMatchObject({
      bind: '127.0.0.1',
      rtmpPort: 1935,
      usherPort: 8080,
      mediaPort: 8081,
      sample: true,
      publish: { keys: [], graceS: 60 },
      playback: { access: 'open' },
    });
  });

  test('reads a secret from a file whose path the environment completes', () => {
    writeFileSync(join(folder, 'cluster'), 'a secret of the cluster\n');
    const file = fileWith('secrets: ["file:$' + '{CREDENTIALS_DIRECTORY}/cluster"]\n');
    expect(readConfig({ config: file }, { CREDENTIALS_DIRECTORY: folder }).secrets).toEqual([
      'a secret of the cluster',
    ]);
  });

  test('takes credentials of storage from the environment, for the storage that the file names', () => {
    const environment = { HEADWATER_S3_ACCESS_KEY_ID: 'we', HEADWATER_S3_SECRET_ACCESS_KEY: 'secret' };
    const file = fileWith('archive:\n  storage:\n    s3: {endpoint: "https://s3.example.org/bucket/"}\n');
    expect(readConfig({ config: file }, environment).archive.storage).toEqual({
      s3: {
        endpoint: 'https://s3.example.org/bucket',
        region: 'auto',
        signedUrls: 'never',
        accessKeyId: 'we',
        secretAccessKey: 'secret',
      },
    });
    expect(readConfig({}, environment).archive.storage).toBeUndefined();
    expect(() => readConfig({ config: file }, {})).toThrow(/accessKeyId/);
    const both = fileWith('archive:\n  storage: {directories: [/a], s3: {endpoint: "https://x.org/b"}}\n');
    expect(() => readConfig({ config: both }, environment)).toThrow(/:2: archive.storage/);
  });

  test('takes the command line over the file', () => {
    const file = fileWith('usherPort: 9000\nmediaPort: 9001\npublish:\n  graceS: 5\n');
    const config = readConfig({ config: file, usherPort: '9002', sample: false, beatMs: '100' }, {});
    expect(config).toMatchObject({ usherPort: 9002, mediaPort: 9001, sample: false, publish: { graceS: 5 } });
    expect(config.playback.beatMs).toBe(100);
  });

  test('takes secrets from the environment', () => {
    const environment = { HEADWATER_SECRETS: 'a secret of length,another of length' };
    expect(readConfig({}, environment).secrets).toEqual(['a secret of length', 'another of length']);
  });

  test('takes the passwords of Redis from the environment, for the Redis that the file names', () => {
    const environment = {
      HEADWATER_REDIS_PASSWORD: 'of Redis',
      HEADWATER_REDIS_SENTINEL_PASSWORD: 'of Sentinel',
    };
    const file = fileWith(
      'state:\n  redis: {addresses: ["10.0.0.1:26379"], kind: sentinel, master: state, tls: true}\n',
    );
    expect(readConfig({ config: file }, environment).state.redis).toEqual({
      kind: 'sentinel',
      addresses: ['10.0.0.1:26379'],
      master: 'state',
      database: 0,
      password: 'of Redis',
      sentinelPassword: 'of Sentinel',
      tls: true,
      prefix: 'headwater',
    });
    expect(readConfig({}, environment).state).toEqual({});
  });

  test('can not be changed', () => {
    const config = readConfig({}, {});
    expect(() => Object.assign(config.publish, { graceS: 1 })).toThrow(TypeError);
  });

  test.each([
    [{ rtmpPort: '70000' }, /rtmpPort: .*70000/],
    [{ rtmpPort: 'http' }, /rtmpPort: .*"http"/],
    [{ mediaUrl: 'ftp://x' }, /mediaUrl: .*ftp:\/\/x/],
    [{ config: '/nowhere/at-all.yaml' }, /\/nowhere\/at-all.yaml/],
  ])('says what is wrong with %j', (flags, words) => {
    expect(() => readConfig(flags, {})).toThrow(
      expect.objectContaining({ code: 'bad_config', message: expect.stringMatching(words) }),
    );
  });

  test.each([
    ['ushrPort: 1', /ushrPort/],
    ['publish:\n  keys: [{stream: "../x", key: "12345678"}]', /publish.keys.0.stream: .*letters/],
    ['- 1', /keys and values/],
    ['a: [', /configuration file/],
    ['state: {redis: {addresses: []}}', /state.redis.addresses/],
    ['state: {redis: {addresses: ["10.0.0.1"]}}', /state.redis.addresses.0: .*host:port.*10.0.0.1/],
    ['state: {redis: {addresses: ["a:1", "b:2"]}}', /state.redis.addresses: several/],
    ['state: {redis: {addresses: ["a:1"], kind: sentinel}}', /state.redis.master/],
    ['state: {redis: {addresses: ["a:1"], kind: cluster, database: 1}}', /state.redis.database/],
    ['state: {redis: {addresses: ["unix:/r"], kind: cluster}}', /Unix socket/],
    ['state: {redis: {addresses: ["a:1"], prefix: "{x}"}}', /state.redis.prefix/],
    ['state: {redis: {addresses: ["a:1"], pasword: x}}', /pasword/],
  ])('says what is wrong with a file that says %j', (text, words) => {
    const file = fileWith(text);
    expect(() => readConfig({ config: file }, {})).toThrow(words);
  });

  test('names the line of what is wrong in the file, and none for what a flag says', () => {
    const file = fileWith(
      'bind: 127.0.0.1\nplayback:\n  # ms\n  beatMs: 2000\nfeed: { windows: 3 }\nrtmpPort: 1\n',
    );
    const wrongs = (flags: Flags): string[] => {
      try {
        readConfig({ config: file, ...flags }, {});
      } catch (error) {
        return (error as Error).message.split('\n');
      }
      return [];
    };
    expect(wrongs({ rtmpPort: '70000' })).toEqual([
      expect.stringMatching(/^rtmpPort: .*70000/),
      expect.stringMatching(/yaml:4: playback.beatMs: .*2000/),
      expect.stringMatching(/yaml:5: feed.windows: there/),
    ]);
    expect(wrongs({ beatMs: '5' })).toEqual([expect.stringMatching(/yaml:5: feed.windows: there/)]);
  });

  test('names the line of what is not YAML', () => {
    const file = fileWith('bind: 127.0.0.1\nbind: 127.0.0.2\n');
    expect(() => readConfig({ config: file }, {})).toThrow(/line 2: Map keys must be unique/);
  });

  test('never repeats a secret in an error', () => {
    const file = fileWith('secrets: ["too short"]');
    expect(() => readConfig({ config: file }, {})).toThrow(/^((?!too short).)*$/s);
    for (const redis of ['password: [hush]', 'password: hush, pasword: x', 'password: hush, master: x']) {
      const withPassword = fileWith(
        `secrets: ["hush, a secret"]\nstate: {redis: {addresses: ["a:1"], ${redis}}}\nx: 1`,
      );
      expect(() => readConfig({ config: withPassword }, {})).toThrow(/^((?!hush).)*$/s);
    }
  });
});

describe('secrets', () => {
  test('are made once, readable by their owner only, and the same after a restart', async () => {
    const data = join(folder, 'data');
    const [made] = await loadSecrets([], data);
    expect(made).toHaveLength(43);
    expect(await loadSecrets([], data)).toEqual([made]);
    expect(readFileSync(join(data, 'secret'), 'utf8').trim()).toBe(made);
    expect(statSync(join(data, 'secret')).mode & 0o777).toBe(0o600);
  });

  test('a data folder that can not be made is named', async () => {
    await expect(loadSecrets([], '/dev/null')).rejects.toMatchObject({
      code: 'bad_secret',
      message: expect.stringContaining('/dev/null/secret'),
    });
  });
});
