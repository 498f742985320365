// The door to commander: reads the command line by a table of commands, runs the one that is meant, and says how it went.

import { CommanderError, Command as Parser } from 'commander';
import { CodedError, reasonOf } from '../errors.ts';
import type { Command, CommandGroup, Given, Option, Options, Outcome } from './command.ts';
import { EXIT, EXIT_CODES_HELP, exitCodeOf } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

export interface Program {
  readonly name: string;
  readonly summary: string;
  readonly version: string;
  readonly examples: Command['examples'];
  readonly commands: readonly (Command | CommandGroup)[];
  /** The command that is meant when none is named. */
  readonly usual: string;
}

const HELP_COLUMNS = 110;
const JSON_OPTION: Options = { json: { help: 'print JSON, of a shape that stays' } };
const OWN_FLAGS = ['-h', '--help', '-V', '--version'];

/** Resolves with the exit code. */
export async function runProgram(
  program: Program,
  args: readonly string[],
  terminal: Terminal,
): Promise<number> {
  const done = { exitCode: EXIT.done as number };
  const parser = parserOf(program, terminal, (exitCode) => {
    done.exitCode = exitCode;
  });
  try {
    await parser.parseAsync(isUsual(args) ? [program.usual, ...args] : [...args], { from: 'user' });
    return done.exitCode;
  } catch (error) {
    return fail(error, terminal);
  }
}

function isUsual([first]: readonly string[]): boolean {
  return first === undefined || (first.startsWith('-') && !OWN_FLAGS.includes(first));
}

function parserOf(program: Program, terminal: Terminal, done: (exitCode: number) => void): Parser {
  const { name, summary, version, examples, commands } = program;
  const parser = new Parser(name)
    .description(summary)
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text),
      writeErr: (text) => terminal.err(text),
      getOutHelpWidth: () => HELP_COLUMNS,
      getErrHelpWidth: () => HELP_COLUMNS,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showHelpAfterError('--help says how it is used')
    .helpCommand(false)
    .addHelpText('after', examplesText(examples))
    .addHelpText(
      'after',
      `\n${EXIT_CODES_HELP}\n\nWithout a command it does what \`${name} ${program.usual}\` does.`,
    );
  for (const command of commands) {
    if (!('commands' in command)) addCommand(parser, command, terminal, done);
    else {
      const group = parser.command(command.name).description(command.summary).helpCommand(false);
      group.addHelpText(
        'after',
        examplesText(command.commands.flatMap((inner) => inner.examples.slice(0, 1))),
      );
      for (const inner of command.commands) addCommand(group, inner, terminal, done);
    }
  }
  return parser;
}

function addCommand(
  parser: Parser,
  command: Command,
  terminal: Terminal,
  done: (exitCode: number) => void,
): void {
  const { name, summary, details, examples } = command;
  const options: Options = { ...command.options, ...(command.isService ? {} : JSON_OPTION) };
  const names = Object.keys(command.arguments ?? {});
  const adding = parser
    .command(name)
    .summary(summary)
    .description(details ? `${summary}\n\n${details}` : summary);
  for (const argument of names) adding.argument(`<${argument}>`, command.arguments![argument]);
  for (const [option, spec] of Object.entries(options))
    adding.option(flagOf(option, spec), spec.help, spec.default);
  adding.addHelpText('after', examplesText(examples));
  adding.action(async () => {
    const given = givenTo(adding, names, options);
    const outcome = await command.run(given, terminal);
    if (outcome) print(outcome, given.json === true, terminal);
    done(outcome?.exitCode ?? EXIT.done);
  });
}

function flagOf(name: string, { value, isOn }: Option): string {
  const words = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return `--${isOn ? 'no-' : ''}${words}${value ? ` ${value}` : ''}`;
}

/** What nobody said is undefined, or what the option says itself. */
function givenTo(parser: Parser, names: readonly string[], options: Options): Given<string, Options> {
  const said = Object.entries(options).map(([name, spec]) => {
    const isSaid = parser.getOptionValueSource(name) === 'cli';
    return [name, isSaid ? parser.getOptionValue(name) : spec.default] as const;
  });
  return Object.fromEntries([...names.map((name, at) => [name, parser.args[at]] as const), ...said]);
}

function print({ value, text }: Outcome, asJson: boolean, { out, paint }: Terminal): void {
  if (asJson) out(`${JSON.stringify(value, undefined, 2)}\n`);
  else out(typeof text === 'string' ? text : text(paint));
}

function examplesText(examples: Command['examples']): string {
  if (examples.length === 0) return '';
  const width = Math.max(...examples.map(([line]) => line.length));
  const lines = examples.map(([line, what]) => `  ${line.padEnd(width)}  ${what}`.trimEnd());
  return ['\nExamples:', ...lines].join('\n');
}

/** Words are enough for what is expected; where it comes from in the code is of interest for what is not. */
function fail(error: unknown, { err }: Terminal): number {
  // What commander has to say it has said.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (error instanceof CodedError) {
    err(`error: ${error.message}\n`);
    return exitCodeOf(error.code);
  }
  const isListening = (error as NodeJS.ErrnoException).syscall === 'listen';
  err(`error: ${isListening || !(error instanceof Error) ? reasonOf(error) : error.stack}\n`);
  return EXIT.failed;
}
