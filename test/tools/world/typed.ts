// Types a command line in process: what it prints, and its exit code.

import type { Command, CommandGroup } from '../../../network/command/command.ts';
import { type Paint, PLAIN } from '../../../network/command/paint.ts';
import { type Program, runProgram } from '../../../network/command/program.ts';

export interface Typed {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** What bars have said. */
  readonly progress: readonly string[];
}

/** `program` is a whole one, or a command of it. */
export async function typed(
  program: Program | Command | CommandGroup,
  args: readonly string[],
  paint: Paint = PLAIN,
): Promise<Typed> {
  let [out, err] = ['', ''];
  const progress: string[] = [];
  const terminal = {
    out: (text: string) => {
      out += text;
    },
    err: (text: string) => {
      err += text;
    },
    paint,
    progress: () => ({ update: (_: number, words: string) => progress.push(words), stop: () => {} }),
  };
  const isProgram = 'usual' in program;
  const whole = isProgram
    ? program
    : { name: 'headwater', summary: '', version: '0', usual: '', examples: [], commands: [program] };
  const code = await runProgram(whole, isProgram ? args : [program.name, ...args], terminal);
  return { code, out, err, progress };
}
