// Code in Markdown: fenced blocks with their language and what else stands behind it.

import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

export interface CodeBlock {
  /** `play.md:57`: where its first line stands. */
  readonly where: string;
  readonly language: string;
  /** Behind the language: `background`, or `no-run (why)`. */
  readonly note: string;
  readonly text: string;
}

export function codeBlocksIn(file: string): CodeBlock[] {
  const markdown = readFileSync(file, 'utf8');
  const fences = markdown.matchAll(/^```(?<language>\w+)(?<note>[^\n]*)\n(?<text>.*?)^```$/gms);
  return [...fences].map(({ index, groups }) => ({
    where: `${basename(file)}:${markdown.slice(0, index).split('\n').length + 1}`,
    language: groups!['language']!,
    note: groups!['note']!.trim(),
    text: groups!['text']!,
  }));
}
