import { describe, expect, test } from 'vitest';
import { CodedError } from '../../../network/errors.ts';
import { type Answer, type GetText, getText } from '../../../network/http/dial.ts';
import { readStatus } from '../../../usher/commands/status.ts';
import { statusText } from '../../../usher/commands/status-text.ts';
import { server, snapshot } from '../../tools/cluster/clusters.ts';

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

test('asks the usher on this machine, or the one that it is told', async () => {
  const usher = usherThatSays(good);
  expect(await readStatus([], usher)).toBe(statusText(cluster));
  await readStatus(['--usher', 'https://usher.example/'], usher);
  expect(usher.asked).toEqual(['http://127.0.0.1:8080/api/cluster', 'https://usher.example/api/cluster']);
});

test('gives the snapshot itself with --json', async () => {
  expect(JSON.parse(await readStatus(['--json'], usherThatSays(good)))).toEqual(cluster);
});

async function failure(args: readonly string[], get: GetText): Promise<[code: string, message: string]> {
  const error = await readStatus(args, get).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(CodedError);
  const { code, message } = error as CodedError;
  return [code, message];
}

describe('a clear error says', () => {
  test.each([
    [['--ushr', 'x'], /Unknown option '--ushr'/],
    [['everything'], /Unexpected argument 'everything'/],
    [['--usher', 'ftp://x'], /an usher's URL is http:\/\/<host>:<port>; got 'ftp:\/\/x'/],
    [['--usher', 'here'], /got 'here'/],
  ])('what is wrong in %j', async (args, words) => {
    const [code, message] = await failure(args, usherThatSays(good));
    expect(code).toBe('bad_usage');
    expect(message).toMatch(words);
    expect(message).toContain('headwater status [--usher');
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
    const [code, message] = await failure([], usherThatSays(answer));
    expect(code).toBe('no_answer');
    expect(message).toMatch(words);
  });

  test('that nobody answers', async () => {
    const [code, message] = await failure(['--usher', 'http://127.0.0.1:1'], getText);
    expect(code).toBe('no_answer');
    expect(message).toMatch(/no answer from http:\/\/127\.0\.0\.1:1\/api\/cluster: .*ECONNREFUSED/);
  });
});
