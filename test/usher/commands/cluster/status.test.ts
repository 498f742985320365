import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../../network/clock.ts';
import { type Answer, type GetText, getText } from '../../../../network/http/dial.ts';
import { statusCommand } from '../../../../usher/commands/cluster/status.ts';
import { statusText } from '../../../../usher/commands/cluster/status-text.ts';
import { server, snapshot } from '../../../tools/cluster/clusters.ts';
import { SECRETS } from '../../../tools/cluster/usher-listener.ts';
import { typed } from '../../../tools/world/typed.ts';

const cluster = snapshot([server('a')], []);

function usherThatSays(answer: Answer): GetText & { readonly asked: string[] } {
  const asked: string[] = [];
  const get: GetText = async (url) => {
    asked.push(url);
    return answer;
  };
  return Object.assign(get, { asked });
}

const good: Answer = { status: 200, text: JSON.stringify(cluster) };

// Usher knows operators by it.
beforeAll(() => {
  process.env['HEADWATER_SECRETS'] = SECRETS.join(',');
});
afterAll(() => {
  delete process.env['HEADWATER_SECRETS'];
});

const status = (args: readonly string[], get: GetText) =>
  typed(statusCommand({ getText: get, clock: systemClock }), args);

test('asks the usher on this machine, or the one that it is told', async () => {
  const usher = usherThatSays(good);
  expect((await status([], usher)).out).toBe(statusText(cluster));
  await status(['--usher', 'https://usher.example/'], usher);
  expect(usher.asked).toEqual(['http://127.0.0.1:8080/api/cluster', 'https://usher.example/api/cluster']);
});

test('gives the snapshot itself with --json', async () => {
  expect(JSON.parse((await status(['--json'], usherThatSays(good))).out)).toEqual(cluster);
});

describe('a clear error says', () => {
  test.each([
    [['--ushr', 'x'], /unknown option '--ushr'/],
    [['everything'], /too many arguments/],
    [['--usher', 'ftp://x'], /an usher's URL is http:\/\/<host>:<port>; got 'ftp:\/\/x'/],
    [['--usher', 'here'], /got 'here'/],
  ])('what is wrong in %j', async (args, words) => {
    const { code, out, err } = await status(args, usherThatSays(good));
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(words);
  });

  test.each([
    [
      {
        status: 500,
        text: '{"title":"Internal Server Error","detail":"the fault is in the log of the server"}',
      },
      /status 500: the fault is/,
    ],
    [{ status: 200, text: '<html>' }, /status 200: '<html>'/],
    [{ status: 200, text: '{"servers":[]}' }, /is no usher's/],
  ])('that %j is no cluster', async (answer, words) => {
    const { code, out, err } = await status([], usherThatSays(answer));
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(words);
  });

  test('that nobody answers', async () => {
    const { code, err } = await status(['--usher', 'http://127.0.0.1:1'], getText);
    expect(code).toBe(1);
    expect(err).toMatch(/^error: no answer from http:\/\/127\.0\.0\.1:1\/api\/cluster: .*ECONNREFUSED/);
  });
});
