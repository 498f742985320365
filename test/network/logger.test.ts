import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const LOGGER = join(import.meta.dirname, '../../network/logger.ts');

/** What a process prints that logs these fields and this message. */
function printed(fields: object, message: string): string {
  const code = `const { createLogger } = await import(process.argv[1]);
    createLogger('info').info(...JSON.parse(process.argv[2]));`;
  const args = ['--input-type=module', '-e', code, LOGGER, JSON.stringify([fields, message])];
  return execFileSync(process.execPath, args, { encoding: 'utf8' });
}

test('a line is one line of JSON, whatever is in it, and secrets by their names are not', () => {
  const fields = {
    stream: 'a\n{"level":60,"msg":"forged"}',
    token: 't0ken',
    order: { key: 'k3y', url: '/' },
  };
  const text = printed(fields, 'said\r\nand forged\u2028');
  expect(text.split('\n')).toHaveLength(2);
  expect(JSON.parse(text)).toMatchObject({
    stream: fields.stream,
    token: '[Redacted]',
    order: { key: '[Redacted]', url: '/' },
    msg: 'said\r\nand forged\u2028',
  });
});
