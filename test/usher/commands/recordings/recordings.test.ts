import { describe, expect, test } from 'vitest';
import { recordingId } from '../../../../network/archive/index-file.ts';
import type { Order } from '../../../../network/http/dial.ts';
import { verifyToken } from '../../../../network/token.ts';
import { recordingCommands } from '../../../../usher/commands/recordings/recordings.ts';
import { type Listed, recordingsText } from '../../../../usher/commands/recordings/recordings-text.ts';
import { ManualClock } from '../../../tools/world/manual-clock.ts';
import { type Typed, typed } from '../../../tools/world/typed.ts';

const T = 1_795_213_440_000;
const ID = recordingId('alice', T);
const SECRET = 'a secret for the tests';
const clock = new ManualClock();

function listed(more: Partial<Listed> = {}): Listed {
  return {
    id: ID,
    title: '',
    isKept: false,
    clipOf: null,
    startedAt: new Date(T).toISOString(),
    endedAt: new Date(T + 3_723_000).toISOString(),
    durationMs: 3_723_000,
    bytes: 1_861_500_000,
    gaps: [],
    keepers: ['ams-1', 'storage'],
    url: `/vod/${ID}.m3u8`,
    ...more,
  };
}

async function told(...args: string[]): Promise<Typed & { order: Order }> {
  let order: Order | undefined;
  const sendOrder = async (given: Order) => {
    order = given;
    return {
      status: given.method === 'POST' ? 201 : 200,
      text: JSON.stringify(listed({ durationMs: 30_000 })),
    };
  };
  const getText = () => Promise.reject(new Error('nobody asked for this'));
  const commands = recordingCommands({ getText, sendOrder, clock });
  const said = await typed({ name: 'archive', summary: '', commands }, args);
  return { ...said, order: order! };
}

describe('headwater archive', () => {
  test('lists what there is of a stream', () => {
    const clip = listed({
      id: `${ID}1`,
      clipOf: ID,
      isKept: true,
      title: 'The goal',
      durationMs: 30_400,
      bytes: 15e6,
    });
    const live = listed({ endedAt: null, gaps: [{}], keepers: ['ams-1'], isKept: true });
    expect(recordingsText([clip, live])).toBe(
      [
        'recording        began                 length      MB  gaps  where           remarks',
        'alice.mwpjqbk01  2026-11-20 22:24:00  0:00:30    15.0     0  ams-1, storage  clip of alice.mwpjqbk0, "The goal"',
        'alice.mwpjqbk0   2026-11-20 22:24:00  1:02:03  1861.5     1  ams-1           may go on, kept',
        '',
      ].join('\n'),
    );
    expect(recordingsText([])).toBe('nothing is recorded\n');
  });

  test('keeps, releases, deletes and cuts with the key of the stream', async () => {
    const keep = await told('keep', ID, '--title', 'The final', '--key', 'k');
    expect(keep.order).toEqual({
      method: 'PATCH',
      url: `http://127.0.0.1:8080/api/recordings/${ID}`,
      value: { title: 'The final', isKept: true },
      headers: { Authorization: 'Bearer k' },
    });
    expect((await told('release', ID, '--key', 'k')).order.value).toEqual({ isKept: false });
    expect((await told('delete', ID, '--key', 'k')).order.method).toBe('DELETE');
    const clip = await told('clip', ID, '--from', '10', '--to', '40.5', '--key', 'k');
    expect(clip.order).toMatchObject({ method: 'POST', value: { from: 10, to: 40.5 } });
    expect(clip.order.url).toMatch(/\/clips$/);
    expect(clip.out).toBe(`${ID}: 30 s, at /vod/${ID}.m3u8\n`);
    expect((await told('clip', ID, '--last', '30', '--key', 'k')).order.value).toEqual({ last: 30 });
  });

  test('makes the key of the secret that the usher has', async () => {
    process.env['HEADWATER_SECRETS'] = SECRET;
    const { order } = await told('keep', ID);
    delete process.env['HEADWATER_SECRETS'];
    const key = order.headers!['Authorization']!.slice('Bearer '.length);
    const wanted = { purpose: 'publish', stream: 'alice', nowMs: clock.now() } as const;
    expect(verifyToken([SECRET], key, wanted).kind).toBe('valid');
  });

  test.each([
    [['list', '../x'], /list takes a stream; got '..\/x'/],
    [['keep', 'alice'], /it takes the id of a recording/],
    [['clip', ID, '--from', '1'], /--to takes seconds/],
    [['clip', ID, '--last', '3', '--from', '1'], /--from and --to, or --last/],
    [['clip', ID, '--last', 'all'], /--last takes seconds; got 'all'/],
    [['delete', ID, 'now'], /too many arguments/],
    [['list', 'alice', '--usher', 'ftp://x'], /an usher's URL/],
  ])('says what is wrong with %j', async (args, words) => {
    expect(await told(...args)).toMatchObject({ code: 2, err: expect.stringMatching(words) });
  });
});
