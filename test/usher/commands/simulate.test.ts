import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { simulateCommand } from '../../../usher/commands/simulate.ts';
import { lastingFolder } from '../../tools/world/scratch-folder.ts';
import { typed } from '../../tools/world/typed.ts';

const folder = lastingFolder();

async function run(...args: string[]): Promise<string> {
  return (await typed(simulateCommand, args)).out;
}

test('the same seed prints the same, byte for byte, and another seed something else', async () => {
  const args = ['small', '--policy', 'balanced,nearest', '--against', 'mist,catalyst,random'];
  const first = await run(...args, '--seed', '7');
  expect(await run(...args, '--seed', '7')).toBe(first);
  expect(await run(...args, '--seed', '8')).not.toBe(first);
});

describe('under our policy', () => {
  test('nothing is over its capacity, and nobody is refused while there is room', async () => {
    const { policies, ...rest } = JSON.parse(await run('small', '--json', '--against', 'none'));
    expect(rest).toMatchObject({ scenario: { name: 'small', minutes: 6 }, seed: 1 });
    expect(policies).toHaveLength(1);
    expect(policies[0]).toMatchObject({
      policy: 'headwater',
      over: { seconds: 0 },
      viewers: { refusedWithRoom: 0 },
      enoughCopiesAfterS: [0],
    });
    expect(policies[0].viewers.arrived).toBeGreaterThan(300);
  });
});

test('--brief prints a line for each policy, with the figures that decide', async () => {
  const [head, ours, others, ...rest] = (await run('small', '--against', 'dns-round-robin', '--brief')).split(
    '\n',
  );
  expect(head).toMatch(
    /^small +OVER 100 % +REFUSED +UNSERVED +CUT OFF +BY CDN +\$ PER 1,000 H +WITH ALL SERVED +ROUND TRIP +COPIES$/,
  );
  expect(ours).toMatch(/^headwater +0 s +0 /);
  expect(others).toMatch(/^dns-round-robin +[\d.]+ s/);
  expect(rest).toEqual(['']);
});

test('the report is one page that loads nothing and has the figures, the curves and the trees', async () => {
  const file = join(folder, 'out.html');
  const text = await run('small', '--against', 'mist', '--report', file);
  const page = readFileSync(file, 'utf8');
  expect(page).not.toMatch(/(?:src|href)=|url\(|import .* from/);
  const came = text.match(/came +(\d+) +(\d+)/)!;
  expect(page).toContain(`<th>came</th><td>${came[1]}</td><td>${came[2]}</td>`);
  const data = JSON.parse(page.match(/id="data">(.*)<\/script>/)![1]!);
  expect(data.policies.map(({ policy }: { policy: string }) => policy)).toEqual(['headwater', 'mist']);
  for (const { curves, trees } of data.policies) {
    const lengths = Object.values<number[]>(curves).map((curve) => curve.length);
    expect(new Set(lengths)).toEqual(new Set([360]));
    expect(trees).toHaveLength(60);
  }
});

test('a bar goes on with each minute that is simulated', async () => {
  const { progress } = await typed(simulateCommand, ['small', '--against', 'mist']);
  expect(progress.length).toBeGreaterThan(6);
  expect(new Set(progress)).toEqual(new Set(['headwater', 'mist']));
});

describe('a clear error says', () => {
  test.each([
    [[], /missing required argument 'scenario'/],
    [['small', 'large'], /too many arguments/],
    [['small', '--policy', 'best'], /policies are balanced, .*, or a file; got 'best'/],
    [['small', '--against', 'mist,nobody'], /others are mist, .*; got 'nobody'/],
    [['small', '--seed', '1.5'], /a seed is a whole number; got '1\.5'/],
    [['small', '--sed', '1'], /unknown option '--sed'/],
    [['no-such-scenario'], /no-such-scenario: ENOENT/],
  ])('what is wrong in %j', async (args, words) => {
    const { code, out, err } = await typed(simulateCommand, args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(words);
  });
});
