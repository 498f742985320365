// What the documentation says to type is typed: README first, whose tour starts a cluster of two servers, then each page beside it.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { verifyToken } from '../../network/token.ts';
import { configCommands } from '../../usher/commands/config.ts';
import { readPolicies } from '../../usher/placement/price/policy-file.ts';
import { type CodeBlock, codeBlocksIn } from '../tools/docs/code-blocks.ts';
import { DocsShell } from '../tools/docs/docs-shell.ts';
import { ScratchFolder } from '../tools/world/scratch-folder.ts';
import { typed } from '../tools/world/typed.ts';
import { waitFor } from '../tools/world/wait.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGES = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
const BLOCKS = PAGES.map((page) => [page, codeBlocksIn(join(ROOT, page))] as const);

/** As docs/tour has it. */
const SECRET = 'the secret of the tour';

let scratch: ScratchFolder;
let shell: DocsShell;
beforeAll(async () => {
  scratch = await ScratchFolder.make();
  shell = await DocsShell.open(scratch.path);
});
afterAll(async () => {
  await shell[Symbol.asyncDispose]();
  await scratch[Symbol.asyncDispose]();
});

const blocksIn = (page: string, language: string): readonly CodeBlock[] =>
  BLOCKS.find(([name]) => name === page)![1].filter((block) => block.language === language);

describe.concurrent('the tour', () => {
  const [, alone = [], joined = []] = BLOCKS[0]![1].reduce<CodeBlock[][]>(
    (parts, block) => {
      // Its first part is beside `npm start`; the second begins with Redis.
      if (block.note.startsWith('no-run')) parts.push([]);
      else if (block.text.startsWith('redis-server')) parts.push([block]);
      else parts.at(-1)!.push(block);
      return parts;
    },
    [[]],
  );

  test('runs beside one process', async () => {
    await using folder = await ScratchFolder.make();
    await using own = await DocsShell.open(folder.path);
    await own.start(
      'npm start',
      'npx headwater --no-sample --rtmp-port 1935 --usher-port 8080 --media-port 8081',
    );
    await isReady(own);
    await runAll(own, alone, async () => isLive(own, 'alice'));
    expect(own.failed).toEqual([]);
  });

  test('goes on with a second server', async () => {
    await runAll(shell, joined, async (block) => {
      if (block.text.startsWith('redis'))
        await waitFor(() => shell.run('redis-cli -p 6379 ping').then(isDone));
      else if (block.text.includes('first.yaml') && block.text.startsWith('npx headwater --'))
        await isReady(shell);
      else if (block.text.includes(' server ')) await hasServer(shell, 'second');
      else if (block.text.includes(' publish ')) await isLive(shell, 'alice');
    });
    expect(shell.failed).toEqual([]);
  });
});

/** Besides README, whose blocks are the tour's. */
const pagesWith = (language: string): readonly string[] =>
  PAGES.filter((page) => page !== 'README.md' && blocksIn(page, language).length > 0);

const environment = { HEADWATER_SECRETS: SECRET };

test.each(pagesWith('sh'))('what %s says to type', async (page) => {
  await runAll(shell, blocksIn(page, 'sh'), async () => {}, environment);
  expect(shell.failed).toEqual([]);
});

test.each(pagesWith('js'))('the code of %s makes a token that is good', async (page) => {
  for (const { where, text } of blocksIn(page, 'js')) {
    shell.write('example.mjs', shell.fitted(text));
    const { code, output } = await shell.run('node example.mjs', environment);
    expect(code, `${where}: ${output}`).toBe(0);
    const url = new URL(output.trim());
    const wanted = { purpose: 'play', stream: 'alice', nowMs: Date.now() } as const;
    expect(verifyToken([SECRET], url.searchParams.get('token')!, wanted).kind).toBe('valid');
  }
});

test.each(pagesWith('yaml'))('the configurations of %s are good', async (page) => {
  vi.stubEnv('HEADWATER_S3_ACCESS_KEY_ID', 'id');
  vi.stubEnv('HEADWATER_S3_SECRET_ACCESS_KEY', 'secret');
  for (const { where, note, text } of blocksIn(page, 'yaml')) {
    const here = withOwnFiles(text);
    if (note === 'policies') expect(() => readPolicies(here), where).not.toThrow();
    else {
      const { code, err } = await typed(configCommands, ['check', shell.write('example.yaml', here)]);
      expect([code, err], where).toEqual([0, '']);
    }
  }
  vi.unstubAllEnvs();
});

describe('what is not run', () => {
  test('says so, and the reason', () => {
    const all = BLOCKS.flatMap(([, blocks]) => blocks).filter(({ language }) => language === 'sh');
    const notes = all.map(({ note, where }) =>
      /^(?:|background|no-run(?: \(.+\))?)$/.test(note) ? '' : where,
    );
    expect(notes.filter(Boolean)).toEqual([]);
    for (const { note, text, where } of all.filter((each) => each.note === 'no-run'))
      expect(text, `${where} has no reason: ${note}`).toMatch(/^npm (?:ci|run)/);
  });
});

test.each(PAGES)('links of %s lead somewhere', (page) => {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)(?:#([^)]+))?\)/g)];
  const broken = links.filter(([, to, anchor]) => {
    const target = join(ROOT, dirname(page), to!);
    return !existsSync(target) || (anchor && !anchorsIn(target).includes(anchor));
  });
  expect(broken.map(([link]) => link)).toEqual([]);
});

test('every alert is in the guide for operators', () => {
  const alerts = readFileSync(join(ROOT, 'install/prometheus/alerts.yaml'), 'utf8');
  const guide = readFileSync(join(ROOT, 'docs/operate.md'), 'utf8');
  const names = [...alerts.matchAll(/alert: (\w+)/g)].map(([, name]) => name!);
  expect(names.filter((name) => !guide.includes(name))).toEqual([]);
});

async function runAll(
  where: DocsShell,
  blocks: readonly CodeBlock[],
  after: (block: CodeBlock) => Promise<void>,
  environment: NodeJS.ProcessEnv = {},
): Promise<void> {
  for (const block of blocks) {
    if (block.language !== 'sh' || block.note.startsWith('no-run')) continue;
    if (block.note === 'background') await where.start(block.where, block.text, environment);
    else {
      const { code, output } = await where.run(block.text, environment);
      expect(code, `${block.where}: ${output}`).toBe(0);
    }
    await after(block);
  }
}

function isDone({ code, output }: { readonly code: number | null; readonly output: string }): void {
  expect(code, output).toBe(0);
}

function isReady(where: DocsShell): Promise<void> {
  return waitFor(async () => expect((await fetch(`${where.usherUrl}/readyz`)).status).toBe(200));
}

function isLive(where: DocsShell, stream: string): Promise<void> {
  const found = async () => (await fetch(`${where.usherUrl}/live/${stream}.m3u8`)).status;
  return waitFor(async () => expect(await found(), where.failed.join('\n')).toBe(200));
}

function hasServer(where: DocsShell, id: string): Promise<void> {
  const ids = async () => JSON.stringify(await (await fetch(`${where.usherUrl}/ingests`)).json());
  return waitFor(async () => expect(await ids()).toContain(id));
}

/** Of what lies on machines of others there is something here. */
function withOwnFiles(text: string): string {
  return text
    .replace('/etc/headwater/topology.yaml', join(ROOT, 'network/map/example.yaml'))
    .replace(/file:\/\S+?(?=["\s]|$)/gm, 'a secret of eight and more');
}

/** As GitHub makes them of headings. */
function anchorsIn(file: string): string[] {
  const headings = readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm);
  return [...headings].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  );
}
